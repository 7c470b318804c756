"""myFM from PyPI: Bayesian factorization machines by Gibbs sampling, with probit for classes. It has no
validation rows to stop by, and no default rank: 8 is what its documentation takes. In the grid each
column of the table has hyperparameters of its own, as its documentation advises."""

import numpy as np
from split import ways

import myfm

GRID = [{"rank": rank, "n_iter": n_iter, "grouped": True}
        for rank, n_iter in ((4, 200), (8, 200), (16, 200), (32, 200), (8, 500))]
# A training on the flights takes a minute or more.
LARGE_GRID = GRID[1:3]


def models(_split):
    return ["fm"]


def defaults(split, _model):
    return [{"encoding": way, "rank": 8} for way in ways(split.name)]


def grid(split, _model, way):
    points = LARGE_GRID if split.name == "flights" else GRID
    return [{"encoding": way, **point} for point in points]


def run(split, _model, settings):
    settings = dict(settings)
    matrices, fields = split.encoded(settings.pop("encoding"))
    matrices = {part: matrix.astype(np.float64) for part, matrix in matrices.items()}
    kind = myfm.MyFMRegressor if split.regression else myfm.MyFMClassifier
    made = kind(rank=settings.pop("rank"), random_seed=split.seed)
    grouping = fields.tolist() if settings.pop("grouped", False) else None
    made.fit(matrices["train"], split.labels["train"], grouping=grouping, **settings)
    predict = made.predict if split.regression else made.predict_proba
    return split.figures(*(predict(matrices[part], n_workers=1) for part in ("valid", "test")))
