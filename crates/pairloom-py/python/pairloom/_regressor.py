"""Numbers by a factorization machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin

from ._base import FM
from ._docs import documented
from ._scored import Scored

if TYPE_CHECKING:
    from typing_extensions import Self


@documented(
    '"squared" if nothing is said; "poisson" for counts; "huber:D", squares up to an error of D standard deviations of\n'
    '    the label and lines beyond; "quantile:Q", the Q quantile of the label.'
)
class FMRegressor(Scored, RegressorMixin, FM):
    """A factorization machine that predicts a number.

    Raw columns are encoded by the core: names by a dictionary, numbers by functions of them, lists by their values.
    A share of the rows is held out (``valid_fraction``) to see when to stop, and the weights of the best epoch are kept.

    <parameters>

    Attributes
    ----------
    <attributes>

    See Also
    --------
    FMClassifier : Probabilities of classes.
    FMRanker : The order of the rows of a group.

    Examples
    --------
    Ratings of items by users, in an array of whole numbers: they are names, as is said.

    >>> import numpy as np
    >>> from pairloom import FMRegressor
    >>> users, items = np.divmod(np.arange(600), 20)
    >>> rating = 1.0 + (users * items) % 5
    >>> fm = FMRegressor(model="mf", categorical=["x0", "x1"]).fit(np.column_stack([users, items]), rating)
    >>> fm.predict([[3, 4]]).shape
    (1,)
    >>> fm.factors_.shape
    (52, 16)
    """

    _loss = "squared"
    _metric = "r2"

    def partial_fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from some rows after others, in one pass each.

        Parameters
        ----------
        X : data frame, CSR matrix or array of shape (n_rows, n_columns)
            The ids of values are those of the first rows; with ``hash_bits`` all have one.
        y : array-like of shape (n_rows,)
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        self
        """
        with self._all_or_nothing():
            return self._partial_fit(X, y, sample_weight, None)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict numbers.

        Parameters
        ----------
        X : data frame, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset

        Returns
        -------
        ndarray of shape (n_rows,)
            In the unit of the labels.
        """
        return self._predict_rows(X)[0][:, 0]
