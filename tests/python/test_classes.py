"""Models of several classes beside scikit-learn: the same figures, the same optimum, and digits."""

import csv
import io

import numpy as np
import pytest
import score
from conftest import people
from sklearn import metrics
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss


def close(ours, theirs):
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@pytest.fixture
def probabilities(pairloom):
    """The predicted class of each row, and the probabilities of all classes with their names."""

    def run(line):
        rows = list(csv.reader(io.StringIO(pairloom(f"predict {line}"))))
        names = [name.removeprefix("p_") for name in rows[0][1:]]
        return [row[0] for row in rows[1:]], names, np.array(rows[1:])[:, 1:].astype(float)

    return run


def digits():
    """Pictures of ten digits, an even and an odd half of them."""
    data = load_digits(as_frame=True).frame
    data["target"] = [f"d{digit}" for digit in data["target"]]
    return data[::2], data[1::2]


@pytest.mark.parametrize("weighted", [False, True])
def test_figures(pairloom, probabilities, evaluation, weighted):
    data = people(3000)
    data.to_csv("rows.csv", index=False)
    others = "--ignore bought,spent,income" + (" --weight weight" if weighted else ",weight")
    pairloom(f"train rows.csv --label city --numeric age,debt --multi hobbies=| {others} --epochs 4")
    predicted, names, p = probabilities("model.pairloom rows.csv")
    assert names == sorted(data["city"].unique(), key=lambda name: name.encode())
    y, w = data["city"], data["weight"] if weighted else np.ones(len(data))
    assert predicted == [names[c] for c in p.argmax(1)]
    m = evaluation("model.pairloom rows.csv")
    close(m["weight"], w.sum())
    close(m["log_loss"], log_loss(y, p, labels=names, sample_weight=w))
    close(m["accuracy"], metrics.accuracy_score(y, predicted, sample_weight=w))
    recall = metrics.balanced_accuracy_score(y, predicted, sample_weight=w)
    close(m["balanced_accuracy"], recall)
    f1 = metrics.f1_score(y, predicted, average="macro", sample_weight=w, zero_division=0)
    close(m["macro_f1"], f1)
    area = metrics.roc_auc_score(
        y, p, labels=names, multi_class="ovr", average="macro", sample_weight=w
    )
    close(m["auc"], area)
    truth = (y.to_numpy()[:, None] == np.array(names)).astype(float)
    close(m["brier_score"], np.average(((p - truth) ** 2).sum(1), weights=w))
    shares = np.average(truth, weights=w, axis=0)
    close(m["normalized_entropy"], m["log_loss"] / -(shares * np.log(shares)).sum())
    bins, right = np.minimum((p.max(1) * 15).astype(int), 14), truth[range(len(p)), p.argmax(1)]
    gaps = [abs((w * (p.max(1) - right))[bins == b].sum()) for b in range(15)]
    close(m["expected_calibration_error"], sum(gaps) / w.sum())
    each = metrics.precision_recall_fscore_support(
        y, predicted, labels=names, sample_weight=w, zero_division=0
    )
    for of, precision, recall, f1, weight in zip(m["classes"], *each):
        close([of["precision"] or 0, of["recall"], of["f1"]], [precision, recall, f1])
        close(of["weight"], weight)


def test_the_optimum_of_a_linear_model(pairloom, probabilities):
    train, _ = digits()
    columns = [name for name in train if train[name].nunique() > 1 and name != "target"]
    train = train[[*columns, "target"]]
    train.to_csv("train.csv", index=False)
    x = train[columns].to_numpy()
    x = (x - x.mean(0)) / x.std(0)
    strength = 3.0
    theirs = LogisticRegression(C=1 / strength, max_iter=5000, tol=1e-8).fit(x, train["target"])
    pairloom(
        f"train train.csv --label target --model linear --numeric {','.join(columns)} "
        f"--numeric-transform standard --l2-linear {strength} --no-learn-l2 --valid-fraction 0 "
        "--optimizer adagrad --learning-rate 0.3 --batch-size 899 --epochs 1500"
    )
    _, names, p = probabilities("model.pairloom train.csv")
    expected = theirs.predict_proba(x)
    assert names == list(theirs.classes_)
    np.testing.assert_allclose(p, expected, atol=2e-3)


def test_digits_need_pairs(pairloom, probabilities):
    train, test = digits()
    train.to_csv("train.csv", index=False)
    test.to_csv("test.csv", index=False)
    found = {}
    for model in ["linear", "fm"]:
        pairloom(f"train train.csv --label target --model {model}")
        predicted, names, p = probabilities("model.pairloom test.csv")
        accuracy = metrics.accuracy_score(test["target"], predicted)
        found[model] = accuracy, log_loss(test["target"], p, labels=names)
    x = [half.drop(columns="target").to_numpy() / 16 for half in (train, test)]
    theirs = LogisticRegression(max_iter=1000).fit(x[0], train["target"])
    theirs = log_loss(test["target"], theirs.predict_proba(x[1]))
    assert found["linear"][0] > 0.94 and found["linear"][1] < theirs + 0.05, (found, theirs)
    assert found["fm"][0] > found["linear"][0] and found["fm"][1] < found["linear"][1], found


@pytest.mark.parametrize("settings", ["", "--hash-bits 5", "--optimizer ftrl --l1-factors 5"])
def test_a_page_of_python_reads_classes(pairloom, probabilities, settings):
    people(1500).to_csv("rows.csv", index=False)
    line = "--label city --ignore bought,spent,weight --numeric age,income,debt --multi hobbies=|"
    pairloom(f"train rows.csv {line} --epochs 4 --factors 5 {settings}")
    _, _, p = probabilities("model.pairloom rows.csv")
    with open("rows.csv", newline="") as file:
        expected = np.array(list(score.predict("model.pairloom", csv.DictReader(file))))
    np.testing.assert_allclose(p, expected, rtol=1e-5, atol=1e-7)
