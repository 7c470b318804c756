"""Write metrics.json: random evaluations and what scikit-learn says of them.

    python make_metrics.py > metrics.json        (numpy 2.4, scikit-learn 1.9)

Expected calibration error and normalized entropy are not in scikit-learn; their
definitions are written out below in numpy. None stands for an undefined figure.
"""

import json
import sys

import numpy as np
from sklearn import metrics

BINS = 15


def calibration(p, y, w, bins=BINS):
    index = np.minimum(np.floor(p * bins).astype(int), bins - 1)
    rows = []
    for b in range(bins):
        here = (index == b) & (w > 0)
        if here.any():
            rows.append(
                [
                    b / bins,
                    (b + 1) / bins,
                    np.average(p[here], weights=w[here]),
                    np.average(y[here], weights=w[here]),
                    w[here].sum(),
                ]
            )
    return rows


def binary(name, p, y, w, threshold=0.5):
    ones = np.ones(len(p)) if w is None else w.astype(np.float64)
    rate = np.average(y, weights=ones)
    both = 0 < rate < 1
    loss = metrics.log_loss(y, p, sample_weight=ones, labels=[0, 1])
    bins = calibration(p, y, ones)
    guess = p >= threshold
    positive, predicted = ones[y == 1].sum(), ones[guess].sum()
    keep = ones > 0
    roc = None
    if both:
        fpr, tpr, _ = metrics.roc_curve(
            y[keep], p[keep], sample_weight=ones[keep], drop_intermediate=False
        )
        roc = np.stack([fpr, tpr], axis=1).tolist()
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)) if both else None
    expected = {
        "rows": len(p),
        "weight": ones.sum(),
        "log_loss": loss,
        "auc": metrics.roc_auc_score(y, p, sample_weight=ones) if both else None,
        "accuracy": metrics.accuracy_score(y, guess, sample_weight=ones),
        "normalized_entropy": loss / entropy if both else None,
        "expected_calibration_error": sum(b[4] * abs(b[2] - b[3]) for b in bins)
        / ones.sum(),
        "brier_score": metrics.brier_score_loss(
            y, p, sample_weight=ones, pos_label=1, labels=[0, 1]
        ),
        "precision": metrics.precision_score(y, guess, sample_weight=ones)
        if predicted > 0
        else None,
        "recall": metrics.recall_score(y, guess, sample_weight=ones)
        if positive > 0
        else None,
        "threshold": threshold,
    }
    return {
        "name": name,
        "score": p.tolist(),
        "truth": y.tolist(),
        "sample_weight": None if w is None else w.tolist(),
        "expected": expected,
        "roc": roc,
        "calibration": bins,
    }


def regression(name, prediction, target, w):
    ones = np.ones(len(target)) if w is None else w.astype(np.float64)
    truth = target.astype(np.float64)
    varies = len(np.unique(truth[ones > 0])) > 1
    expected = {
        "rows": len(target),
        "weight": ones.sum(),
        "rmse": metrics.root_mean_squared_error(truth, prediction, sample_weight=ones),
        "mae": metrics.mean_absolute_error(truth, prediction, sample_weight=ones),
        "r2": metrics.r2_score(truth, prediction, sample_weight=ones)
        if varies
        else None,
    }
    return {
        "name": name,
        "score": prediction.tolist(),
        "truth": target.tolist(),
        "sample_weight": None if w is None else w.tolist(),
        "expected": expected,
    }


def main():
    rng = np.random.default_rng(20240611)

    def labels(p):
        return (rng.random(len(p)) < p).astype(np.float32)

    def weights(n, zero=0.0):
        w = rng.gamma(1.5, 1.0, n).astype(np.float32)
        w[rng.random(n) < zero] = 0
        return w

    p = rng.random(120)
    yield binary("plain", p, labels(p), None)
    p = rng.integers(0, 8, 150) / 7
    yield binary("ties", p, labels(0.2 + 0.6 * p), None)
    yield binary("ties with weights", p, labels(0.2 + 0.6 * p), weights(150))
    p = rng.random(130)
    yield binary("zero weights", p, labels(p), weights(130, zero=0.4), threshold=0.3)
    p = rng.choice([0.0, 1.0, 1e-300, 1e-20, 1e-12, 0.5, 1 - 2**-53], 100)
    yield binary("extreme", p, (rng.random(100) < 0.5).astype(np.float32), weights(100))
    p = 0.05 * rng.random(200)
    y = np.zeros(200, np.float32)
    y[:3] = 1
    yield binary("imbalanced", p, y, weights(200, zero=0.1), threshold=0.02)
    yield binary("nothing predicted positive", p, y, None)
    p = rng.random(40)
    yield binary("only negatives", p, np.zeros(40, np.float32), None)
    yield binary("only positives", p, np.ones(40, np.float32), weights(40))
    y = labels(p)
    yield binary("one class has weight", p, y, y)
    yield binary("one row", np.array([0.25]), np.ones(1, np.float32), None)

    target = rng.normal(3, 5, 150).astype(np.float32)
    prediction = target + rng.normal(0, 1, 150)
    yield regression("plain regression", prediction, target, None)
    yield regression("weighted regression", prediction, target, weights(150, zero=0.3))
    far = (1e6 + rng.normal(0, 1, 150)).astype(np.float32)
    yield regression("far from zero", far + rng.normal(0, 0.3, 150), far, weights(150))
    yield regression("worse than the mean", -prediction, target, None)
    flat = np.full(30, 0.1, np.float32)
    yield regression("constant target", flat + rng.normal(0, 1, 30), flat, weights(30))


json.dump(list(main()), sys.stdout, allow_nan=False)
sys.stdout.write("\n")
