"""Settings and what is said of columns, from keywords to what the core reads."""

import json
import os
from numbers import Integral
from typing import Any

import numpy as np

from . import _checks, _pairloom

#: What is said of columns: flags of the command with these names.
COLUMNS = ("categorical", "numeric", "multi", "transforms", "time", "ignore", "item", "trials", "fields", "positive")

_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}


def default_settings() -> dict[str, Any]:
    """Settings that all models have, with the core's defaults.

    Returns
    -------
    dict
        Values by name, ``None`` for what follows from the data. :class:`FMClassifier` tells what each means.

    Examples
    --------
    >>> from pairloom import default_settings
    >>> default_settings()["epochs"]
    50
    """
    settings: dict[str, Any] = json.loads(_pairloom.settings())
    settings["random_state"] = settings.pop("seed")
    return settings


#: Names of all settings but the seed.
SETTINGS = tuple(name for name in default_settings() if name != "random_state")


def asked(params, *, label=None, weight=None, group=None, init=None, cache=None, **changed):
    """What the core is asked for, from the parameters of an estimator or a data set."""
    settings = {name: _checks.finite(name, params[name]) for name in SETTINGS if params.get(name) is not None}
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
    named = {name: _checks.text(name, value, "the name of a column") for name, value in said.items()}
    columns.update({name: value for name, value in named.items() if value is not None})
    return {
        "settings": json.dumps(settings, default=_plain),
        "columns": json.dumps(columns, default=_plain),
        "preset": _checks.text("preset", params.get("preset")),
        "schema": _checks.path("schema", params.get("schema")),
        "threads": threads(params.get("n_jobs")),
        "device": _checks.text("device", params.get("device")),
        "on_error": _checks.on_error(params.get("on_error")),
        "cache": _checks.path("cache", cache),
        "init": init,
    }


def threads(n_jobs):
    """The number of threads: as many as there are cores for ``None`` and -1."""
    if n_jobs is None:
        return 0
    if not isinstance(n_jobs, Integral) or n_jobs == 0 or n_jobs >= 2**32:
        raise ValueError(f"n_jobs must be a number of threads, None or -1 for one a core, not {n_jobs!r}")
    if n_jobs == -1:
        return 0
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


def class_texts(labels):
    """Classes as cells of a file have them.

    Raises
    ------
    ValueError
        If a file could not tell two of them from each other.
    """
    texts = [class_text(label) for label in labels]
    same = _pairloom.same_classes(texts)
    if same is not None:
        one, other = (labels[place] for place in same)
        raise ValueError(f"labels {one!r} and {other!r} are the same class in a file of rows: give one another name")
    return texts


def _column(name, value):
    if name in ("multi", "transforms", "time"):
        said = _checks.mapping(name, value, "a dict with a text for each column")
        return {str(column): _checks.text(f"{name} of {column!r}", how) for column, how in said.items()}
    if name in ("trials", "positive"):
        return class_text(value)
    if name == "fields":
        return os.fspath(value) if isinstance(value, (str, os.PathLike)) else ",".join(_checks.names(name, value))
    return _checks.names(name, value)


def _class_weight(value):
    if isinstance(value, str):
        return value
    weights = _checks.mapping("class_weight", value, 'a dict with the weight of each class, or "balanced"')
    texts = class_texts(list(weights))
    try:
        numbers = [float(weight) for weight in weights.values()]
    except (TypeError, ValueError):
        raise ValueError(f"class_weight: the weights must be numbers, not {list(weights.values())!r}") from None
    return {text: _checks.finite("class_weight", number) for text, number in zip(texts, numbers, strict=True)}


def _bytes(text):
    number = text.upper().removesuffix("B").removesuffix("I")
    unit = _UNITS.get(number[-1:], 0)
    try:
        return int(float(number[:-1] if unit else number) * 2**unit)
    except ValueError:
        raise ValueError(f"memory: '{text}' is no number of bytes: write it like 2G or 500M") from None


def _seed(random_state):
    if isinstance(random_state, Integral):
        if not 0 <= random_state < 2**64:
            raise ValueError(f"random_state must be a whole number from 0 to {2**64 - 1}, not {random_state}")
        return int(random_state)
    from sklearn.utils import check_random_state

    try:
        return int(check_random_state(random_state).randint(2**31 - 1))
    except ValueError as error:
        raise ValueError(f"random_state: {error}") from None


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} is no value of a setting")
