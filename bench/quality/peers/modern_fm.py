"""modern-fm from PyPI: Rust kernels behind scikit-learn's interface. It is given the validation rows
as `eval_set`, by which it stops early; in the grid with the patience that pairloom has."""

from itertools import product

from split import ways

import modern_fm

CLASSES = {"fm": (modern_fm.FMClassifier, modern_fm.FMRegressor),
           "ffm": (modern_fm.FFMClassifier, modern_fm.FFMRegressor),
           "fwfm": (modern_fm.FwFMClassifier, None)}
RATES = [0.02, 0.1]
# Stronger is worse on each set of classes, and takes minutes.
L2_CLASSES = [1e-5, 1e-3, 1e-2]
L2_NUMBERS = [1e-3, 1e-2, 5e-2, 1e-1]


def models(split):
    return [name for name, classes in CLASSES.items()
            if classes[split.regression] and not (split.name == "wide" and name != "fm")]


def defaults(split, _model):
    return [{"encoding": way} for way in ways(split.name)]


def grid(split, _model, way):
    strengths = L2_NUMBERS if split.regression else L2_CLASSES
    return [{"encoding": way, "learning_rate": rate, "l2_linear": l2, "l2_factors": l2, "patience": 3}
            for rate, l2 in product(RATES, strengths)]


def run(split, model, settings):
    settings = dict(settings)
    matrices, fields = split.encoded(settings.pop("encoding"))
    made = CLASSES[model][split.regression](n_jobs=1, random_state=split.seed, **settings)
    more = {} if model == "fm" else {"field_ids": fields}
    labels = split.labels if split.regression else {
        part: values.astype(int) for part, values in split.labels.items()}
    made.fit(matrices["train"], labels["train"],
             eval_set=(matrices["valid"], labels["valid"]), **more)
    if split.regression:
        return split.figures(*(made.predict(matrices[part]) for part in ("valid", "test")))
    return split.figures(*(made.predict_proba(matrices[part])[:, 1] for part in ("valid", "test")))
