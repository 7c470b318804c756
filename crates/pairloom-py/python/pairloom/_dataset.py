"""Rows that are read once, for many fits."""

from __future__ import annotations

import json
import os
from typing import Any

from numpy.typing import ArrayLike

from . import _pairloom
from ._progress import Progress
from ._rows import beside, beside_texts, is_encoded, is_frame, is_path, labels, matrix, rows, sorted_classes
from ._settings import COLUMNS, asked, class_texts
from ._warn import warn


class Dataset:
    """Rows that are read and encoded once, for many fits.

    Values of categorical columns are numbered and numbers are kept; which rows are held out, rare values, quantiles
    and all else is decided by each fit, with its own settings.

    Parameters
    ----------
    data : str, path, data frame, Arrow table or stream, CSR matrix or array of shape (n_rows, n_columns)
        A file may be CSV, TSV, libsvm, libffm, MovieLens, Parquet, or one that ``pairloom convert`` has made.
    label : str, optional
        The column to predict, if it is not called as labels mostly are.
    y : array-like of shape (n_rows,), optional
        Labels, if they are not among the columns.
    weight, group : str, optional
        Columns of row weights, and of what says which rows belong together.
    sample_weight : array-like of shape (n_rows,), optional
        Row weights, if they are not among the columns.
    categorical, numeric, multi, transforms, time, ignore, item, trials, fields, positive, preset, schema : optional
        What is said of columns: see :class:`FMClassifier`. What is not said is inferred.
    format, delimiter, header : optional
        How a file is written, if it is not to be found out.
    loss : str, optional
        The loss that labels will be learned by, where it decides what they are: "softmax" for numbers that are
        classes, "poisson" for counts.
    cache : str, optional
        A file that keeps the rows of a file as they were read; it is made, and used by later runs.
    on_error : {"stop", "skip"}, optional
        What to do with a row that cannot be used.
    n_jobs : int, optional
        Threads; one for each core if nothing is said.
    verbose : bool, default=False
        Whether progress is shown.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.5, 1.0], [1.5, 2.0], [2.5, 0.0], [3.5, 1.0]])
    >>> len(Dataset(X, y=[0, 1, 1, 0]))
    4
    """

    def __init__(
        self,
        data: Any,
        label: str | None = None,
        *,
        y: ArrayLike | None = None,
        weight: str | None = None,
        group: str | None = None,
        sample_weight: ArrayLike | None = None,
        format: str | None = None,
        delimiter: str | None = None,
        header: bool | None = None,
        loss: str | None = None,
        cache: str | os.PathLike[str] | None = None,
        on_error: str | None = None,
        n_jobs: int | None = None,
        verbose: bool = False,
        **columns: Any,
    ) -> None:
        unknown = columns.keys() - {*COLUMNS, "preset", "schema"}
        if unknown:
            raise TypeError(f"Dataset has no keyword {sorted(unknown)[0]!r}")
        params = {**columns, "loss": loss, "on_error": on_error, "n_jobs": n_jobs}
        if cache is not None and not is_path(data):
            raise ValueError("cache keeps the rows of a file, and these are no file: a Dataset has them in memory")
        if not is_encoded(data) and not is_frame(data):
            data = matrix(data)
        read = rows(data, format=format, delimiter=delimiter, header=header)
        # The columns of a matrix have a number and no names.
        self._n_columns = None if is_encoded(data) or is_frame(data) else data.shape[1]
        if isinstance(y, str):
            raise ValueError(f"y has labels themselves: label={y!r} names their column")
        if y is not None:
            label = label or "label"
            read = label_beside(read, label, y)
        if sample_weight is not None:
            weight = weight or "weight"
            read = beside(read, weight, sample_weight)
        self._asked = asked(params, label=label, weight=weight, group=group, cache=cache)
        with Progress(verbose) as progress:
            self._of = _pairloom.Dataset(read, self._asked, progress.rows)
        warn(self._of.notices)
        self._label = next(c["name"] for c in self.schema["schema"]["columns"] if c["role"] == "label")

    def __len__(self) -> int:
        return len(self._of)

    @property
    def schema(self) -> dict[str, Any]:
        """dict: The columns with their roles, and why they were guessed."""
        about: dict[str, Any] = json.loads(self._of.schema())
        return about

    def __repr__(self) -> str:
        columns = self.schema["schema"]["columns"]
        return f"Dataset({len(self):,} rows, {len(columns)} columns)"


def label_beside(read, name, y):
    """The same rows with labels of any type after their columns."""
    if isinstance(y, str):
        raise ValueError(f"these are labels themselves, and {y!r} is a name: labels in a column of the rows are found by it")
    y = labels(y)
    if y.dtype.kind in "fiu":
        return beside(read, name, y)
    classes, codes = sorted_classes(y)
    return beside_texts(read, name, codes, class_texts(classes))
