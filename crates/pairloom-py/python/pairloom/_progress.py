"""Progress of long work: tqdm where it is there, else a plain line on standard error."""

import json
import sys
import time

import numpy as np


def flat(epoch):
    """One epoch as a flat dict: figures of the validation rows begin with ``valid_``."""
    epoch = dict(epoch)
    valid = epoch.pop("valid", None) or {}
    figures = {f"valid_{name}": value for name, value in valid.items() if isinstance(value, (int, float))}
    return {**epoch, **figures}


class Progress:
    """Shows progress, and gives epochs to callbacks.

    A callback is called with the dict of each epoch; training ends after one that returns False.
    """

    def __init__(self, verbose, callbacks=()):
        self._verbose = bool(verbose)
        self._callbacks = list(callbacks or ())
        self._bar = None
        self._shown = 0.0
        self._width = 0

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        if self._bar is not None:
            self._bar.close()
        elif self._width:
            print(file=sys.stderr)

    @property
    def rows(self):
        """What hears of rows, if something is shown."""
        return self._rows if self._verbose else None

    @property
    def epoch(self):
        """What hears of epochs, if something is done with them."""
        return self._epoch if self._verbose or self._callbacks else None

    def _rows(self, what, epoch, rows, total, loss):
        if what == "reading":
            self._line(f"reading, {rows:,} rows")
            return
        bar = self._tqdm(total)
        if bar is None:
            self._line(f"epoch {epoch}, {rows:,} of {total:,} rows, loss {loss:.5f}")
            return
        if bar.epoch != epoch:
            bar.epoch = epoch
            bar.reset(total)
            bar.set_description(f"epoch {epoch}", refresh=False)
        bar.update(rows - bar.n)

    def _epoch(self, text):
        epoch = flat(json.loads(text))
        if self._verbose:
            loss = {name: f"{epoch[name]:.5f}" for name in epoch if name.endswith("loss") or name.endswith("auc")}
            if self._bar is not None:
                self._bar.set_postfix(loss, refresh=False)
            self._line(f"epoch {epoch['epoch']}: " + ", ".join(f"{name} {x}" for name, x in loss.items()), last=True)
        answers = [callback(epoch) for callback in self._callbacks]
        # Those of NumPy are others than Python's.
        return not any(isinstance(answer, (bool, np.bool_)) and not answer for answer in answers)

    def _tqdm(self, total):
        if self._bar is None:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                return None
            self._bar = tqdm(total=total, unit=" rows", unit_scale=True, leave=False)
            self._bar.epoch = None
        return self._bar

    def _line(self, text, last=False):
        if self._bar is not None:
            if last:
                self._bar.write(text, file=sys.stderr)
            return
        now = time.monotonic()
        if last or now - self._shown > 0.2:
            self._shown = now
            padding = " " * max(0, self._width - len(text))
            self._width = 0 if last else len(text)
            print(f"\r{text}{padding}", end="\n" if last else "", file=sys.stderr, flush=True)
