"""A page of Python that reads the model file predicts what the command predicts."""

import csv

import numpy as np
import pytest
import score
from conftest import people

TRANSFORMS = ["piecewise", "spline", "quantile", "standard", "log", "log-square"]


def agrees(model, rows, predictions, rtol=1e-6):
    with open(rows, newline="") as file:
        expected = np.array(list(score.predict(model, csv.DictReader(file))))
    assert len(expected) > 0
    # Scores are of single precision, in units of the standardised target.
    target = score.load(model)[0]["encoding"]["target"]
    atol = rtol * target.get("scale", 1.0)
    np.testing.assert_allclose(predictions(f"{model} {rows}"), expected, rtol=rtol, atol=atol)


def test_demo(pairloom, predictions):
    pairloom("demo --output demo")
    agrees("demo/model.pairloom", "demo/test.csv", predictions)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("hashed", ["", "--hash-bits 5"])
@pytest.mark.parametrize("label, other", [("bought", "spent"), ("spent", "bought")])
def test_every_encoding(pairloom, predictions, transform, hashed, label, other):
    people(1500).to_csv("train.csv", index=False)
    # Other rows, with values never seen and cells left empty.
    odd = people(500, seed=2).astype(object)
    odd.loc[:9, "city"] = "Nowhere"
    odd.loc[5:20, ["city", "income"]] = ""
    odd.loc[30:40, "debt"] = -7e4
    odd.loc[50:60, "income"] = "1e5"
    odd.to_csv("odd.csv", index=False)
    pairloom(
        f"train train.csv --label {label} --ignore {other},weight --numeric age,income,debt "
        f"--categorical city --multi hobbies=| --numeric-transform {transform} {hashed} "
        "--epochs 4 --factors 5 --min-count 3"
    )
    agrees("model.pairloom", "train.csv", predictions)
    agrees("model.pairloom", "odd.csv", predictions)


@pytest.mark.parametrize("how", ["platt", "isotonic", "beta"])
def test_calibration_and_rate_of_negatives(pairloom, predictions, how):
    people(1500).to_csv("train.csv", index=False)
    people(500, seed=2).to_csv("other.csv", index=False)
    line = "train train.csv --label bought --ignore spent,weight --epochs 4 --negative-rate 0.25"
    pairloom(f"{line} --numeric age,income,debt --categorical city --multi hobbies=|")
    agrees("model.pairloom", "other.csv", predictions)
    pairloom(f"calibrate model.pairloom other.csv --method {how} -o calibrated")
    # Between two knots the last bits of a score may be drawn far apart.
    agrees("calibrated", "train.csv", predictions, 1e-4 if how == "isotonic" else 1e-6)


def test_linear_model(pairloom, predictions):
    people(500).to_csv("rows.csv", index=False)
    line = "train rows.csv --label bought --ignore spent,weight --factors 0 --epochs 2"
    pairloom(f"{line} --numeric age,income,debt --categorical city --multi hobbies=|")
    agrees("model.pairloom", "rows.csv", predictions)
