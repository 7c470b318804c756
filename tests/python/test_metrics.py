"""The metrics that the command prints are scikit-learn's for the predictions that it prints."""

import numpy as np
import pytest
from conftest import people
from sklearn import metrics

FEATURES = "--numeric age,income,debt --categorical city --multi hobbies=|"


def close(ours, theirs):
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_binary(pairloom, predictions, evaluation, weighted):
    data = people(3000)
    data.to_csv("rows.csv", index=False)
    weight = "--weight weight --ignore spent" if weighted else "--ignore weight,spent"
    pairloom(f"train rows.csv --label bought {weight} {FEATURES} --epochs 3")
    p, y = predictions("model.pairloom rows.csv"), data["bought"].to_numpy()
    w = data["weight"].to_numpy() if weighted else np.ones(len(data))
    m = evaluation("model.pairloom rows.csv")
    assert m["rows"] == len(data) and 0.6 < m["auc"] < 1
    close(m["weight"], w.sum())
    close(m["log_loss"], metrics.log_loss(y, p, sample_weight=w))
    close(m["auc"], metrics.roc_auc_score(y, p, sample_weight=w))
    close(m["brier_score"], metrics.brier_score_loss(y, p, sample_weight=w))
    close(m["accuracy"], metrics.accuracy_score(y, p >= 0.5, sample_weight=w))
    close(m["precision"], metrics.precision_score(y, p >= 0.5, sample_weight=w))
    close(m["recall"], metrics.recall_score(y, p >= 0.5, sample_weight=w))
    base = np.full(len(y), np.average(y, weights=w))
    entropy = metrics.log_loss(y, base, sample_weight=w)
    close(m["normalized_entropy"], m["log_loss"] / entropy)
    bins = np.minimum((p * 15).astype(int), 14)
    gaps = [abs((w * (p - y))[bins == b].sum()) for b in range(15)]
    close(m["expected_calibration_error"], sum(gaps) / w.sum())


@pytest.mark.parametrize("weighted", [False, True])
def test_regression(pairloom, predictions, evaluation, weighted):
    data = people(2000)
    data.to_csv("rows.csv", index=False)
    weight = "--weight weight --ignore bought" if weighted else "--ignore weight,bought"
    pairloom(f"train rows.csv --label spent {weight} {FEATURES} --epochs 5")
    p = predictions("model.pairloom rows.csv")
    # Targets are kept in single precision.
    y = data["spent"].to_numpy().astype(np.float32).astype(float)
    w = data["weight"].to_numpy() if weighted else np.ones(len(data))
    m = evaluation("model.pairloom rows.csv")
    assert m["rows"] == len(data) and m["r2"] > 0.3
    close(m["rmse"], np.sqrt(metrics.mean_squared_error(y, p, sample_weight=w)))
    close(m["mae"], metrics.mean_absolute_error(y, p, sample_weight=w))
    close(m["r2"], metrics.r2_score(y, p, sample_weight=w))


def test_validation_metrics_of_training(pairloom, evaluation):
    import json

    data = people(2000)
    data[:1500].to_csv("train.csv", index=False)
    data[1500:].to_csv("valid.csv", index=False)
    line = f"train train.csv --valid valid.csv --label bought --ignore spent,weight {FEATURES}"
    end = json.loads(pairloom(f"{line} --epochs 4 --json").splitlines()[-1])
    evaluated = evaluation("model.pairloom valid.csv")
    assert end["valid"] == {name: evaluated[name] for name in end["valid"]}
