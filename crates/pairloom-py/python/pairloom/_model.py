"""A trained model, the same in Python, on the command line and in Rust."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from . import _checks, _pairloom
from ._dataset import label_beside
from ._progress import flat
from ._recommended import as_frame
from ._rows import beside, free_name, is_encoded, is_frame, matrix, rows
from ._settings import class_text, threads
from ._warn import warn


class Model:
    """A trained model.

    It is what :meth:`load` gives, and the ``model_`` of a fitted estimator. Rows may be a file's name, a data frame,
    an Arrow table or stream, a CSR matrix or an array with the columns of the training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from pairloom import FMRegressor
    >>> X = np.arange(60.0).reshape(-1, 2) % 7
    >>> model = FMRegressor(random_state=0).fit(X, X[:, 0] - X[:, 1]).model_
    >>> model.factors.shape[1]
    16
    >>> model.predict(X[:3]).shape
    (3,)
    """

    def __init__(self, of: _pairloom.Model) -> None:
        if not isinstance(of, _pairloom.Model):
            raise TypeError("a model is read by Model.load(path), or is the model_ of a fitted estimator")
        self._of = of
        self._document = json.loads(of.document())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Read a model from a file, be it made here or by the command.

        Parameters
        ----------
        path : str or path

        Returns
        -------
        Model

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is no model, or damaged.
        """
        return cls(_pairloom.Model.load(os.fspath(path)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, whole or not at all.

        Parameters
        ----------
        path : str or path
        """
        self._of.save(os.fspath(path))

    def __reduce__(self):
        return _unpickled, (self._of.to_bytes(),)

    @property
    def settings(self) -> dict[str, Any]:
        """dict: The settings that it was trained with, in which nothing is left to the data."""
        return self._document["config"]

    @property
    def schema(self) -> dict[str, Any]:
        """dict: The columns of raw rows with their roles."""
        return self._document["schema"]

    @property
    def fields(self) -> list[dict[str, Any]]:
        """list of dict: Of each field its ``name``, the ``offset`` of its first id, and ``len``, how many it has."""
        return self._document["fields"]

    @property
    def formula(self) -> str:
        """str: What the model computes."""
        return self._document["formula"]

    @property
    def epoch(self) -> int:
        """int: The epoch whose weights these are, from 1; 0 of an average."""
        return self._document["epoch"]

    @property
    def history(self) -> list[dict[str, Any]]:
        """list of dict: What each epoch brought: ``epoch``, ``learning_rate``, ``train_loss``, ``valid_...``."""
        return [flat(epoch) for epoch in self._document["history"]]

    @property
    def classes(self) -> list[str] | None:
        """list of str, or None: The classes in the order of their probabilities; None of a model of numbers."""
        classes = self._document["classes"]
        # One of two is None if all other values are that class.
        return ["" if name is None else name for name in classes] or None

    @property
    def label(self) -> str:
        """str: The column that is predicted."""
        return self._named("label")

    @property
    def group(self) -> str | None:
        """str or None: The column that says which rows belong together."""
        columns = self.schema["columns"]
        own = [c["name"] for c in columns if c["role"] == "group" or c.get("group")]
        return own[0] if own else None

    @property
    def bias(self) -> NDArray[np.float32]:
        """ndarray of shape (n_outputs,): ``w0``."""
        return self._of.bias

    @property
    def linear(self) -> NDArray[np.float32]:
        """ndarray of shape (n_features,), or (n_features, n_classes): ``w``, read only and without a copy."""
        return self._of.linear

    @property
    def factors(self) -> NDArray[np.float32]:
        """ndarray of shape (n_features, [n_classes,] [n_vectors,] n_factors): ``v``.

        Read only and without a copy, unless they are kept in 16 bits.
        """
        return self._of.factors

    @property
    def shared(self) -> NDArray[np.float32]:
        """ndarray: What belongs to no feature, as strengths of pairs of fields; see the model file's format."""
        return self._of.shared

    def feature_name(self, id: int) -> str:
        """Say what an id stands for: column and value.

        Parameters
        ----------
        id : int
            From 0 to ``n_features - 1``.

        Returns
        -------
        str
            As "Month = Nov".
        """
        return self._of.feature_name(_checks.count("id", id))

    def predict(
        self, data: Any, *, n_jobs: int | None = None, on_error: str | None = None, device: str | None = None
    ) -> NDArray[np.float64]:
        """Predict rows.

        Parameters
        ----------
        data : str, path, data frame, CSR matrix or array of shape (n_rows, n_columns)
        n_jobs : int, optional
            Threads; one for each core if nothing is said.
        on_error : {"stop", "skip"}, optional
            What to do with a row that cannot be used. Those that are skipped have no prediction.
        device : {"cpu", "cuda", "auto"}, optional
            What scores are worked out on; "auto" is the processor, since encoding rows takes longer.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            The probability of the positive class, the target in its own unit, or a score for ranking; of several
            classes the probability of each.
        """
        return self._flat(self._predict(data, n_jobs, on_error, device)[0])

    def scores(
        self, data: Any, *, n_jobs: int | None = None, on_error: str | None = None, device: str | None = None
    ) -> NDArray[np.float64]:
        """Score rows.

        Parameters
        ----------
        data, n_jobs, on_error, device
            As for :meth:`predict`.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            Before a calibration: log-odds of the positive class, the raw score of each of several, or of a number what
            the model's formula gives, in deviations of the label from its mean.
        """
        return self._flat(self._predict(data, n_jobs, on_error, device)[1])

    def evaluate(
        self,
        data: Any,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        group: ArrayLike | None = None,
        threshold: float | None = None,
        at: int | None = None,
        n_jobs: int | None = None,
        on_error: str | None = None,
        device: str | None = None,
    ) -> dict[str, Any]:
        """Measure predictions of labelled rows.

        Parameters
        ----------
        data : str, path, data frame, CSR matrix or array of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,), optional
            Labels, unless they are a column of ``data``.
        sample_weight, group : array-like of shape (n_rows,), optional
            Weights count, whether or not the training rows had some.
        threshold : float, optional
            The probability from which a row counts as predicted positive.
        at : int, optional
            The place at which ranked lists end.
        n_jobs, on_error, device
            As for :meth:`predict`.

        Returns
        -------
        dict
            Metrics by name, as ``pairloom evaluate --json`` has them.
        """
        read = self._labelled(data, y, sample_weight, group)
        weight = None if sample_weight is None else self._weight
        skips = _checks.on_error(on_error) == "skip"
        device = _checks.text("device", device)
        at = _checks.count("at", at)
        metrics, notices = self._of.evaluate(read, threads(n_jobs), threshold, at, weight, skips, device)
        warn(notices)
        return json.loads(metrics)

    def explain(self, data: Any, which: int | Sequence[int] = 0, *, class_name: Any = None) -> Any:
        """Say why scores are what they are: each is a sum of parts, and nothing is estimated.

        Parameters
        ----------
        data : str, path, data frame, CSR matrix or array of shape (n_rows, n_columns)
        which : int or list of int, default=0
            Rows, counted from 0.
        class_name : class, optional
            The class whose score is explained, of several; else the one that is predicted.

        Returns
        -------
        dict, or list of dict
            ``score``, ``bias``, ``columns``, ``column_pairs``, ``values``, ``pairs`` with their contributions; see
            ``docs/explain.md``.
        """
        rows = [which] if isinstance(which, (int, np.integer)) else which
        asked = [_checks.count("which", row) for row in rows]
        name = None if class_name is None else class_text(class_name)
        found = json.loads(self._of.explain(self._rows(data), [row + 1 for row in asked], name))
        by_row = {row["row"] - 1: row for row in found}
        return by_row[asked[0]] if rows is not which else [by_row[row] for row in asked]

    def importance(
        self,
        data: Any,
        y: ArrayLike | None = None,
        *,
        sample: int | None = None,
        repeats: int | None = None,
        random_state: int = 0,
        top: int | None = None,
        n_jobs: int | None = None,
    ) -> dict[str, Any]:
        """Say what columns and pairs of columns are worth over labelled rows.

        Parameters
        ----------
        data, y
            As for :meth:`evaluate`.
        sample : int, optional
            Rows that it is looked for on, drawn at random where there are more.
        repeats : int, optional
            How often each exchange is repeated.
        random_state : int, default=0
        top : int, optional
            Pairs of values to tell of.
        n_jobs : int, optional

        Returns
        -------
        dict
            ``columns``, ``column_pairs``, ``value_pairs``: see ``docs/explain.md``.
        """
        read = self._labelled(data, y, None, None)
        sample, repeats, top = (
            _checks.count(name, value) for name, value in (("sample", sample), ("repeats", repeats), ("top", top))
        )
        seed = _checks.count("random_state", random_state)
        return json.loads(self._of.importance(read, sample, repeats, seed, top, threads(n_jobs)))

    def recommend(
        self,
        contexts: Any,
        items: Any,
        *,
        top: int = 10,
        item: str | Sequence[str] | None = None,
        seen: Any = None,
        by: str | Sequence[str] | None = None,
        filter: Mapping[str, Any] | None = None,
        keep: str | Sequence[str] | None = None,
        keep_item: str | Sequence[str] | None = None,
        n_jobs: int | None = None,
    ) -> Any:
        """Find the best items of a catalogue for each context.

        Parameters
        ----------
        contexts : str, path or data frame
            Rows with the columns of the contexts; rows that are alike in these are one context.
        items : str, path or data frame
            A row for each item.
        top : int, default=10
            Items for each context.
        item : str or list of str, optional
            Columns of the item, the first of which names it; else those that the model was trained with, or found.
        seen : str, path or data frame, optional
            Rows of a context and an item: these are left out for it.
        by : str or list of str, optional
            Columns by which contexts are known in ``seen``.
        filter : dict, optional
            Only items with this value in a column of theirs.
        keep, keep_item : list of str, optional
            Columns of contexts and of items to give back.
        n_jobs : int, optional

        Returns
        -------
        pandas.DataFrame, or polars.DataFrame if ``contexts`` is one; a dict of lists without pandas
            Columns of the context, ``rank``, the item's columns and ``prediction``. Those that are numbers in a frame
            are numbers here too, all else is texts; an item's column that is called as one before it has ``_item`` behind
            its name.
        """
        found = _pairloom.recommend(
            self._of,
            _table("contexts", contexts),
            _table("items", items),
            _checks.count("top", top),
            _names("item", item),
            None if seen is None else _table("seen", seen),
            _names("by", by),
            [(str(column), class_text(value)) for column, value in _checks.mapping("filter", filter or {}, "a dict").items()],
            _names("keep", keep),
            _names("keep_item", keep_item),
            threads(n_jobs),
        )
        return as_frame(contexts, items, found)

    def __repr__(self) -> str:
        settings = self.settings
        return f"Model({settings['model']}, {len(self.linear):,} features, loss={settings['loss']}, epoch={self.epoch})"

    def _repr_html_(self) -> str:
        from ._html import page

        return page(self)

    def _predict(self, data, n_jobs=None, on_error=None, device=None):
        skips, device = _checks.on_error(on_error) == "skip", _checks.text("device", device)
        predictions, scores, notices = self._of.predict(self._rows(data), threads(n_jobs), skips, device)
        # A frame says by its shape that it has no rows; of a stream nobody may know that it had some.
        if not len(predictions) and not notices and is_frame(data) and not hasattr(data, "shape"):
            raise ValueError("this stream has no rows: it can be read once, so make it anew if it was read before")
        warn(notices)
        return predictions, scores

    def _flat(self, values):
        return values[:, 0] if values.shape[1] == 1 else values

    def _rows(self, data):
        names = None
        if is_encoded(data) or is_frame(data):
            return rows(data)
        data = matrix(data)
        # A matrix of either kind, whichever the training rows were.
        if self.schema["format"]["name"] == "libsvm":
            data = data if sparse.issparse(data) else sparse.csr_array(data)
        else:
            data = data.toarray() if sparse.issparse(data) else data
            names = [c["name"] for c in self.schema["columns"] if c["role"] not in ("label", "weight", "group")]
        return rows(data, names=names)

    def _labelled(self, data, y, sample_weight, group):
        read = self._rows(data)
        if isinstance(y, str) and y != self.label:
            raise ValueError(f"the model predicts the column {self.label!r}, not {y!r}")
        if y is not None and not isinstance(y, str):
            read = label_beside(read, self.label, y)
        if sample_weight is not None:
            read = beside(read, self._weight, sample_weight)
        if group is not None:
            if self.group is None:
                raise ValueError("the model was trained without groups: leave group out")
            read = label_beside(read, self.group, group)
        return read

    @property
    def _weight(self):
        """What row weights are called, or would be."""
        own = self._named("weight")
        return free_name("weight", [column["name"] for column in self.schema["columns"]]) if own is None else own

    def _named(self, role):
        return next((c["name"] for c in self.schema["columns"] if c["role"] == role), None)


def _unpickled(data):
    return Model(_pairloom.Model.from_bytes(data))


def _table(name, data):
    if not is_encoded(data) and not is_frame(data):
        raise TypeError(f"{name} must be a file or a data frame, in which columns have names, not {type(data).__name__}")
    return rows(data)


def _names(name, value):
    return [] if value is None else _checks.names(name, value)
