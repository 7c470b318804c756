"""Labels, weights and groups that are given beside rows."""

from ._dataset import Dataset
from ._rows import beside_texts, free_name, is_missing, labels, sorted_classes
from ._settings import class_text


def check_dataset(X, y, sample_weight, group):
    """Refuses what a data set has already, or has not."""
    if not isinstance(X, Dataset):
        return
    named = y is None or (isinstance(y, str) and y == X._label)
    if not named or sample_weight is not None or group is not None:
        raise ValueError("labels, weights and groups of a Dataset are said when it is made, not to fit")


def name_beside(name, y, names):
    """A name for a column that is given beside others: that of a series, if it has one."""
    own = getattr(y, "name", None)
    return own if isinstance(own, str) and own and own not in names else free_name(name, names)


def group_beside(read, name, group):
    group = labels(group)
    if group.dtype.kind in "fMmO" and any(map(is_missing, group)):
        raise ValueError("group: of some rows it is missing: say which rows they belong to, or leave them out")
    values, codes = sorted_classes(group)
    return beside_texts(read, name, codes, [class_text(value) for value in values])
