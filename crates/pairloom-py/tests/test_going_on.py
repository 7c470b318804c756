"""Training that is watched, stopped, checked on other rows, and gone on with."""

import pickle
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import same_weights
from scipy import sparse

from pairloom import Dataset, FMClassifier, FMRanker, FMRegressor


def test_warm_start_goes_on_from_the_weights(products):
    X, y = products
    fm = FMClassifier(warm_start=True, epochs=2, valid_fraction=0.0, random_state=0).fit(X, y)
    first, fields = fm.history_, fm.model_.fields
    fm.fit(X, y)
    assert fm.history_[0]["train_loss"] < first[0]["train_loss"]
    assert fm.history_[-1]["train_loss"] < first[-1]["train_loss"]
    assert fm.model_.fields == fields
    # Other rows do not change what is known of columns.
    fm.fit(X[:50] * 2, y[:50])
    assert fm.model_.fields == fields


def test_without_warm_start_a_fit_begins_anew(products):
    fm = FMClassifier(epochs=2, random_state=0).fit(*products)
    before = fm.factors_.copy()
    assert np.array_equal(fm.fit(*products).factors_, before)


def test_partial_fit_learns_from_a_stream(products):
    X, y = products
    fm = FMClassifier(random_state=0)
    losses = []
    for _ in range(15):
        for rows in np.array_split(np.arange(len(y)), 3):
            fm.partial_fit(X[rows], y[rows], classes=[0, 1])
        losses.append(fm.model_.evaluate(X, y)["log_loss"])
    assert losses[-1] < 0.9 * losses[0]


def test_partial_fit_of_a_regressor_with_weights(sums):
    X, y = sums
    fm = FMRegressor(random_state=0)
    for _ in range(20):
        fm.partial_fit(X, y, sample_weight=np.ones(len(y)))
    assert fm.score(X, y) > 0.5


@pytest.mark.parametrize("classes", [["a", "b", "c"], [2, 5, 11]], ids=str)
def test_classes_may_come_later(counts, classes):
    X, y = counts
    labels = np.array(classes)[y]
    early = np.flatnonzero(y < 2)
    fm = FMClassifier(random_state=0, hash_bits=8).partial_fit(X[early], labels[early], classes=classes)
    assert fm.classes_.tolist() == classes and fm.predict_proba(X).shape == (len(y), 3)
    for _ in range(10):
        fm.partial_fit(X, labels)
    assert fm.score(X, labels) > 0.6
    with pytest.raises(ValueError, match="none of the classes"):
        fm.partial_fit(X, np.full(len(y), labels[0] * 3))


def test_partial_fit_knows_hashed_values_that_come_later():
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    early = pd.DataFrame({"city": list("aabb") * 10})
    late = pd.DataFrame({"city": list("ccdd") * 10})
    y = np.tile([0, 0, 1, 1], 10)
    hashed, listed = (FMClassifier(random_state=0, categorical=["city"], **how) for how in ({"hash_bits": 8}, {}))
    for fm in (hashed, listed):
        fm.partial_fit(early, y, classes=[0, 1])
        for _ in range(20):
            fm.partial_fit(late, y)
    of_hashed, of_listed = (fm.predict_proba(late)[:, 1] for fm in (hashed, listed))
    assert of_hashed[2] - of_hashed[0] > 0.1
    assert of_listed[2] == of_listed[0]


def test_partial_fit_goes_on_after_fit(products):
    X, y = products
    fm = FMClassifier(epochs=2, random_state=0).fit(X, y)
    before = fm.factors_.copy()
    for passes in (1, 2):
        fm.partial_fit(X, y)
        assert fm.n_iter_ == len(fm.history_) == fm.model_.epoch == passes
    assert fm.factors_.shape == before.shape and not np.array_equal(fm.factors_, before)


def test_callbacks_hear_each_epoch_and_may_stop(products):
    heard, others = [], []
    fm = FMClassifier(epochs=6, patience=0, callbacks=others.append, random_state=0)
    fm.fit(*products, callbacks=[heard.append, lambda epoch: epoch["epoch"] < 3])
    assert [epoch["epoch"] for epoch in heard] == [1, 2, 3]
    assert heard == others == fm.history_


@pytest.mark.parametrize("raised", [ZeroDivisionError, KeyboardInterrupt, StopIteration])
def test_what_a_callback_raises_comes_through(products, raised):
    def callback(epoch):
        raise raised("from the callback")

    with pytest.raises(raised, match="from the callback"):
        FMClassifier().fit(*products, callbacks=callback)


@pytest.mark.parametrize("answer", [None, True, 1, "yes", [], np.bool_(True)], ids=repr)
def test_only_false_stops(products, answer):
    fm = FMClassifier(epochs=2, random_state=0).fit(*products, callbacks=lambda epoch: answer)
    assert len(fm.history_) == 2


def test_an_eval_set_stops_the_training(products):
    X, y = products
    rows = slice(200, None)
    fm = FMClassifier(random_state=0).fit(X[:200], y[:200], eval_set=(X[rows], y[rows]))
    best = min(fm.history_, key=lambda epoch: epoch["valid_log_loss"])
    assert fm.model_.epoch == best["epoch"]
    assert fm.model_.evaluate(X[rows], y[rows])["log_loss"] == pytest.approx(best["valid_log_loss"], rel=1e-6)
    listed = FMClassifier(random_state=0).fit(X[:200], y[:200], eval_set=[(X[rows], y[rows])])
    assert same_weights(fm, listed)


def test_an_eval_set_with_weights(products):
    X, y = products
    weight = np.linspace(0.1, 3, len(y))
    fm = FMClassifier(random_state=0)
    fm.fit(X[:200], y[:200], sample_weight=weight[:200], eval_set=(X[200:], y[200:], weight[200:]))
    measured = fm.model_.evaluate(X[200:], y[200:])["log_loss"]
    kept = fm.history_[fm.model_.epoch - 1]["valid_log_loss"]
    p = fm.predict_proba(X[200:])[:, 1]
    by_hand = np.average(-np.log(np.where(y[200:] == 1, p, 1 - p)), weights=weight[200:])
    assert kept == pytest.approx(by_hand, rel=1e-5) and abs(kept - measured) > 1e-4
    with pytest.raises(ValueError, match="weigh both or none"):
        FMClassifier().fit(X, y, eval_set=(X, y, weight))


def test_an_eval_set_of_frames(products):
    pd = pytest.importorskip("pandas")
    X, y = products
    frame = pd.DataFrame(X, columns=list("abcd"))
    with_label = frame.assign(label=y)
    one = FMClassifier(random_state=0).fit(with_label[:200], "label", eval_set=with_label[200:])
    other = FMClassifier(random_state=0).fit(frame[:200], y[:200], eval_set=(frame[200:], y[200:]))
    third = FMClassifier(random_state=0).fit(with_label[:200], "label", eval_set=(with_label[200:], "label"))
    assert one.history_ == other.history_ == third.history_
    assert same_weights(one, other) and same_weights(one, third)


def test_an_eval_set_may_be_sparse_in_another_form(counts):
    X, y = counts
    one, other = (FMClassifier(random_state=0, epochs=5) for _ in range(2))
    one.fit(X[:200], y[:200], eval_set=(X[200:], y[200:]))
    other.fit(X[:200], y[:200], eval_set=(sparse.coo_array(X[200:]), y[200:]))
    assert one.history_ == other.history_ and same_weights(one, other)


def test_a_ranker_has_an_eval_set_with_groups(sums):
    X, y = sums
    relevance, group = (y > 0).astype(int), np.arange(len(y)) // 10
    fm = FMRanker(random_state=0, epochs=5)
    fm.fit(X[:150], relevance[:150], group=group[:150], eval_set=(X[150:], relevance[150:], group[150:]))
    assert any(name.startswith("valid_") for name in fm.history_[0])
    assert fm.score(X[150:], relevance[150:], group=group[150:]) > 0.7


def test_progress_is_on_standard_error_only(products, capfd):
    X, y = products
    FMClassifier(epochs=2).fit(X, y)
    assert capfd.readouterr() == ("", "")
    FMClassifier(epochs=2, verbose=True).fit(X, y)
    Dataset(X, y=y, verbose=True)
    out, err = capfd.readouterr()
    assert out == "" and "epoch 1" in err and "epoch 2" in err


def test_progress_without_tqdm_is_a_plain_line(products, capfd, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    FMClassifier(epochs=2, verbose=True).fit(*products)
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") >= 2 and "loss" in err


@pytest.mark.parametrize("kind", [FMClassifier, FMRegressor])
def test_what_fails_leaves_what_was_learned(products, kind):
    X, y = products

    def stop(_):
        raise KeyboardInterrupt

    fm = kind(epochs=2, random_state=0).fit(X, y)
    before, known = fm.predict(X), fm.n_features_in_
    names = np.where(y == 1, "yes", "no") if kind is FMClassifier else y + 1.0
    with pytest.raises(KeyboardInterrupt):
        fm.fit(X[:, :1], names, callbacks=stop)
    with pytest.raises(ValueError):
        fm.fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError):
        fm.partial_fit(X[:, :1], y)
    assert fm.n_features_in_ == known and np.array_equal(fm.predict(X), before)
    new = kind(epochs=2)
    with pytest.raises(KeyboardInterrupt):
        new.fit(X, y, callbacks=stop)
    assert not any(name.endswith("_") for name in vars(new))
    new.partial_fit(X, y + 5)


def test_settings_of_a_model_that_goes_on(products):
    X, y = products

    def learned(rate):
        fm = FMClassifier(learning_rate=0.05, random_state=0).partial_fit(X, y)
        return fm.set_params(learning_rate=rate).partial_fit(X, y).linear_.copy()

    first = FMClassifier(learning_rate=0.05, random_state=0).partial_fit(X, y).linear_
    assert np.allclose(learned(1e-9), first, atol=1e-6) and not np.allclose(learned(0.05), first, atol=1e-3)
    fm = FMClassifier().partial_fit(X, y)
    for name, value in dict(factors=4, model="linear", optimizer="sgd", class_weight={0: 2.0}, batch_size=1).items():
        with pytest.raises(ValueError, match=f"{name} was None for the first rows and is"):
            fm.set_params(**{name: value}).partial_fit(X, y)
        fm.set_params(**{name: None})
    with pytest.raises(ValueError, match="learning_rate"):
        fm.set_params(learning_rate=-1.0).partial_fit(X, y)
    with pytest.raises(ValueError, match="learning_rate was 0.05 up to now"):
        FMClassifier(learning_rate=0.05).partial_fit(X, y).set_params(learning_rate=None).partial_fit(X, y)


def test_a_callback_may_answer_with_a_truth_value_of_numpy(products):
    fm = FMClassifier(epochs=6, patience=0).fit(*products, callbacks=lambda epoch: np.float64(epoch["epoch"]) < 2)
    assert fm.n_iter_ == 2


def test_odd_weights_are_told_of(products):
    X, y = products
    with pytest.warns(UserWarning, match=r"weigh .* in the mean"):
        FMClassifier(epochs=1).fit(X, y, sample_weight=np.full(len(y), 1 / len(y)))


def test_partial_fit_tells_of_its_first_rows_what_fit_does(products):
    X, y = products
    data, weight = pd.DataFrame(X, columns=list("abcd")).assign(n=range(1, len(y) + 1)), np.full(len(y), 1 / len(y))

    def told(learn):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            learn(data, y, sample_weight=weight)
        assert all(warning.filename == __file__ for warning in caught)
        return [str(warning.message) for warning in caught]

    stream = FMClassifier()
    first = told(stream.partial_fit)
    assert first == told(FMClassifier(epochs=1, valid_fraction=0.0).fit)
    assert "'n' is left out" in first[0] and "in the mean" in first[1] and len(first) == 2
    assert told(stream.partial_fit) == []


def test_weights_of_classes_of_any_name(products):
    X, y = products
    names = np.array(["Paris, France", "a=5,b"])[y]
    fm = FMClassifier(epochs=3, random_state=0, class_weight={"Paris, France": 4.0}).fit(X, names)
    beside = FMClassifier(epochs=3, random_state=0, class_weight={0: 4.0}).fit(X, y)
    assert np.array_equal(fm.predict_proba(X), beside.predict_proba(X))
    again = pickle.loads(pickle.dumps(fm))
    assert again.model_.settings["class_weight"] == {"Paris, France": 4.0}
    assert np.array_equal(again.predict_proba(X), fm.predict_proba(X))
    assert np.array_equal(
        FMClassifier(epochs=3, random_state=0, class_weight={}).fit(X, y).predict(X),
        FMClassifier(epochs=3, random_state=0).fit(X, y).predict(X),
    )
    for wrong in ({0: np.nan}, {0: 2.0, "0": 5.0}, {0: np.inf}):
        with pytest.raises(ValueError, match="class_weight|same class"):
            FMClassifier(class_weight=wrong).fit(X, y)
    with pytest.raises(ValueError, match="the weight of '0' is 0"):
        FMClassifier(class_weight={0: 0.0}).fit(X, y)


def test_two_threads_may_go_on_with_one_estimator(products):
    X, y = (np.tile(of, (300,) + (1,) * (of.ndim - 1)) for of in products)
    fm = FMClassifier(learning_rate=0.01, random_state=0).partial_fit(X, y)
    # Each of them asks for the rate while the other learns.
    rates = iter([0.02, 0.03, 0.04, 0.05] * 10)

    def go_on():
        for _ in range(10):
            fm.set_params(learning_rate=next(rates)).partial_fit(X, y)

    threads = [threading.Thread(target=go_on, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)


def test_a_pass_that_fails_is_not_forgotten(products):
    X, y = products
    data = pd.DataFrame({"c": np.where(X[:, 0] > 0, "a", "b")})
    fm = FMClassifier(random_state=0).partial_fit(data, y)
    before = fm.predict_proba(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="none that the model knows"):
            fm.partial_fit(data.assign(c="new"), y)
    # It has learned from them: what it predicts is what the next rows go on from.
    assert not np.array_equal(fm.predict_proba(data), before)
