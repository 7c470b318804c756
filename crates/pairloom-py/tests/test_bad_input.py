"""Whatever is wrong is an exception of the kind that scikit-learn's users expect, and says what to do."""

import re
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from pairloom import Dataset, FMClassifier, FMRanker, FMRegressor, Model, default_settings, plot_learning_curves

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")

QUICK = {"epochs": 1, "factors": 2, "random_state": 0}
#: What is expected of users' mistakes. Of a training that diverges it is FloatingPointError.
MISTAKES = (ValueError, TypeError, OSError, FloatingPointError)


def rows(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (X[:, 0] > 0).astype(int)


def frame():
    X, y = rows()
    return pd.DataFrame(X, columns=list("abc")).assign(d=list("uvwx") * 10, y=y)


def told(error):
    """Whether a message is one for users of Python."""
    text = str(error)
    assert text and "defect" not in text and "panic" not in text, text
    assert not re.search(r"(^|[\s'(])--[a-z]", text), text
    assert "usize" not in text and "failed to extract" not in text, text


def refused(call, kinds=MISTAKES, match=None):
    with pytest.raises(kinds, match=match) as raised:
        call()
    told(raised.value)


def refused_or_done(call):
    try:
        call()
    except MISTAKES as error:
        told(error)


WRONG = [object(), [], {}, "no such", -1, 0, 1.5, float("nan"), 10**30, True, b"x", np.array([1, 2]), {"a": 1}, ["a"], "", "\0"]
PARAMETERS = [name for name in FMClassifier().get_params() if name not in ("verbose", "warm_start")]


@pytest.mark.parametrize("name", PARAMETERS)
def test_no_value_of_a_parameter_is_a_defect(name):
    for value in WRONG:
        refused_or_done(lambda: FMClassifier(**{**QUICK, name: value}).fit(frame(), "y"))


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_no_object(name):
    wrong = object()
    # What a label is called may be anything that has a text.
    if name != "positive":
        refused(lambda: FMClassifier(**{**QUICK, name: wrong}).fit(frame(), "y"))


@pytest.mark.parametrize("name", default_settings().keys() - {"seed", "class_weight", "memory"})
def test_a_setting_that_is_wrong_is_named(name):
    for wrong in ("no such", [1], float("inf")):
        refused(lambda: FMClassifier(**{**QUICK, name: wrong}).fit(frame(), "y"), ValueError, name)


DATASET = ["label", "y", "weight", "group", "sample_weight", "format", "delimiter", "header", "loss", "cache", "on_error"]
SAID = ["n_jobs", "categorical", "numeric", "multi", "transforms", "time", "ignore", "item", "trials", "fields", "preset"]


@pytest.mark.parametrize("name", [*DATASET, *SAID, "schema"])
def test_keywords_of_a_data_set(name):
    for value in WRONG:
        refused_or_done(lambda: Dataset(frame(), **{**({} if name == "y" else {"label": "y"}), name: value}))
    refused(lambda: Dataset(frame(), **{**({} if name == "y" else {"label": "y"}), name: object()}))


@pytest.fixture(scope="module")
def model():
    return FMClassifier(**QUICK).fit(frame(), "y").model_


METHODS = {
    "predict": ["n_jobs", "on_error"],
    "scores": ["n_jobs", "on_error"],
    "evaluate": ["y", "sample_weight", "group", "threshold", "at", "n_jobs"],
    "explain": ["which", "class_name"],
    "importance": ["y", "sample", "repeats", "random_state", "top", "n_jobs"],
    "recommend": ["top", "item", "seen", "by", "filter", "keep", "keep_item", "n_jobs"],
}


@pytest.mark.parametrize(("method", "name"), [(method, name) for method, names in METHODS.items() for name in names])
def test_keywords_of_a_model(model, method, name):
    data = [frame(), frame()] if method == "recommend" else [frame()]
    for value in WRONG:
        refused_or_done(lambda: getattr(model, method)(*data, **{name: value}))
    refused(lambda: getattr(model, method)(*data, **{name: object()}))


@pytest.mark.parametrize("method", METHODS)
def test_what_are_no_rows(model, method):
    for value in [*WRONG, None]:
        data = [value, value] if method == "recommend" else [value]
        refused(lambda: getattr(model, method)(*data))


@pytest.mark.parametrize("keyword", ["y", "sample_weight", "group", "eval_set", "callbacks"])
def test_keywords_of_fit(keyword):
    X, y = rows()
    # Weights of 1e30 diverge, which takes the core minutes to find out.
    for value in [value for value in WRONG if keyword != "sample_weight" or type(value) is not int or value < 2]:
        for data in (frame(), X, sparse.csr_array(X)):
            refused_or_done(lambda: FMClassifier(**QUICK).fit(data, **{"y": y, keyword: value}))


def test_names_that_are_none():
    with pytest.raises(TypeError):
        FMClassifier(factor=3)
    with pytest.raises(TypeError, match="'labels'"):
        Dataset(frame(), labels="y")
    refused(lambda: FMClassifier(**QUICK).fit(frame(), "no"), ValueError, "there is no column 'no': the columns are")
    refused(lambda: FMClassifier(**QUICK, categorical=["e"]).fit(frame(), "y"), ValueError, "'e'")
    refused(lambda: FMClassifier(model="fmm").fit(frame(), "y"), ValueError, "`ffm`")
    refused(lambda: FMClassifier(**QUICK, preset="krieto").fit(frame(), "y"), ValueError, "criteo")


SHAPES = {
    "one dimension": lambda X: X[:, 0],
    "three dimensions": lambda X: X[None],
    "no rows": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "one row": lambda X: X[:1],
    "inf": lambda X: np.where(X > 1, np.inf, X),
    "complex": lambda X: X + 1j,
    "texts": lambda X: np.full(X.shape, "a"),
    "mixed objects": lambda X: np.array([[1, "a", None]] * len(X), dtype=object),
    "sparse inf": lambda X: sparse.csr_array(np.where(X > 1, np.inf, X)),
    "sparse NaN": lambda X: sparse.csr_array(np.where(X > 1, np.nan, X)),
    "too few rows": lambda X: X[:-3],
}


@pytest.mark.parametrize("kind", [FMClassifier, FMRegressor, FMRanker])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_matrices_that_are_none(kind, shape):
    X, y = rows()
    refused(lambda: kind(**QUICK).fit(shape(X), y), ValueError)
    if hasattr(kind, "partial_fit"):
        refused(lambda: kind(**QUICK).partial_fit(shape(X), y), ValueError)


@pytest.mark.parametrize("shape", [s for name, s in SHAPES.items() if "row" not in name], ids=[n for n in SHAPES if "row" not in n])
def test_matrices_that_are_none_to_predict(shape):
    X, y = rows()
    fm = FMClassifier(**QUICK).fit(X, y)
    refused(lambda: fm.predict(shape(X)), ValueError)
    refused(lambda: fm.model_.predict(shape(X)), ValueError)
    refused(lambda: Dataset(shape(X), y=y), ValueError)


def test_columns_of_a_matrix_are_counted():
    X, y = rows()
    for data in (X, sparse.csr_array(X)):
        fm = FMClassifier(**QUICK).fit(data, y)
        refused(lambda: fm.predict(data[:, :2]), ValueError, "2 features")
        refused(lambda: fm.partial_fit(data[:, :2], y), ValueError, "2 features")
        refused(lambda: FMClassifier(**QUICK).fit(data, y, eval_set=(data[:, :2], y)), ValueError, "2 features")
    refused(lambda: FMClassifier(**QUICK).fit(X, y).model_.predict(X[:, :2]), ValueError)


def csr(starts, indices, values, shape=(4, 3)):
    """A CSR matrix whose parts nobody has checked."""
    matrix = sparse.csr_array(shape)
    matrix.indptr, matrix.indices = np.array(starts, dtype=np.int32), np.array(indices, dtype=np.int32)
    matrix.data = np.array(values, dtype=float)
    return matrix


BROKEN = {
    "negative index": csr([0, 1, 2, 3, 4], [0, -1, 2, 1], [1, 1, 1, 1]),
    "falling starts": csr([0, 3, 1, 3, 4], [0, 1, 2, 1], [1, 1, 1, 1]),
    "starts beyond": csr([0, 1, 2, 3, 9], [0, 1, 2, 1], [1, 1, 1, 1]),
    "negative start": csr([-1, 1, 2, 3, 4], [0, 1, 2, 1], [1, 1, 1, 1]),
    "fewer indices": csr([0, 1, 2, 3, 4], [0, 1, 2], [1, 1, 1, 1]),
    "fewer values": csr([0, 1, 2, 3, 4], [0, 1, 2, 1], [1, 1, 1]),
    "no starts": csr([], [0, 1, 2, 1], [1, 1, 1, 1]),
    "fewer starts": csr([0, 1, 2], [0, 1], [1, 1]),
    "index beyond": csr([0, 1, 2, 3, 4], [0, 1, 2, 3], [1, 1, 1, 1]),
}


@pytest.mark.parametrize("matrix", BROKEN.values(), ids=BROKEN)
def test_parts_of_a_sparse_matrix_that_do_not_fit(matrix):
    X, y = rows()
    refused(lambda: FMClassifier(**QUICK).fit(matrix, [0, 1, 0, 1]), ValueError)
    refused(lambda: Dataset(matrix, y=[0, 1, 0, 1]), ValueError)
    refused(lambda: FMClassifier(**QUICK).fit(sparse.csr_array(X), y).predict(matrix), ValueError)


def test_labels_that_are_none():
    X, y = rows()
    for wrong in (y[:-1], np.append(y, 1), [], np.full(len(y), np.nan), np.eye(40), np.where(y, np.inf, 0.0), None):
        for kind in (FMClassifier, FMRegressor, FMRanker):
            refused(lambda: kind(**QUICK).fit(X, wrong), ValueError)
            refused(lambda: kind(**QUICK).fit(frame(), wrong), ValueError)
    refused(lambda: FMClassifier(**QUICK).fit(X, np.ones(40)), ValueError, "one class")
    refused(lambda: FMClassifier(**QUICK).fit(frame().assign(y=1), "y"), ValueError)
    refused(lambda: FMClassifier(**QUICK).fit(X, X[:, 0]), ValueError, "continuous")
    refused(lambda: FMRegressor(**QUICK).fit(X, ["a", "b"] * 20), ValueError)
    refused(lambda: FMRegressor(**QUICK).fit(frame().assign(y="a"), "y"), ValueError)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_groups_that_are_missing(missing):
    X, y = rows()
    group = np.array(["a"] * 20 + ["b"] * 19 + [missing], dtype=object)
    refused(lambda: FMRanker(**QUICK).fit(X, y, group=group), ValueError, "group: of some rows it is missing")


def test_a_positive_label_of_an_array():
    X, y = rows()
    refused(lambda: FMClassifier(positive=0, **QUICK).fit(X, y), ValueError, "classes_")
    fitted = FMClassifier(positive="0", **QUICK).fit(pd.DataFrame(X).add_prefix("x").assign(y=y), "y")
    assert fitted.classes_.tolist() == [0, 1]


def test_weights_and_groups_that_are_none():
    X, y = rows()
    for wrong in (np.ones(39), -np.ones(40), np.full(40, np.nan), np.zeros(40), np.ones((40, 2)), ["a"] * 40):
        for data in (X, frame(), sparse.csr_array(X)):
            refused(lambda: FMClassifier(**QUICK).fit(data, y, sample_weight=wrong), ValueError)
    for wrong in (np.ones(39), np.ones((40, 2))):
        refused(lambda: FMRanker(**QUICK).fit(X, y, group=wrong), ValueError)
        refused(lambda: FMRanker(**QUICK).fit(frame(), y, group=wrong), ValueError)


def test_an_eval_set_that_is_none():
    X, y = rows()
    for wrong in ((X,), (X, y, None, None), (X, y[:-1]), (X, np.full(40, 7)), [(X, y), (X, y)], (X[:0], y[:0])):
        refused(lambda: FMClassifier(**QUICK).fit(X, y, eval_set=wrong), ValueError)
    refused(lambda: FMClassifier(**QUICK).fit(frame(), "y", eval_set=frame().drop(columns="a")), ValueError, "'a'")
    refused(lambda: FMClassifier(**QUICK).fit(frame(), "y", eval_set=frame().drop(columns="y")), ValueError, "'y'")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "score"])
def test_before_a_fit(method):
    X, y = rows()
    data = (X, y) if method == "score" else (X,)
    for estimator in (FMClassifier(), FMRegressor(), FMRanker()):
        if hasattr(estimator, method):
            with pytest.raises(NotFittedError):
                getattr(estimator, method)(*data)


def test_columns_that_are_missing_or_new(tmp_path):
    fm = FMClassifier(**QUICK).fit(frame(), "y")
    short = frame().drop(columns="b")
    refused(lambda: fm.predict(short), ValueError, "b")
    refused(lambda: fm.predict(pa.Table.from_pandas(short)), ValueError, "'b'")
    short.to_csv(tmp_path / "short.csv", index=False)
    refused(lambda: fm.predict(tmp_path / "short.csv"), ValueError, "'b'")
    # Values that were never seen say nothing, and columns that the model does not know are left alone.
    assert np.isfinite(fm.predict_proba(frame().assign(d="never"))).all()
    assert np.isfinite(fm.predict_proba(frame().assign(more=1))).all()


def test_frames_that_are_none():
    y = frame()["y"]
    refused(lambda: FMClassifier(**QUICK).fit(frame()[:0], "y"), ValueError)
    refused(lambda: FMClassifier(**QUICK).fit(pd.DataFrame(index=range(40)), y), ValueError)
    refused(lambda: FMClassifier(**QUICK).fit(frame().assign(a=[1, "x"] * 20), "y"), (ValueError, TypeError), "one type")
    refused(lambda: FMClassifier(**QUICK).fit(frame().assign(a=[{"x": 1}] * 40), "y"), (ValueError, TypeError))
    refused(lambda: FMClassifier(**QUICK).fit(frame().assign(a=[1 + 2j] * 40), "y"), (ValueError, TypeError))
    refused(lambda: FMClassifier(**QUICK).fit(frame().assign(a=np.inf), "y"), ValueError)
    twice = frame()[["a", "a", "y"]]
    refused(lambda: FMClassifier(**QUICK).fit(twice, "y"), ValueError, "a")


def test_what_is_near_to_rows_is_told_what_to_become():
    pl = pytest.importorskip("polars")
    data, y = frame().drop(columns="y"), frame().y
    estimator = FMClassifier(**QUICK)
    for column in (data.a, data.d, pl.Series(data.a.tolist()), pa.chunked_array([data.a.tolist()])):
        refused(lambda: estimator.fit(column, y), ValueError, "2D|to_frame")
    refused(lambda: estimator.fit(pl.from_pandas(data).lazy(), y), TypeError, "collect")
    with open(__file__) as opened:
        refused(lambda: estimator.fit(opened, y), TypeError, "give its name")
    for texts in (data[["d"]].to_numpy(dtype=str), data[["d"]].to_numpy(dtype="S")):
        refused(lambda: estimator.fit(texts, y), ValueError, "DataFrame")
        refused(lambda: estimator.fit(data[["a"]].to_numpy(), y).predict(texts), ValueError, "DataFrame")
    wide = pl.from_pandas(data).with_columns(w=pl.lit(1, dtype=pl.Int128))
    refused(lambda: estimator.fit(wide, y), ValueError, "cast the column")
    refused(lambda: estimator.fit(data.assign(d=10**30), y), ValueError, "astype")


def test_devices_that_are_none():
    X, y = rows()
    refused(lambda: FMClassifier(device="gpu", **QUICK).fit(X, y), ValueError, "none of cpu, cuda, auto")
    refused(lambda: FMClassifier(device=0, **QUICK).fit(X, y), TypeError, "device")
    # Without a GPU it is an error of the machine; what is small is trained on the CPU.
    try:
        FMClassifier(device="cuda", **QUICK).fit(X, y)
    except RuntimeError as error:
        told(error)
        # Where the work is large it is told why: a batch of 40,000 values, a billion of them in all epochs.
        wide = np.random.default_rng(0).normal(size=(2000, 20))
        large = FMClassifier(device="auto", batch_size=2000, epochs=50_000, patience=1, callbacks=lambda _: False)
        with pytest.warns(UserWarning, match="training on the CPU: "):
            large.fit(wide, wide[:, 0] > 0)
    scores = [FMClassifier(device=device, **QUICK).fit(X, y).decision_function(X) for device in ("auto", "cpu", None)]
    assert np.array_equal(scores[0], scores[1]) and np.array_equal(scores[1], scores[2])


def test_a_column_that_is_left_out_is_told():
    data = frame().drop(columns="y").assign(n=range(1, 41))
    with pytest.warns(UserWarning, match="'n' is left out .the numbers of the rows.: name it in categorical or numeric"):
        FMClassifier(**QUICK).fit(data, frame().y)
    for said in ({"ignore": ["n"]}, {"numeric": ["n"]}):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            FMClassifier(**QUICK, **said).fit(data, frame().y)
    # Floats are no numbers of rows.
    fitted = FMClassifier(**QUICK).fit(data.assign(n=np.arange(40.0)), frame().y)
    assert {c["name"]: c["role"] for c in fitted.model_.schema["columns"]}["n"] == "numeric"


def test_a_stream_is_read_once():
    table = pa.Table.from_pandas(frame())
    stream = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    fm = FMClassifier(**QUICK).fit(stream, "y")
    for read in (fm.predict, fm.predict_proba, fm.decision_function, fm.model_.predict):
        refused(lambda: read(stream), ValueError, "this stream has no rows: it can be read once")
    # A table that has none says so itself.
    assert fm.predict(table[:0]).shape == fm.predict(frame()[:0]).shape == (0,)
    refused(lambda: FMClassifier(**QUICK).fit(stream, "y"), (ValueError, OSError))


def test_a_stream_that_fails_says_why():
    def batches():
        yield pa.RecordBatch.from_pydict({"a": [1.0, 2.0], "y": [0, 1]})
        raise RuntimeError("the source is gone")

    schema = pa.schema({"a": pa.float64(), "y": pa.int64()})
    stream = pa.RecordBatchReader.from_batches(schema, batches())
    refused(lambda: FMClassifier(**QUICK).fit(stream, "y"), (ValueError, OSError), "the source is gone")


def test_files_that_are_none(tmp_path):
    missing = tmp_path / "missing.csv"
    for call in (lambda: FMClassifier().fit(missing, "y"), lambda: Dataset(missing), lambda: Model.load(missing)):
        refused(call, FileNotFoundError)
    for call in (lambda: FMClassifier().fit(tmp_path, "y"), lambda: Dataset(tmp_path), lambda: Model.load(tmp_path)):
        refused(call, (OSError, ValueError))
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ragged.csv").write_text("a,b,y\n1,2,0\n1,2\n")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 20)
    for name in ("empty.csv", "ragged.csv", "binary.csv"):
        refused(lambda: FMClassifier(**QUICK).fit(tmp_path / name, "y"), ValueError, name)
    refused(lambda: Dataset(tmp_path / "ragged.csv", format="xml"), ValueError, "libsvm")
    refused(lambda: Dataset(tmp_path / "ragged.csv", delimiter=",,"), (ValueError, TypeError))


def test_damaged_models(tmp_path, model):
    model.save(tmp_path / "m.pairloom")
    whole = (tmp_path / "m.pairloom").read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        (tmp_path / "d.pairloom").write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        refused(lambda: Model.load(tmp_path / "d.pairloom"), ValueError)
        (tmp_path / "d.pairloom").write_bytes(whole[:at])
        refused(lambda: Model.load(tmp_path / "d.pairloom"), ValueError)
    refused(lambda: Model(b"bytes"), TypeError)
    refused(lambda: model.save(tmp_path / "no" / "m.pairloom"), OSError)
    refused(lambda: model.save(tmp_path), OSError)


def test_places_that_are_none(model):
    refused(lambda: model.explain(frame(), 40), ValueError, "40|41")
    refused(lambda: model.explain(frame(), [0, -1]), ValueError)
    for wrong in (-1, len(model.linear), 2**40):
        refused(lambda: model.feature_name(wrong), ValueError)
    refused(lambda: model.recommend(frame(), frame(), item="nothing"), ValueError, "nothing")


@pytest.mark.parametrize("n_jobs", [10**4, 10**9, 2**31, 2**32, 10**30])
def test_more_threads_than_there_can_be(n_jobs):
    X, y = rows()
    refused_or_done(lambda: FMClassifier(**QUICK, n_jobs=n_jobs).fit(X, y))


def test_hash_bits_and_sizes_that_no_memory_has():
    for how in ({"factors": 10**9}, {"hash_bits": 31}, {"memory": "1K"}, {"memory": "plenty"}, {"bins": 10**9}):
        refused(lambda: FMClassifier(**{**QUICK, **how}).fit(frame(), "y"), (ValueError, MemoryError))


@pytest.mark.parametrize("pair", [("01", "1"), ("a", " a"), ("True", "true"), ("1.0", "1"), (2**60, 2**60 + 1)])
def test_labels_that_a_file_cannot_tell_apart(pair):
    X = frame().drop(columns="y")
    for labels in (pair, (*pair, pair[0] * 2 + pair[1])):
        y = np.array(labels)[np.arange(len(X)) % len(labels)]
        refused(lambda: FMClassifier(**QUICK).fit(X, y), ValueError, "same class")


def test_infinite_numbers_with_labels_beside_their_rows():
    X = frame()
    y, number = X.pop("y"), next(name for name in X if X[name].dtype == float)
    X.loc[3, number] = np.inf
    refused(lambda: FMClassifier(**QUICK).fit(X, y), ValueError, number)
    with pytest.warns(UserWarning, match="1 rows were left out"):
        fm = FMClassifier(**QUICK, on_error="skip").fit(X, y)
    others = [at for at in range(len(X)) if at != 3]
    same = FMClassifier(**QUICK).fit(X.iloc[others], y.iloc[others])
    assert np.array_equal(fm.predict_proba(X.iloc[others]), same.predict_proba(X.iloc[others]))


def test_labels_of_several_types_and_missing_ones():
    X = frame().drop(columns="y")
    for missing in (None, np.nan, 3):
        y = np.where(np.arange(len(X)) % 2, "yes", "no").astype(object)
        y[3] = missing
        refused(lambda: FMClassifier(**QUICK).fit(X, y), ValueError)
        refused(lambda: FMRanker(**QUICK).fit(X, np.arange(len(X)) % 2, group=y), ValueError)


def test_weights_that_are_all_negative():
    X = frame().drop(columns="y")
    y = np.arange(len(X)) % 2
    refused(lambda: FMClassifier(**QUICK).fit(X, y, sample_weight=-np.ones(len(X))), ValueError, "[Nn]egative")


def test_whole_numbers_that_no_matrix_of_the_core_holds():
    X = np.array([[2**63 + 5, 1], [7, 2]] * 10, dtype=np.uint64)
    refused(lambda: FMClassifier(**QUICK).fit(X, [0, 1] * 10), ValueError, "2\\^63")


def test_messages_of_what_is_no_rows():
    X, y = rows()
    for empty in (pd.DataFrame(), frame()[[]]):
        refused(lambda: FMClassifier(**QUICK).fit(empty, y[: len(empty)]), ValueError, "has no columns")
    refused(lambda: FMClassifier(**QUICK).fit(frame()["a"], y), ValueError, "1D")
    texts = np.array([["a", 1.0], ["b", 2.0]] * 20, dtype=object)
    refused(lambda: FMClassifier(**QUICK).fit(texts, y), ValueError, "could not convert.*make it a data frame")
    refused(lambda: Dataset(texts, y=y), ValueError, "could not convert.*make it a data frame")
    huge = frame().assign(d=[2**70] * 40)
    refused(lambda: FMClassifier(**QUICK).fit(huge, "y"), ValueError, "column 'd'")


def test_messages_of_settings():
    X, y = rows()
    for loss in ("squared", "poisson", "bpr"):
        refused(lambda: FMClassifier(loss=loss, **QUICK).fit(X, y), ValueError, "FMRegressor has those of numbers")
    assert FMClassifier(loss="softmax", **QUICK).fit(X, y).predict_proba(X).shape == (40, 2)
    for seed in (-1, 2**70):
        refused(lambda: FMClassifier(random_state=seed).fit(X, y), ValueError, "^random_state must be a whole number")
    refused(lambda: FMClassifier(epochs=2**40).fit(X, y), ValueError, "epochs.*at most 4294967295")
    for name in ("transforms", "multi", "time"):
        refused(lambda: FMClassifier(**{name: ["x0"]}).fit(X, y), TypeError, f"{name} must be a dict")
    several = FMClassifier(**QUICK).fit(X, np.arange(40) % 3)
    assert several.model_.explain(X, class_name=2)["score"] == several.model_.explain(X, class_name="2")["score"]
    refused(lambda: plot_learning_curves(FMClassifier()), NotFittedError)


@pytest.mark.parametrize("labels", [1.7e9 + np.arange(40.0), np.arange(40.0) * 1e-300], ids=["far from 0", "too small"])
def test_labels_that_32_bits_do_not_tell_apart(labels):
    X, _ = rows()
    refused(lambda: FMRegressor(**QUICK).fit(X, labels), ValueError, "labels.*deviate by")
    assert np.isfinite(FMRegressor(**QUICK).fit(X, labels - labels.mean() if labels[0] else labels * 1e300).score(X, labels))


def test_a_score_that_is_none_is_nan():
    X, y = rows()
    data = pd.DataFrame(X, columns=list("abc")).assign(y=y.astype(float))
    fm = FMRegressor(**QUICK).fit(data, "y")
    assert np.isnan(fm.score(data[:1]))
