"""The ``score`` of estimators that have one in scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted


class Scored:
    """The ``score`` of estimators, also by labels that are a column of the rows."""

    def score(self, X: Any, y: ArrayLike | str | None = None, sample_weight: ArrayLike | None = None) -> float:
        """Measure predictions.

        Parameters
        ----------
        X : data frame, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset
        y : array-like of shape (n_rows,), or str, optional
            Labels; those in the column that the model predicts if it is left out, or is its name.
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        float
            The accuracy of classes; of numbers R2, the coefficient of determination.
        """
        # Of rows that are left out nothing is predicted that labels could lie beside.
        if y is not None and not isinstance(y, str) and self.on_error != "skip":
            return super().score(X, y, sample_weight=sample_weight)
        check_is_fitted(self)
        found = self.model_.evaluate(
            X, y, sample_weight=sample_weight, n_jobs=self.n_jobs, on_error=self.on_error, device=self.device
        )
        # Labels that are all alike have no R2.
        figure = found[self._metric]
        return np.nan if figure is None else figure
