"""Rows as people have them: frames, tables, streams, files, matrices."""

import numpy as np
import pytest
from conftest import same_weights

from pairloom import Dataset, FMClassifier, FMRegressor

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")


def table(rows=200, seed=0):
    """Columns of letters, floats and integers, and a label that follows from two of them."""
    rng = np.random.default_rng(seed)
    city = rng.choice(list("abcde"), rows)
    size = rng.choice(["small", "large"], rows)
    return {
        "city": city.tolist(),
        "size": size.tolist(),
        "price": np.round(rng.lognormal(3, 1, rows), 2).tolist(),
        "age": rng.integers(18, 80, rows).tolist(),
        "bought": (((city == "a") ^ (size == "small")) | (rng.random(rows) < 0.1)).astype(int).tolist(),
    }


def fit(data, y="bought", **changed):
    return FMClassifier(**{"epochs": 4, "factors": 4, "random_state": 0, **changed}).fit(data, y)


def written(tmp_path, name, separator=","):
    path = tmp_path / name
    pd.DataFrame(table()).to_csv(path, index=False, sep=separator)
    return path


def batches(data):
    """A stream that can be read once."""
    whole = pa.table(data)
    return pa.RecordBatchReader.from_batches(whole.schema, whole.to_batches(max_chunksize=70))


WAYS = {
    "CSV": lambda tmp_path: written(tmp_path, "rows.csv"),
    "CSV as text": lambda tmp_path: str(written(tmp_path, "rows.csv")),
    "TSV": lambda tmp_path: written(tmp_path, "rows.tsv", "\t"),
    "polars": lambda _: pl.DataFrame(table()),
    "pyarrow": lambda _: pa.table(table()),
    "chunks": lambda _: pa.concat_tables([pa.table(table()).slice(0, 33), pa.table(table()).slice(33)]),
    "stream": lambda _: batches(table()),
    "data set": lambda _: Dataset(pd.DataFrame(table()), "bought"),
    "data set of a file": lambda tmp_path: Dataset(written(tmp_path, "rows.csv"), "bought"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_same_table_in_any_form_gives_the_same_bits(tmp_path, way):
    frame = pd.DataFrame(table())
    fm, other = fit(frame), fit(way(tmp_path))
    assert same_weights(fm, other)
    assert other.predict_proba(frame).tobytes() == fm.predict_proba(frame).tobytes()


PREDICTED = {name: way for name, way in WAYS.items() if not name.startswith("data set")}


@pytest.mark.parametrize("way", PREDICTED.values(), ids=PREDICTED)
def test_the_same_table_in_any_form_is_predicted_the_same(tmp_path, way):
    frame = pd.DataFrame(table())
    fm = fit(frame)
    assert fm.predict_proba(way(tmp_path)).tobytes() == fm.predict_proba(frame).tobytes()
    assert fm.model_.evaluate(way(tmp_path)) == fm.model_.evaluate(frame)


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table(table()), tmp_path / "rows.parquet")
    try:
        other = fit(tmp_path / "rows.parquet")
    except ValueError as error:
        if "Parquet" not in str(error):
            raise
        pytest.skip(str(error))
    frame = pd.DataFrame(table())
    assert same_weights(fit(frame), other)
    assert np.array_equal(other.predict_proba(tmp_path / "rows.parquet"), other.predict_proba(frame))


def test_gzip(tmp_path):
    pd.DataFrame(table()).to_csv(tmp_path / "rows.csv.gz", index=False)
    assert same_weights(fit(tmp_path / "rows.csv.gz"), fit(pd.DataFrame(table())))


def category(values):
    return pd.Series(values, dtype="category")


TEXTS = {
    "object": lambda values: pd.Series(values, dtype=object),
    "string": lambda values: pd.Series(values, dtype="string"),
    "category": category,
    "category in another order": lambda values: category(values).cat.reorder_categories(sorted(set(values), reverse=True)),
    "category with more": lambda values: category(values).cat.add_categories(["never"]),
    "Arrow": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.string())),
    "Arrow dictionary": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
    "polars string": lambda values: pl.Series(values),
    "polars Categorical": lambda values: pl.Series(values, dtype=pl.Categorical),
    "polars Enum": lambda values: pl.Series(values, dtype=pl.Enum(sorted(set(values), reverse=True))),
}


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_texts_of_any_type_are_the_same_names(texts):
    columns = {name: texts(values) if name in ("city", "size") else values for name, values in table().items()}
    data = (pl if isinstance(columns["city"], pl.Series) else pd).DataFrame(columns)
    fm = fit(pd.DataFrame(table()))
    assert same_weights(fm, fit(data))
    assert np.array_equal(fm.predict_proba(data), fm.predict_proba(pd.DataFrame(table())))


def ages(missing=False):
    values = np.array(table()["age"], dtype=float)
    values[::3] = np.nan if missing else values[::3]
    return values


NUMBERS = {
    "int64": lambda v: v.astype(np.int64),
    "int8": lambda v: v.astype(np.int8),
    "uint16": lambda v: v.astype(np.uint16),
    "uint64": lambda v: v.astype(np.uint64),
    "float32": lambda v: v.astype(np.float32),
    "Int64": lambda v: pd.array(v.astype(int), dtype="Int64"),
    "Float64": lambda v: pd.array(v, dtype="Float64"),
    "Arrow": lambda v: pd.array(v.astype(int), dtype=pd.ArrowDtype(pa.int16())),
    "decimal": lambda v: pd.array([int(x) for x in v], dtype=pd.ArrowDtype(pa.decimal128(8, 0))),
}


@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_any_type_are_the_same_numbers(numbers):
    one, other = (pd.DataFrame({"age": v, "y": table()["bought"]}) for v in (ages(), numbers(ages())))
    assert same_weights(fit(one, "y", numeric=["age"]), fit(other, "y", numeric=["age"]))


MISSING = {
    "float NaN": lambda v: v,
    "Int64 NA": lambda v: pd.array(v, dtype="Int64"),
    "Arrow null": lambda v: pd.array([None if x != x else int(x) for x in v], dtype=pd.ArrowDtype(pa.int64())),
    "objects with None": lambda v: np.array([None if x != x else x for x in v], dtype=object),
}


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
def test_what_is_missing_is_missing_in_any_type(missing, tmp_path):
    frame = pd.DataFrame({"age": ages(True), "y": table()["bought"]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    other = pd.DataFrame({"age": missing(ages(True)), "y": table()["bought"]})
    of_file = fit(tmp_path / "rows.csv", "y", numeric=["age"])
    assert same_weights(of_file, fit(other, "y", numeric=["age"]))
    assert np.array_equal(of_file.predict_proba(other), of_file.predict_proba(tmp_path / "rows.csv"))


def test_nan_in_a_matrix_is_missing_and_not_a_number():
    X = np.column_stack([ages(True), np.array(table()["price"])])
    y = np.isnan(X[:, 0]).astype(int)
    fm = fit(X, y, epochs=30, min_count=1)
    assert fm.score(X, y) > 0.95
    frame = pd.DataFrame(X, columns=["x0", "x1"])
    assert same_weights(fm, fit(frame, y, epochs=30, min_count=1, numeric=["x0", "x1"]))


def test_missing_texts():
    columns = table()
    columns["city"][::5] = [None] * 40
    one, other = fit(pd.DataFrame(columns)), fit(pl.DataFrame(columns))
    assert same_weights(one, other)
    assert np.array_equal(one.predict_proba(pa.table(columns)), other.predict_proba(pd.DataFrame(columns)))


def test_booleans_are_two_values():
    flag = np.array(table()["bought"]) == 1
    frame = pd.DataFrame({"flag": flag, "age": ages()})
    for data in (frame, frame.astype({"flag": "boolean"}), pl.DataFrame({"flag": flag, "age": ages()})):
        fm = fit(data, flag, epochs=30)
        assert fm.classes_.dtype == bool and fm.score(data, flag) == 1


def test_times_are_taken_apart():
    at = pd.date_range("2024-01-01", periods=200, freq="3h")
    y = (at.hour < 12).astype(int)
    frame = pd.DataFrame({"at": at.strftime("%Y-%m-%d %H:%M:%S"), "x": ages()})
    fm = fit(frame, y, time={"at": "YYYY-MM-DD HH:mm:ss"}, epochs=30)
    assert {"at.hour", "at.weekday"} <= {column["name"] for column in fm.model_.schema["columns"]}
    assert fm.score(frame, y) > 0.95


def test_datetimes_are_texts_as_iso_has_them():
    at = pd.date_range("2024-01-01", periods=200, freq="3h")
    y = (at.hour < 12).astype(int)
    pattern = {"at": "YYYY-MM-DDTHH:mm:ss"}
    text = fit(pd.DataFrame({"at": at.strftime("%Y-%m-%dT%H:%M:%S")}), y, time=pattern)
    for data in (pd.DataFrame({"at": at}), pl.DataFrame({"at": at.to_pydatetime().tolist()})):
        assert same_weights(text, fit(data, y, time=pattern))


def test_index_and_names_that_are_no_texts():
    frame = pd.DataFrame(table())
    fm = fit(frame)
    indexed = frame.set_index(np.arange(200, 0, -1))
    assert same_weights(fm, fit(indexed))
    y = pd.Series(table()["bought"], index=np.arange(200, 0, -1), name="city")
    numbered = frame.drop(columns="bought").set_axis(range(4), axis=1)
    named = frame.drop(columns="bought")
    assert same_weights(fit(numbered, y), fit(named, y))


def test_lists_are_several_values():
    genres = ["drama|crime", "comedy", "drama", "crime|comedy", ""] * 40
    y = np.array(["drama" in g for g in genres]).astype(int)
    lists = [g.split("|") if g else [] for g in genres]
    of_text = fit(pd.DataFrame({"genre": genres}), y, multi={"genre": "|"}, epochs=20)
    assert of_text.score(pd.DataFrame({"genre": genres}), y) == 1
    for data in (pl.DataFrame({"genre": lists}), pa.table({"genre": lists}), pd.DataFrame({"genre": lists})):
        assert same_weights(of_text, fit(data, y, epochs=20))


def test_a_label_of_texts_in_any_form():
    columns = {**table(), "bought": np.where(table()["bought"], "yes", "no").tolist()}
    models = [fit(kind(columns)) for kind in (pd.DataFrame, pl.DataFrame, pa.table)]
    assert models[0].classes_.tolist() == ["no", "yes"]
    assert same_weights(models[0], models[1]) and same_weights(models[0], models[2])
    beside = fit(pl.DataFrame({n: v for n, v in columns.items() if n != "bought"}), pl.Series(columns["bought"]))
    assert same_weights(models[0], beside)


def test_a_regression_target_in_any_form(tmp_path):
    columns = {**table(), "bought": table()["price"]}
    del columns["price"]
    pd.DataFrame(columns).to_csv(tmp_path / "rows.csv", index=False)
    ways = (pd.DataFrame(columns), pl.DataFrame(columns), batches(columns), tmp_path / "rows.csv")
    models = [FMRegressor(epochs=3, random_state=0).fit(way, "bought") for way in ways]
    assert all(same_weights(models[0], model) for model in models[1:])


def test_truth_values_as_labels_are_truth_values(tmp_path):
    rows = pd.DataFrame(table())
    label = next(name for name in rows if set(rows[name].unique()) <= {0, 1})
    truth = rows[label].astype(bool)
    named = rows.assign(**{label: truth})
    named.to_csv(tmp_path / "rows.csv", index=False)
    X = rows.drop(columns=label)
    for X, y in ((X, truth), (X, truth.astype("boolean")), (X, truth.to_numpy()), (named, label), (tmp_path / "rows.csv", label)):
        fm = FMClassifier(epochs=2).fit(X, y)
        assert fm.classes_.dtype == bool and fm.classes_.tolist() == [False, True]
        assert fm.predict(X).dtype == bool


def test_a_batch_of_arrow_has_names():
    data, y = pd.DataFrame({"a": list("uv") * 20, "b": np.arange(40.0) % 7}), np.arange(40) % 2
    batch = pa.RecordBatch.from_pandas(data)
    fitted = FMClassifier(epochs=1, factors=2, random_state=0).fit(batch, y)
    assert fitted.feature_names_in_.tolist() == ["a", "b"]
    assert np.array_equal(fitted.predict_proba(batch), fitted.predict_proba(data))


def test_a_polars_column_of_nothing_is_a_column_without_values():
    pl = pytest.importorskip("polars")
    data, y = pl.DataFrame({"a": list("uv") * 20, "n": [None] * 40}), np.arange(40) % 2
    fitted = FMClassifier(epochs=1, factors=2, random_state=0).fit(data, y)
    assert fitted.predict_proba(data).shape == (40, 2)


def test_whatever_gives_a_stream_of_arrow_is_rows():
    data = pa.table({"a": list("xyxz") * 20, "b": [float(i % 7) for i in range(80)]})
    y = np.arange(80) % 2

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return data.__arrow_c_stream__(requested_schema)

    fm = FMClassifier(epochs=2, random_state=0).fit(Stream(), y)
    of_table = FMClassifier(epochs=2, random_state=0).fit(data, y)
    assert np.array_equal(fm.predict_proba(Stream()), of_table.predict_proba(data))
    assert len(Dataset(Stream(), y=y)) == 80
    assert np.array_equal(fm.model_.predict(Stream()), of_table.model_.predict(data))
