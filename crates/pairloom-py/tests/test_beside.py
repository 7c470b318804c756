"""Labels, weights and groups that lie beside rows, or are named columns of them, over several fits."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import cross_val_score

from pairloom import Dataset, FMClassifier, FMRanker, FMRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
WEIGHT = RNG.integers(0, 3, 400).astype(float)
FRAME = pd.DataFrame(X, columns=list("abc"))
FORMS = {"array": X, "frame": FRAME, "csr": sparse.csr_array(X * (np.abs(X) > 0.5))}
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("form", FORMS)
def test_rows_may_be_measured_with_weights_and_without(form):
    model = FMClassifier(epochs=2).fit(FORMS[form], Y, sample_weight=WEIGHT).model_
    assert model.evaluate(FORMS[form], Y)["weight"] == 400
    figures = model.evaluate(FORMS[form], Y, sample_weight=WEIGHT)
    assert figures["weight"] == WEIGHT.sum()
    p = np.clip(model.predict(FORMS[form]), 1e-15, 1 - 1e-15)
    loss = np.average(np.where(Y == 1, -np.log(p), -np.log1p(-p)), weights=WEIGHT)
    assert figures["log_loss"] == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_a_model_of_rows_without_weights_measures_rows_with_them(form):
    fm = FMClassifier(epochs=2).fit(FORMS[form], Y)
    figures = fm.model_.evaluate(FORMS[form], Y, sample_weight=WEIGHT)
    assert figures["weight"] == WEIGHT.sum()
    assert figures["log_loss"] == pytest.approx(log_loss(Y, fm.predict_proba(FORMS[form]), sample_weight=WEIGHT), rel=1e-6)
    assert figures["accuracy"] == pytest.approx(fm.score(FORMS[form], Y, sample_weight=WEIGHT))
    with pytest.raises(ValueError, match="weight"):
        fm.model_.evaluate(FORMS[form], Y, sample_weight=-WEIGHT)


@pytest.mark.parametrize("form", FORMS)
def test_weights_come_and_go_from_fit_to_fit(form):
    rows = FORMS[form]
    fm = FMClassifier(epochs=1, warm_start=True).fit(rows, Y)
    plain = fm.fit(rows, Y).factors_.copy()
    again = FMClassifier(epochs=1, warm_start=True).fit(rows, Y)
    # A second fit is of the rows as they weigh: one row alone is another model than all.
    one = np.zeros(400)
    one[:40] = 1
    assert not np.allclose(again.fit(rows, Y, sample_weight=one).factors_, plain)
    assert again.fit(rows, Y).n_iter_ >= 1
    assert again.partial_fit(rows, Y, sample_weight=WEIGHT) is again


@pytest.mark.parametrize("form", FORMS)
def test_weights_of_later_rows_count(form):
    def learned(weight):
        fm = FMClassifier().partial_fit(FORMS[form], Y, classes=[0, 1])
        return fm.partial_fit(FORMS[form], Y, sample_weight=weight).linear_.copy()

    assert np.array_equal(learned(None), learned(np.ones(400)))
    assert not np.allclose(learned(None), learned(WEIGHT))


def test_classes_stay_what_they_were():
    fm = FMClassifier().partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"classes are \[0, 1\] since the first rows"):
        fm.partial_fit(X, Y + 1, classes=[1, 2])


def test_a_data_set_has_its_own_labels_and_weights():
    rows = Dataset(FRAME.assign(y=Y, w=WEIGHT), "y", weight="w")
    for said in ({"sample_weight": WEIGHT}, {"y": Y}, {"y": "a"}, {"group": Y}):
        with pytest.raises(ValueError, match="are said when it is made"):
            FMClassifier().fit(rows, **said)
    fm = FMClassifier(epochs=2).fit(rows, "y")
    assert fm.score(FRAME.assign(y=Y, w=WEIGHT)) == fm.score(FRAME.assign(y=Y, w=WEIGHT), "y")


def test_a_column_beside_rows_is_not_one_of_theirs():
    model = FMClassifier(epochs=1).fit(FRAME.assign(y=Y), "y").model_
    with pytest.raises(ValueError, match="column 'y' is there already: give it once"):
        model.evaluate(FRAME.assign(y=Y), 1 - Y)


def test_named_columns_need_not_be_there_to_predict():
    fm = FMClassifier(epochs=1).fit(FRAME.assign(w=WEIGHT), Y, sample_weight="w")
    assert fm.feature_names_in_.tolist() == ["a", "b", "c"]
    assert fm.predict(FRAME).shape == (400,)
    assert FMClassifier().partial_fit(FRAME.assign(y=Y), "y").classes_.tolist() == [0, 1]


def test_series_keep_the_name_that_labels_have():
    fm = FMClassifier().partial_fit(FRAME, pd.Series(Y, name="clicked"))
    fm.partial_fit(FRAME, Y)
    assert fm.model_.label == "clicked"
    fm = FMClassifier(epochs=1, warm_start=True).fit(FRAME, pd.Series(Y, name="weight"), sample_weight=WEIGHT)
    assert fm.fit(FRAME, Y, sample_weight=WEIGHT).model_.label == "weight"


def test_a_ranker_is_measured_by_its_columns():
    rows = FRAME.assign(rel=Y, q=np.arange(400) // 8)
    ranker = FMRanker(epochs=1).fit(rows, "rel", group="q")
    assert ranker.score(rows, "rel", group="q") == ranker.score(FRAME, Y, group=np.arange(400) // 8)
    assert ranker.score(rows) == ranker.score(rows, "rel", group="q")


def test_times_of_a_file_without_header_are_read_once(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("".join(f"{i % 2},2026-01-0{1 + i % 9},{i % 5}\n" for i in range(200)))
    fm = FMClassifier(epochs=1, time={"1": "YYYY-MM-DD"}).fit(path)
    assert fm.predict_proba(path).shape == (200, 2)


def test_numbers_that_lie_askew_are_read(tmp_path):
    path = tmp_path / "numbers"
    path.write_bytes(b"abc" + X.tobytes())
    askew = np.memmap(path, "f8", mode="r", offset=3, shape=X.shape)
    assert not askew.flags.aligned
    fm = FMClassifier(epochs=1).fit(askew, Y)
    assert np.array_equal(fm.predict_proba(askew), FMClassifier(epochs=1).fit(X, Y).predict_proba(X))


def test_true_and_false_in_any_spelling(tmp_path):
    rows = pd.DataFrame({"new": [True, False, True, True] * 25, "clicked": [True, False] * 50})
    fm = FMClassifier(epochs=2).fit(rows, "clicked")
    for spelled in (str.lower, str.upper, str.title):
        path = tmp_path / "rows.csv"
        path.write_text("new,clicked\n" + "".join(f"{spelled(str(a))},{spelled(str(b))}\n" for a, b in rows.values))
        assert np.array_equal(fm.predict_proba(path), fm.predict_proba(rows))
        assert fm.model_.evaluate(path) == fm.model_.evaluate(rows)


@pytest.mark.parametrize("labels", [np.where(Y == 1, "click", "none"), 2 - Y, Y == 1], ids=["words", "numbers", "truth"])
@pytest.mark.parametrize("positive", [None, 0, 1], ids=str)
def test_classes_of_a_column_are_sorted_whichever_is_positive(labels, positive):
    """scikit-learn's figures take them to be."""
    data = FRAME.assign(y=labels)
    positive = None if positive is None else np.unique(labels)[positive]
    fm = FMClassifier(positive=positive, epochs=20).fit(data, "y")
    assert fm.classes_.tolist() == np.unique(labels).tolist()
    for name in ("roc_auc", "neg_log_loss", "accuracy"):
        assert get_scorer(name)(fm, FRAME, labels) > (0.9 if name != "neg_log_loss" else -0.5)
    assert np.array_equal(fm.decision_function(FRAME) > 0, fm.predict(FRAME) == fm.classes_[1])


def test_validation_labels_may_lie_beside_rows_of_any_kind(tmp_path):
    data = FRAME.assign(y=Y)
    file = str(tmp_path / "rows.csv")
    data.to_csv(file, index=False)
    for kind in (FMClassifier, FMRegressor):
        fits = [
            kind(epochs=2).fit(Dataset(data, label="y"), eval_set=(FRAME, Y)),
            kind(epochs=2).fit(data, "y", eval_set=(FRAME, Y)),
            kind(epochs=2).fit(file, "y", eval_set=(FRAME, Y)),
            kind(epochs=2).fit(data, "y", eval_set=(data, "y")),
        ]
        histories = [fm.history_ for fm in fits]
        assert all(history == histories[0] for history in histories[1:])
    with pytest.raises(ValueError, match="are in column 'y', and not in 'z'"):
        FMClassifier().fit(data, "y", eval_set=(data.assign(z=Y), "z"))
    with pytest.raises(ValueError, match="say as y in which column"):
        FMClassifier().fit(file, eval_set=(FRAME, Y))
    with pytest.raises(ValueError, match="eval_set needs its labels beside its rows"):
        FMClassifier().fit(FRAME, Y, eval_set=(data, "y"))


def test_groups_of_a_column_beside_labels_of_an_array():
    data = FRAME.assign(q=np.arange(400) // 10)
    ranker = FMRanker(epochs=2).fit(data, Y, group="q")
    assert ranker.score(data, Y, group="q") == ranker.score(data, Y) == ranker.score(FRAME, Y, group=data.q)


def test_what_is_left_out_is_not_scored():
    data = FRAME.assign(a=np.where(np.arange(400) % 4 == 0, np.inf, X[:, 0]))
    fm = FMClassifier(epochs=5, on_error="skip").fit(data, Y)
    rows = np.arange(400) % 4 != 0
    assert fm.score(data, Y) == np.mean(fm.predict(data) == Y[rows])
    assert np.all(np.isfinite(cross_val_score(fm, data, Y, cv=2)))
