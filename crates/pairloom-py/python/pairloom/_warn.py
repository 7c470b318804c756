"""Warnings that point to the caller's line, however deep in this package they are given."""

import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

_HERE = str(Path(__file__).parent)


def warn(messages: Iterable[str], category: type[Warning] = UserWarning) -> None:
    """Warns of each, at the first line outside of this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, level = frame.f_back, level + 1
    for message in messages:
        warnings.warn(message, category, stacklevel=level)
