"""Calibrations are those that scikit-learn fits to the same probabilities."""

import json

import numpy as np
import pytest
from conftest import people
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

FEATURES = "--numeric age,income,debt --categorical city --multi hobbies=|"


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def fitted(request, pairloom, predictions):
    """A model, and its probabilities with labels and weights of rows that are held out."""
    people(3000).to_csv("train.csv", index=False)
    held_out = people(2000, seed=2)
    held_out.to_csv("held_out.csv", index=False)
    people(1500, seed=3).to_csv("test.csv", index=False)
    weight = "--weight weight --ignore spent" if request.param else "--ignore weight,spent"
    # Far off, so that there is something to calibrate.
    pairloom(f"train train.csv --label bought {weight} {FEATURES} --epochs 3 --class-weight 1=6")
    p, y = predictions("model.pairloom held_out.csv"), held_out["bought"].to_numpy()
    w = held_out["weight"].to_numpy() if request.param else np.ones(len(y))
    return p, y, w


def calibrated(pairloom, predictions, method):
    line = f"calibrate model.pairloom held_out.csv --method {method} -o calibrated --json"
    return json.loads(pairloom(line)), predictions("calibrated test.csv")


def smoothed(y, w):
    """The labels of positives and negatives that Platt 1999 has."""
    positive, negative = w[y == 1].sum(), w[y == 0].sum()
    return 1 / (negative + 2), (positive + 1) / (positive + 2)


def regression(x, y, w):
    """Logistic regression on smoothed labels: each row is one of either class, weighted by them."""
    low, high = smoothed(y, w)
    labels = np.where(y == 1, high, low)
    model = LogisticRegression(C=1e12, solver="newton-cholesky", tol=1e-13, max_iter=1000)
    both = np.repeat([1, 0], len(y))
    return model.fit(np.vstack([x, x]), both, np.concatenate([w * labels, w * (1 - labels)]))


def columns(p, method):
    if method == "platt":
        return np.log(p / (1 - p))[:, None]
    return np.column_stack([np.log(p), -np.log(1 - p)])


@pytest.mark.parametrize("method", ["platt", "beta"])
def test_platt_and_beta(pairloom, predictions, fitted, method):
    p, y, w = fitted
    theirs = regression(columns(p, method), y, w)
    assert (theirs.coef_ > 0).all(), "nothing to leave out"
    found, ours = calibrated(pairloom, predictions, method)
    names = ["slope", "intercept"] if method == "platt" else ["a", "b", "c"]
    parameters = [found["calibration"][name] for name in names]
    np.testing.assert_allclose(parameters, [*theirs.coef_[0], *theirs.intercept_], rtol=1e-4, atol=1e-5)
    test = columns(predictions("model.pairloom test.csv"), method)
    np.testing.assert_allclose(ours, theirs.predict_proba(test)[:, 1], rtol=1e-5, atol=1e-7)


def test_isotonic(pairloom, predictions, fitted):
    p, y, w = fitted
    low, high = smoothed(y, w)
    theirs = IsotonicRegression(y_min=low, y_max=high, out_of_bounds="clip").fit(p, y, w)
    _, ours = calibrated(pairloom, predictions, "isotonic")
    expected = theirs.predict(predictions("model.pairloom test.csv"))
    np.testing.assert_allclose(ours, expected, rtol=1e-9)
    assert len(np.unique(np.round(ours, 9))) > 10


@pytest.mark.parametrize("method", ["platt", "isotonic", "beta"])
def test_what_it_brings(pairloom, predictions, evaluation, fitted, method):
    found, _ = calibrated(pairloom, predictions, method)
    evaluated = evaluation("calibrated held_out.csv")
    assert found["after"] == {name: evaluated[name] for name in found["after"]}
    before, after = evaluation("model.pairloom test.csv"), evaluation("calibrated test.csv")
    assert after["log_loss"] < 0.9 * before["log_loss"]
    assert after["expected_calibration_error"] < 0.5 * before["expected_calibration_error"]


def test_segments(pairloom, predictions, evaluation, fitted):
    _, y, w = fitted
    rows = people(2000, seed=2)
    m = evaluation("model.pairloom held_out.csv --segment city,age --top 3")
    city = m["segments"]["city"]
    p = predictions("model.pairloom held_out.csv")
    sums = {name: w[rows["city"] == name].sum() for name in rows["city"].unique()}
    assert [s.get("value") for s in city] == [*sorted(sums, key=sums.get)[:-4:-1], None]
    for s in city[:3]:
        mine = (rows["city"] == s["value"]).to_numpy()
        assert s["mean_prediction"] == pytest.approx(np.average(p[mine], weights=w[mine]))
        assert s["mean_label"] == pytest.approx(np.average(y[mine], weights=w[mine]))
    age = m["segments"]["age"]
    assert [set(s) & {"from", "missing"} for s in age] == [{"from"}] * 3 + [{"missing"}]
    assert sum(s["rows"] for s in age) == len(rows)
