"""Factorization machines: from raw rows to calibrated probabilities.

The estimators follow scikit-learn; what they compute is the core's, which the command ``pairloom`` has too, so
that a model file means the same in both.

>>> import numpy as np
>>> from pairloom import FMClassifier
>>> rng = np.random.default_rng(0)
>>> X = rng.normal(size=(500, 2))
>>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
>>> fm = FMClassifier(random_state=0).fit(X[:400], y[:400])
>>> fm.predict_proba(X[400:]).shape
(100, 2)
"""

from ._classifier import FMClassifier
from ._dataset import Dataset
from ._model import Model
from ._pairloom import __version__
from ._plots import plot_calibration, plot_field_pairs, plot_learning_curves
from ._ranker import FMRanker
from ._regressor import FMRegressor
from ._settings import default_settings

__all__ = [
    "Dataset",
    "FMClassifier",
    "FMRanker",
    "FMRegressor",
    "Model",
    "__version__",
    "default_settings",
    "plot_calibration",
    "plot_field_pairs",
    "plot_learning_curves",
]
