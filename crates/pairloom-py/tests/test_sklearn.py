"""The estimators among scikit-learn's: what is made of estimators, and what is made of settings."""

import pickle

import joblib
import numpy as np
import pytest
from conftest import same_weights
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pairloom import FMClassifier, FMRanker, FMRegressor

#: A model that is trained in no time.
SMALL = dict(factors=4, epochs=8, random_state=0)


def small(**changed):
    return FMClassifier(**{**SMALL, **changed})


def test_a_pipeline_learns_what_a_line_cannot(products):
    X, y = products
    fm = make_pipeline(StandardScaler(), FMClassifier(random_state=0)).fit(X[:250], y[:250])
    line = make_pipeline(StandardScaler(), FMClassifier(model="linear", random_state=0)).fit(X[:250], y[:250])
    assert fm.score(X[250:], y[250:]) > 0.8 > line.score(X[250:], y[250:])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_grid_search(products, n_jobs):
    grid = GridSearchCV(small(), {"model": ["linear", "fm"], "factors": [2, 4]}, cv=2, n_jobs=n_jobs).fit(*products)
    assert grid.best_params_["model"] == "fm"
    assert grid.best_estimator_.factors_.shape[1] == grid.best_params_["factors"]


def test_cross_validation_and_calibration(products, sums):
    scores = cross_val_score(FMRegressor(random_state=0), *sums, cv=3)
    assert scores.shape == (3,) and scores.min() > 0.5
    calibrated = CalibratedClassifierCV(small(), cv=2).fit(*products)
    assert np.allclose(calibrated.predict_proba(products[0]).sum(axis=1), 1)


def test_a_clone_has_the_settings_and_no_weights(products):
    fm = small(l2_factors=2.0, class_weight="balanced").fit(*products)
    copy = clone(fm)
    assert copy.get_params() == fm.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(products[0])
    assert same_weights(copy.fit(*products), fm)


def test_settings_are_set_by_name(products):
    fm = small().set_params(factors=3, model="fwfm", epochs=2).fit(*products)
    assert fm.model_.settings["model"] == "fwfm" and fm.factors_.shape[1] == 3 and len(fm.history_) == 2
    with pytest.raises(ValueError, match="Invalid parameter"):
        fm.set_params(factor=3)


@pytest.mark.parametrize("kind", [FMClassifier, FMRegressor, FMRanker])
@pytest.mark.parametrize("way", ["pickle", "joblib"])
def test_pickles_predict_the_same(products, tmp_path, kind, way):
    X, y = products
    fm = kind(**SMALL).fit(X, y)
    if way == "pickle":
        copy = pickle.loads(pickle.dumps(fm))
    else:
        joblib.dump(fm, tmp_path / "fm.joblib")
        copy = joblib.load(tmp_path / "fm.joblib")
    assert copy.predict(X).tobytes() == fm.predict(X).tobytes()
    assert same_weights(copy, fm) and copy.history_ == fm.history_
    assert copy.factors_.tobytes() == fm.factors_.tobytes()


@pytest.mark.parametrize("kind", [FMClassifier, FMRegressor, FMRanker])
def test_random_state_and_no_thread_decides_the_bits(products, kind):
    fits = [kind(**{**SMALL, "random_state": seed, "n_jobs": jobs}).fit(*products) for seed, jobs in [(3, 1), (3, 2), (4, 2)]]
    assert same_weights(fits[0], fits[1])
    assert not same_weights(fits[0], fits[2])
    one, two = (kind(**{**SMALL, "random_state": np.random.RandomState(7)}).fit(*products) for _ in range(2))
    assert same_weights(one, two)


def test_fitted_attributes(products):
    X, y = products
    fm = small().fit(X, y)
    assert fm.classes_.tolist() == [0, 1] and fm.n_features_in_ == 4
    assert fm.linear_.ndim == 1 and fm.factors_.shape == (len(fm.linear_), 4) and isinstance(fm.bias_, float)
    assert fm.n_iter_ == len(fm.history_) <= 8
    assert [epoch["epoch"] for epoch in fm.history_] == list(range(1, fm.n_iter_ + 1))
    assert {"learning_rate", "train_loss", "valid_log_loss"} <= fm.history_[0].keys()
    assert not hasattr(fm, "feature_names_in_")


def test_names_of_a_frame_are_kept_and_checked(products):
    pd = pytest.importorskip("pandas")
    X, y = products
    frame = pd.DataFrame(X, columns=list("abcd"))
    fm = small().fit(frame, y)
    assert fm.feature_names_in_.tolist() == list("abcd") and fm.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names"):
        fm.predict(frame.rename(columns={"a": "e"}))


LABELS = {
    "strings": np.array(["no", "yes"], dtype=object),
    "numpy strings": np.array(["no", "yes"]),
    "booleans": np.array([False, True]),
    "floats": np.array([-1.0, 2.0]),
    "integers": np.array([3, 10]),
}


@pytest.mark.parametrize("classes", LABELS.values(), ids=LABELS)
def test_labels_of_any_type_come_back(products, classes):
    X, y = products
    fm = FMClassifier(random_state=0).fit(X, classes[y])
    assert fm.classes_.tolist() == classes.tolist()
    assert fm.predict(X).dtype == classes.dtype
    assert fm.score(X, classes[y]) > 0.8
    assert np.array_equal(fm.predict_proba(X)[:, 1] > 0.5, fm.decision_function(X) > 0)
    # The type of labels is none of the model's business.
    assert same_weights(fm, FMClassifier(random_state=0).fit(X, y))


@pytest.mark.parametrize("classes", [np.array(["b", "c", "a"]), np.array([10, 9, 2]), np.array([5.0, 15.0, -1.0])], ids=str)
def test_several_classes_in_their_order(counts, classes):
    X, y = counts
    fm = FMClassifier(random_state=0, epochs=20).fit(X, classes[y])
    probability = fm.predict_proba(X)
    assert fm.classes_.tolist() == sorted(classes.tolist())
    assert probability.shape == (len(y), 3) and np.allclose(probability.sum(axis=1), 1)
    assert fm.score(X, classes[y]) > 0.6
    assert np.array_equal(fm.decision_function(X).argmax(axis=1), probability.argmax(axis=1))
    assert fm.factors_.ndim == 3 and fm.bias_.shape == (3,)


def test_weights_of_rows_shift_what_is_learned(products):
    X, _ = products
    y = np.tile([0, 1], 150)
    heavy = small().fit(X, y, sample_weight=np.where(y == 1, 9.0, 1.0))
    assert small().fit(X, y).predict_proba(X)[:, 1].mean() < 0.7 < heavy.predict_proba(X)[:, 1].mean()


def test_weights_of_classes(products):
    X, y = products
    rare = np.flatnonzero((y == 0) | (np.arange(len(y)) % 5 == 0))
    X, y = X[rare], y[rare]
    plain, balanced, given = (
        small(epochs=20, class_weight=weight).fit(X, y).predict_proba(X)[:, 1].mean()
        for weight in (None, "balanced", {0: 1, 1: 5})
    )
    assert 1.3 * plain < min(balanced, given)
    names = np.array(["no", "yes"])[y]
    by_name = small(epochs=20, class_weight={"no": 1, "yes": 5}).fit(X, names)
    assert by_name.predict_proba(X)[:, 1].mean() == given


def test_a_ranker_orders_the_rows_of_groups(sums):
    X, y = sums
    group = np.arange(len(y)) // 10
    relevance = np.digitize(y, np.quantile(y, [0.3, 0.6, 0.9]))
    fm = FMRanker(random_state=0).fit(X, relevance, group=group)
    assert fm.score(X, relevance, group=group) > 0.85
    assert np.array_equal(fm.predict(X), fm.decision_function(X))
    assert np.corrcoef(fm.predict(X), y)[0, 1] > 0.5
