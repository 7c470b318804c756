"""Settings and what is said of columns, from keywords to what the core reads."""

import json
from numbers import Integral

import numpy as np

from . import _pairloom

#: What is said of columns: flags of the command with these names.
COLUMNS = ("categorical", "numeric", "multi", "transforms", "time", "ignore", "item", "trials", "fields", "positive")

_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}


def default_settings():
    """Settings that all models have, with the core's defaults.

    Returns
    -------
    dict
        Values by name, ``None`` for what follows from the data. :class:`FMClassifier` tells what each means; the seed is
        its ``random_state``.

    Examples
    --------
    >>> from pairloom import default_settings
    >>> default_settings()["epochs"]
    50
    """
    return json.loads(_pairloom.settings())


#: Names of all settings but the seed, which is called ``random_state`` here.
SETTINGS = tuple(name for name in default_settings() if name != "seed")


def asked(params, *, label=None, weight=None, group=None, init=None, cache=None, **changed):
    """What the core is asked for, from the parameters of an estimator or a data set."""
    settings = {name: params[name] for name in SETTINGS if params.get(name) is not None}
    settings.update(changed)
    if "class_weight" in settings:
        settings["class_weight"] = _class_weight(settings["class_weight"])
    if isinstance(settings.get("memory"), str):
        settings["memory"] = _bytes(settings["memory"])
    seed = params.get("random_state")
    if seed is not None:
        settings["seed"] = _seed(seed)
    columns = {name: _column(name, params[name]) for name in COLUMNS if params.get(name) is not None}
    said = {"label": label, "weight": weight, "group": group}
    columns.update({name: value for name, value in said.items() if value is not None})
    return {
        "settings": json.dumps(settings, default=_plain),
        "columns": json.dumps(columns, default=_plain),
        "preset": params.get("preset"),
        "schema": params.get("schema"),
        "threads": threads(params.get("n_jobs")),
        "on_error": params.get("on_error") or "stop",
        "cache": cache,
        "init": init,
    }


def threads(n_jobs):
    """The number of threads: as many as there are cores for ``None`` and -1."""
    if n_jobs is None or n_jobs == -1:
        return 0
    if not isinstance(n_jobs, Integral) or n_jobs == 0:
        raise ValueError(f"n_jobs must be a number of threads, None or -1 for one a core, not {n_jobs!r}")
    if n_jobs > 0:
        return int(n_jobs)
    from joblib import cpu_count

    return max(1, cpu_count() + 1 + n_jobs)


def class_text(label):
    """A class as a cell of a file has it."""
    if isinstance(label, (bool, np.bool_)):
        return "true" if label else "false"
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    if isinstance(label, bytes):
        return label.decode()
    return str(label.item() if isinstance(label, np.generic) else label)


def _column(name, value):
    if name in ("multi", "transforms", "time"):
        return {str(column): how for column, how in dict(value).items()}
    if name in ("trials", "positive"):
        return class_text(value)
    if name == "fields":
        return value if isinstance(value, str) else ",".join(value)
    return [value] if isinstance(value, str) else [str(column) for column in value]


def _class_weight(value):
    if isinstance(value, str):
        return value
    return ",".join(f"{class_text(label)}={float(weight)!r}" for label, weight in dict(value).items())


def _bytes(text):
    number = text.upper().removesuffix("B").removesuffix("I")
    unit = _UNITS.get(number[-1:], 0)
    try:
        return int(float(number[:-1] if unit else number) * 2**unit)
    except ValueError:
        raise ValueError(f"memory: '{text}' is no number of bytes: write it like 2G or 500M") from None


def _seed(random_state):
    if isinstance(random_state, Integral):
        return int(random_state)
    from sklearn.utils import check_random_state

    return int(check_random_state(random_state).randint(2**31 - 1))


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} is no setting")
