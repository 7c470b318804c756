"""Keywords of the wrong type or size, told by name before the core hears of them."""

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real


def text(name, value, what="a text"):
    """A text, or None."""
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{name} must be {what}, not {value!r}")


def path(name, value):
    """A file's name as text, or None."""
    if value is None or isinstance(value, (str, os.PathLike)):
        return None if value is None else os.fspath(value)
    raise TypeError(f"{name} must be the name of a file, not {value!r}")


def count(name, value, least=0):
    """A whole number that the core can hold, or None."""
    if value is None:
        return None
    if not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if not least <= value < 2**32:
        raise ValueError(f"{name} must be a whole number from {least} to {2**32 - 1}, not {value}")
    return int(value)


def finite(name, value):
    """A setting that is no infinite number, and not NaN: JSON has no word for these."""
    if isinstance(value, Real) and not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value!r}")
    return value


def names(name, value):
    """Names of columns, of which one may be given by itself."""
    if isinstance(value, str):
        return [value]
    try:
        return [str(column) for column in value]
    except TypeError:
        raise TypeError(f"{name} must be a list of names of columns, not {value!r}") from None


def mapping(name, value, what):
    """A dict."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be {what}, not {value!r}")
    return dict(value)


def functions(name, value):
    """Functions, of which one may be given by itself."""
    if value is None or callable(value):
        return [] if value is None else [value]
    if not isinstance(value, (list, tuple)) or not all(map(callable, value)):
        raise TypeError(f"{name} must be a function or a list of functions, not {value!r}")
    return list(value)


def on_error(value):
    """What is done with rows that cannot be used."""
    if value is None:
        return "stop"
    if not isinstance(value, str) or value not in ("stop", "skip"):
        raise ValueError(f'on_error must be "stop" or "skip", not {value!r}')
    return value
