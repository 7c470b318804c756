"""What pandas and scikit-learn write is read."""

import numpy as np
import pandas as pd
import pytest
from conftest import people
from sklearn.datasets import dump_svmlight_file

COLUMNS = "--numeric age,income,debt --categorical city --multi hobbies=| --ignore weight,spent"
TRAIN = f"--label bought {COLUMNS} --epochs 2 --valid-fraction 0"


def model_of(pairloom, rows, flags=""):
    pairloom(f"train {rows} {TRAIN} {flags} -o model")
    with open("model", "rb") as file:
        return file.read()


def test_forms_of_to_csv(pairloom):
    data = people(800)
    data.to_csv("plain.csv", index=False)
    expected = model_of(pairloom, "plain.csv")
    data.to_csv("quoted.csv", index=False, quoting=1)
    data.to_csv("packed.csv.gz", index=False)
    data.to_csv("crlf.csv", index=False, lineterminator="\r\n")
    data.to_csv("marked.csv", index=False, encoding="utf-8-sig")
    data.to_csv("missing.csv", index=False, na_rep="NaN")
    for twin in ["quoted.csv", "packed.csv.gz", "crlf.csv", "marked.csv", "missing.csv"]:
        assert model_of(pairloom, twin) == expected, twin


@pytest.mark.parametrize("sep, name", [("\t", "rows.tsv"), (";", "rows.csv"), ("\t", "rows.txt")])
def test_delimiters(pairloom, predictions, sep, name):
    data = people(300)
    data.to_csv("plain.csv", index=False)
    data.to_csv(name, index=False, sep=sep)
    model_of(pairloom, "plain.csv")
    expected = predictions("model plain.csv")
    model_of(pairloom, name)
    assert (predictions(f"model {name}") == expected).all()


def test_an_index(pairloom, predictions):
    data = people(300)
    data.to_csv("plain.csv", index=False)
    data.to_csv("named.csv", index_label="row")
    data.to_csv("unnamed.csv")
    model_of(pairloom, "plain.csv")
    expected = predictions("model plain.csv")
    assert (predictions("model named.csv") == expected).all()
    model_of(pairloom, "named.csv", "--ignore row")
    assert (predictions("model plain.csv") == expected).all()
    # A column without a name goes by its number, and row numbers are left out.
    assert (predictions("model unnamed.csv") == expected).all()
    model_of(pairloom, "unnamed.csv")
    assert (predictions("model plain.csv") != expected).sum() == 0


def test_missing_values(pairloom, predictions):
    frame = pd.DataFrame({
        "x": [1.5, np.nan, 3.0, 4.5] * 50,
        "kind": ["a", None, "b", "a"] * 50,
        "label": [True, False, True, False] * 50,
    })
    frame.to_csv("rows.csv", index=False)
    pairloom("train rows.csv --label label --numeric x --epochs 30 --valid-fraction 0")
    p = predictions("model.pairloom rows.csv")
    assert len(p) == 200 and p[0] > 0.5 > p[1], "True is the positive label"


@pytest.mark.parametrize("zero_based", [True, False])
def test_dump_svmlight_file(pairloom, predictions, evaluation, zero_based):
    random = np.random.default_rng(3)
    x = random.normal(size=(400, 12)) * (random.random((400, 12)) < 0.4)
    y = np.where(x[:, 0] - x[:, 1] > 0, 1, -1)
    dump_svmlight_file(x, y, "rows.svm", zero_based=zero_based, comment="by scikit-learn")
    groups = random.integers(0, 30, 400)
    dump_svmlight_file(x, y, "groups.svm", zero_based=zero_based, query_id=groups)
    pairloom("train rows.svm --epochs 30 --min-count 1 --learning-rate 0.1")
    assert len(predictions("model.pairloom rows.svm")) == 400
    assert evaluation("model.pairloom rows.svm")["auc"] > 0.9
    pairloom("train groups.svm --epochs 2 -o groups.model")
    assert len(predictions("groups.model groups.svm")) == 400
