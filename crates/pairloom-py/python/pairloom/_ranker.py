"""Order by a factorization machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from ._base import FM, Callbacks
from ._beside import group_beside
from ._docs import documented
from ._rows import is_encoded, is_frame

if TYPE_CHECKING:
    from typing_extensions import Self


@documented(
    '"bpr" if nothing is said: pairs of rows of a group; "warp": pairs, with more weight where the order is worse;\n'
    '    "listwise": a group at once.'
)
class FMRanker(FM):
    """A factorization machine that ranks the rows of a group, or the items of a catalogue.

    The rows of a group are what a user was shown, or what a query found; labels say which are to come first. With
    ``item``, rows are what was chosen, and others are drawn from all items to be ranked below them.

    <parameters>

    Attributes
    ----------
    <attributes>

    See Also
    --------
    Model.recommend : The best items of a catalogue.

    Examples
    --------
    >>> import numpy as np
    >>> from pairloom import FMRanker
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> relevance = (X[:, 0] * X[:, 1] > 0.5).astype(int)
    >>> query = np.arange(300) // 10
    >>> ranker = FMRanker(epochs=10, random_state=0).fit(X, relevance, group=query)
    >>> ranker.predict(X).shape
    (300,)
    >>> bool(ranker.score(X, relevance, group=query) > 0.8)
    True
    """

    _loss = "bpr"

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Score rows, for comparing those of a group.

        Parameters
        ----------
        X : data frame, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return self._predict_rows(X)[0][:, 0]

    decision_function = predict

    def fit(  # type: ignore[override]  # Rows that are ranked have no weights.
        self,
        X: Any,
        y: ArrayLike | str | None = None,
        *,
        group: ArrayLike | str | None = None,
        eval_set: Any = None,
        callbacks: Callbacks | None = None,
    ) -> Self:
        """Train a model to rank the rows of each group.

        Parameters
        ----------
        X : data frame, Arrow table or stream, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset
            Rows, which may have weights if they are a data set.
        y : array-like of shape (n_rows,), or str, optional
            Labels of at least 0: in a group those with greater ones are to come first.
        group : array-like of shape (n_rows,), or str, optional
            What says which rows are ranked among each other; all are one group if none is given.
        eval_set : tuple (X, y, group), or X that has its labels and groups, optional
            Validation rows, which stop the training; else a share of the groups is held out (``valid_fraction``).
        callbacks : callable or list of callables, optional
            Each is called with the dict of an epoch; training ends after one that returns False.

        Returns
        -------
        self
        """
        return super().fit(X, y, group=group, eval_set=eval_set, callbacks=callbacks)

    def _third_beside(self, read, n_rows, group=None):
        if group is None and self._own_group:
            if n_rows is None:
                raise ValueError("eval_set needs its groups: (X, y, group), as the training rows have them beside")
            group = np.zeros(n_rows, dtype=int)
        return read if group is None else group_beside(read, self._columns[2], group)

    def score(self, X: Any, y: ArrayLike | str | None = None, *, group: ArrayLike | str | None = None) -> float:
        """Measure the order of the rows of each group.

        Parameters
        ----------
        X : data frame, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset
        y : array-like of shape (n_rows,), optional
        group : array-like of shape (n_rows,), optional
            All rows are one group if none is given.

        Returns
        -------
        float
            NDCG.
        """
        check_is_fitted(self)
        if not is_encoded(X) and not is_frame(X):
            X = self._matrix(X)
        y = None if isinstance(y, str) and y == self.model_.label else y
        group = None if isinstance(group, str) and group == self.model_.group else group
        if group is None and self._own_group and y is not None:
            group = np.zeros(len(column_or_1d(y)), dtype=int)
        return self.model_.evaluate(X, y, group=group, n_jobs=self.n_jobs, device=self.device)["ndcg"]

    def _training_rows(self, X, y, sample_weight, group, **how):
        if group is None and y is not None and not isinstance(y, str):
            group = np.zeros(len(column_or_1d(y)), dtype=int)
        self._own_group = group is not None and not isinstance(group, str)
        return super()._training_rows(X, y, sample_weight, group, **how)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
