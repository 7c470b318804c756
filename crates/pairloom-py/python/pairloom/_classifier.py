"""Classes by a factorization machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from ._base import FM
from ._dataset import label_beside
from ._docs import documented
from ._rows import beside_texts, labels, sorted_classes
from ._scored import Scored
from ._settings import class_texts

if TYPE_CHECKING:
    from typing_extensions import Self


@documented(
    '"logistic" for two classes, else "softmax": the probability of each of several. This follows from the classes.'
)
class FMClassifier(Scored, ClassifierMixin, FM):
    """A factorization machine that predicts the probability of classes.

    Raw columns are encoded by the core: names by a dictionary, numbers by functions of them, lists by their values.
    A share of the rows is held out (``valid_fraction``) to see when to stop, and the weights of the best epoch are kept.

    <parameters>

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; of labels in a column of ``X`` numbers or truth values if all can be read so.
    <attributes>

    See Also
    --------
    FMRegressor : Numbers, counts, quantiles.
    FMRanker : The order of the rows of a group.

    Examples
    --------
    >>> import numpy as np
    >>> from pairloom import FMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "click", "none")
    >>> fm = FMClassifier(epochs=20, random_state=0).fit(X[:300], y[:300])
    >>> fm.classes_
    array(['click', 'none'], dtype='<U5')
    >>> fm.predict_proba(X[300:]).shape
    (100, 2)
    >>> bool(fm.score(X[300:], y[300:]) > 0.9)
    True
    """

    classes_: NDArray[Any]

    _numeric = False
    _classifies = True
    _metric = "accuracy"

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from some rows after others, in one pass each.

        Parameters
        ----------
        X : data frame, CSR matrix or array of shape (n_rows, n_columns)
            The ids of values are those of the first rows; with ``hash_bits`` all have one.
        y : array-like of shape (n_rows,)
        classes : array-like of shape (n_classes,), optional
            All classes that will come, at the first call.
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        self
        """
        with self._all_or_nothing():
            if classes is not None:
                said = np.unique(classes)
                if len(said) < 2:
                    raise ValueError(f"classes must be all that will come, at least 2, not {classes!r}")
                if self.__sklearn_is_fitted__() and not np.array_equal(said, self.classes_):
                    raise ValueError(f"classes are {self.classes_.tolist()} since the first rows, not {said.tolist()}")
                self.classes_ = said
            known = getattr(self, "classes_", None)
            return self._partial_fit(X, y, sample_weight, known)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Predict the probability of each class.

        Parameters
        ----------
        X : data frame, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of ``classes_``.
        """
        predictions, _ = self._predict_rows(X)
        if predictions.shape[1] == 1:
            predictions = np.hstack([1.0 - predictions, predictions])
        return predictions[:, self._order]

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Score rows.

        Parameters
        ----------
        X : data frame, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            Log-odds of the second of two classes, before a calibration; or the score of each of several.
        """
        _, scores = self._predict_rows(X)
        if scores.shape[1] > 1:
            return scores[:, self._order]
        return scores[:, 0] if self._order[1] == 1 else -scores[:, 0]

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict classes.

        Parameters
        ----------
        X : data frame, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset

        Returns
        -------
        ndarray of shape (n_rows,)
            The most probable of ``classes_``.
        """
        best = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[best]

    def _label_beside(self, read, name, y, sample_weight, classes):
        if self.loss not in (None, "logistic", "softmax"):
            raise ValueError(f'loss of classes must be "logistic" or "softmax", not {self.loss!r}: FMRegressor has those of numbers')
        if self.positive is not None:
            raise ValueError("positive is for labels that are a column of X: of an array classes_[1] is the positive one")
        y = labels(y, warn=True)
        found, codes = sorted_classes(y)
        check_classification_targets(y)
        if classes is None:
            self.classes_ = found
            if not len(y):
                raise ValueError("there are no labels: y has 0 of them")
            weight = None if sample_weight is None or isinstance(sample_weight, str) else np.asarray(sample_weight, float)
            there = codes if weight is None or weight.shape != y.shape else codes[weight != 0]
            if not len(there):
                raise ValueError("the sample weights of all rows are zero")
            if len(np.unique(there)) < 2:
                raise ValueError(
                    "a classifier needs rows of at least 2 classes, and these are of one class: "
                    f"{_bare(self.classes_[there[0]])!r}"
                )
        else:
            codes = self._codes(y)
        texts = class_texts(self.classes_)
        self._positive = texts[1] if len(texts) == 2 and self.loss != "softmax" else None
        self._loss = "logistic" if len(texts) == 2 else "softmax"
        return beside_texts(read, name, codes, texts)

    def _codes(self, y):
        codes = np.searchsorted(self.classes_, y)
        codes = np.clip(codes, 0, len(self.classes_) - 1)
        unknown = np.asarray(self.classes_[codes] != y)
        if unknown.any():
            raise ValueError(f"label {_bare(y[unknown][0])!r} is none of the classes {self.classes_.tolist()}")
        return codes

    def _known_beside(self, read, name, y):
        if not self._outside:
            return label_beside(read, name, y)
        return beside_texts(read, name, self._codes(labels(y)), class_texts(self.classes_))

    def _all_classes(self):
        # Those in a column of the rows are known when these are read.
        known = getattr(self, "classes_", None)
        return None if known is None else class_texts(known)

    def _learned(self):
        super()._learned()
        names = self.model_.classes
        if names is None:
            raise ValueError("the label of these rows is a number: FMRegressor predicts it")
        # Of the model's classes the positive one is last; these are sorted, as scikit-learn takes them to be.
        if self._outside:
            places = {text: place for place, text in enumerate(names)}
            self._order = np.array([places[text] for text in class_texts(self.classes_)])
        else:
            found = _typed(names)
            self._order = np.argsort(found, kind="stable")
            self.classes_ = found[self._order]
        return self


def _bare(label):
    return label.item() if isinstance(label, np.generic) else label


def _typed(names):
    """Classes of a column as numbers or truth values, if all are."""
    if sorted(name.lower() for name in names) == ["false", "true"]:
        return np.array([name.lower() == "true" for name in names])
    for kind in (int, float):
        try:
            return np.array([kind(name) for name in names])
        except ValueError:
            pass
    return np.array(names, dtype=object)
