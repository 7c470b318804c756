"""The same numbers from Python, from the command, and from a slow machine in 64 bits."""

import json

import numpy as np
import pytest
from conftest import same_weights
from sklearn.datasets import dump_svmlight_file

from pairloom import FMClassifier, FMRanker, FMRegressor, Model

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

TASKS = {
    "binary": (FMClassifier, ["--loss", "logistic"]),
    "classes": (FMClassifier, ["--loss", "softmax"]),
    "regression": (FMRegressor, ["--loss", "squared"]),
    "ranking": (FMRanker, ["--loss", "bpr", "--group", "user"]),
}
SETTINGS = {"epochs": 3, "factors": 4, "batch_size": 32}
FLAGS = ["--epochs", 3, "--factors", 4, "--batch-size", 32, "--seed", 5]


def frame(task, rows=160):
    rng = np.random.default_rng(3)
    city, price = rng.choice(list("abc"), rows), np.round(rng.lognormal(2, 1, rows), 2)
    score = (city == "a") * price + rng.normal(0, 2, rows)
    labels = {
        "binary": (score > 2).astype(int),
        "classes": np.array(["low", "middle", "high"])[np.digitize(score, [1, 4])],
        "regression": np.round(score, 3),
        "ranking": (score > 2).astype(int),
    }
    columns = {"label": labels[task], "city": city, "price": price}
    return pd.DataFrame({"user": np.arange(rows) // 8, **columns} if task == "ranking" else columns)


def estimator(task):
    return TASKS[task][0](random_state=5, **SETTINGS)


def fit(task, data):
    return estimator(task).fit(data, "label", group="user" if task == "ranking" else None)


def printed(text):
    """Predictions as the command writes them: of several classes the best one and the probability of each, with names."""
    lines = [line.replace(",", " ").split() for line in text.splitlines()]
    if lines[0][0] == "prediction":
        lines = [line[1:] for line in lines[1:]]
    return np.array(lines, dtype=float)


@pytest.mark.parametrize("task", TASKS)
def test_python_trains_what_the_command_trains(task, command, tmp_path):
    frame(task).to_csv(tmp_path / "rows.csv", index=False)
    command("train", "rows.csv", "--label", "label", *TASKS[task][1], *FLAGS, "-o", "command.pairloom", "--quiet")
    of_command = Model.load(tmp_path / "command.pairloom")
    for data in (tmp_path / "rows.csv", frame(task)):
        of_python = fit(task, data)
        assert same_weights(of_python, of_command)
        assert [e["train_loss"] for e in of_python.history_] == [e["train_loss"] for e in of_command.history]
    fit(task, tmp_path / "rows.csv").model_.save(tmp_path / "python.pairloom")
    assert (tmp_path / "python.pairloom").read_bytes() == (tmp_path / "command.pairloom").read_bytes()


@pytest.mark.parametrize("task", TASKS)
def test_the_command_predicts_what_python_predicts(task, command, tmp_path):
    rows = frame(task)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    fm = fit(task, rows)
    fm.model_.save(tmp_path / "m.pairloom")
    of_command = printed(command("predict", "m.pairloom", "rows.csv"))
    of_python = fm.model_.predict(rows).reshape(len(rows), -1)
    assert np.array_equal(of_command, of_python.astype(np.float64))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_model_of_matrices_predicts_files_and_the_reverse(task, command, counts, tmp_path):
    X, y = counts
    y = (y > 0).astype(int) if task == "binary" else np.round(X.sum(axis=1), 3)
    dump_svmlight_file(X, y, str(tmp_path / "rows.libsvm"), zero_based=True)
    fm = estimator(task).fit(X, y)
    fm.model_.save(tmp_path / "python.pairloom")
    of_python = fm.model_.predict(X)
    assert np.array_equal(printed(command("predict", "python.pairloom", "rows.libsvm")).ravel(), of_python)
    command("train", "rows.libsvm", *TASKS[task][1], *FLAGS, "-o", "command.pairloom", "--quiet")
    of_command = Model.load(tmp_path / "command.pairloom")
    assert same_weights(fm, of_command)
    assert np.array_equal(of_command.predict(X), of_python)
    assert np.array_equal(of_command.predict(tmp_path / "rows.libsvm"), of_python)


def test_groups_of_a_sparse_matrix_are_those_of_its_file(command, counts, tmp_path):
    X, y = counts
    group = np.arange(len(y)) // 6
    dump_svmlight_file(X, y, str(tmp_path / "rows.libsvm"), zero_based=True, query_id=group)
    command("train", "rows.libsvm", "--loss", "bpr", "--group", "qid", *FLAGS, "-o", "m.pairloom", "--quiet")
    fm = estimator("ranking").fit(X, y, group=group)
    assert same_weights(fm, Model.load(tmp_path / "m.pairloom"))


@pytest.mark.parametrize("task", TASKS)
def test_what_is_written_is_what_was_read(task, tmp_path):
    model = fit(task, frame(task)).model_
    model.save(tmp_path / "one.pairloom")
    Model.load(str(tmp_path / "one.pairloom")).save(tmp_path / "two.pairloom")
    assert (tmp_path / "one.pairloom").read_bytes() == (tmp_path / "two.pairloom").read_bytes()
    copy = Model.load(tmp_path / "two.pairloom")
    assert same_weights(model, copy) and copy.history == model.history
    assert np.array_equal(copy.predict(frame(task)), model.predict(frame(task)))


def test_weights_are_views(products):
    model = FMClassifier(epochs=1, factors=3).fit(*products).model_
    for part in ("linear", "factors"):
        one, other = getattr(model, part), getattr(model, part)
        assert one.ctypes.data == other.ctypes.data
        assert not one.flags.writeable and not one.flags.owndata and one.base is not None
        with pytest.raises(ValueError, match="read-only"):
            one[0] = 1
    # The array keeps what it looks at.
    factors, before = model.factors, model.factors.copy()
    del model, one, other
    assert np.array_equal(factors, before)


def test_weights_in_16_bits_are_a_copy_in_32(products):
    model = FMClassifier(epochs=1, precision="bf16").fit(*products).model_
    assert model.factors.dtype == np.float32
    assert not np.any(model.factors.view(np.uint32) & 0xFFFF)


def slow_scores(model, rows):
    """The machine of Rendle (2010), eq. 1, in 64 bits, over features (id, x) of each row."""
    bias, linear, factors = (part.astype(np.float64) for part in (model.bias, model.linear, model.factors))
    for row in rows:
        score = bias[0] + sum(linear[i] * x for i, x in row)
        for place, (i, x) in enumerate(row):
            score += sum(factors[i] @ factors[j] * x * z for j, z in row[:place])
        yield score


def test_scores_are_those_of_a_slow_machine_over_names():
    rows = frame("binary").assign(size=lambda f: np.where(f["price"] > 7, "large", "small")).drop(columns="price")
    model = FMClassifier(epochs=5, random_state=0).fit(rows, "label").model_
    ids = {model.feature_name(i): i for i in range(len(model.linear))}
    assert {"city = a", "size = large"} <= ids.keys()
    features = [[(ids[f"city = {city}"], 1), (ids[f"size = {size}"], 1)] for city, size in zip(rows["city"], rows["size"])]
    scores = np.array(list(slow_scores(model, features)))
    assert np.allclose(model.scores(rows), scores, rtol=1e-5, atol=1e-5)
    assert np.allclose(model.predict(rows), 1 / (1 + np.exp(-scores)), rtol=1e-5)
    assert scores.std() > 0.1


def test_scores_are_those_of_a_slow_machine_over_pairs(counts):
    X, y = counts
    model = FMClassifier(epochs=5, random_state=0).fit(X, y > 0).model_
    ids = {model.feature_name(i): i for i in range(len(model.linear))}
    by_index = {int("".join(c for c in name if c.isdigit())): i for name, i in ids.items() if any(map(str.isdigit, name))}
    assert by_index.keys() == set(range(12))
    features = [
        [(by_index[index], x) for index, x in zip(X.indices[a:b], X.data[a:b])] for a, b in zip(X.indptr, X.indptr[1:])
    ]
    scores = np.array(list(slow_scores(model, features)))
    assert np.allclose(model.scores(X), scores, rtol=1e-4, atol=1e-5) and scores.std() > 0.1


#: What commands of the next test take as the names of files.
FILES = ("rows", "test", "films", "users", "model", "calibrated", "tuned", "kept", "of_kept")


def test_all_commands_say_the_same_of_parquet_and_of_csv(command, tmp_path):
    rows = frame("binary", 400).assign(user=lambda rows: "u" + (rows.index // 8).astype(str))
    films = pd.DataFrame({"city": list("abc"), "price": [1.5, 2.5, 20.25]})
    for name, part in (("rows", rows), ("test", rows[300:]), ("films", films), ("users", rows[["user"]])):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
        part.to_parquet(tmp_path / f"{name}.parquet", index=False)
    train = ["rows", "--label", "label", "--epochs", 2, "--factors", 2]
    lines = [
        ["train", *train, "-o", "model", "--quiet"],
        ["predict", "model", "test"],
        ["evaluate", "model", "test", "--json"],
        ["evaluate", "model", "test", "--ci", "--json"],
        ["explain", "model", "test", "--row", 3, "--json"],
        ["explain", "model", "test", "--importance", "--json"],
        ["recommend", "model", "users", "--items", "films", "--item", "city,price", "--top", 2, "--seen", "rows", "--json"],
        ["calibrate", "model", "test", "--method", "platt", "-o", "calibrated"],
        ["compare", "model", "calibrated", "test", "--json"],
        ["study", *train, "--seeds", 2, "--parallel", 1, "--json", "--restart"],
        ["tune", *train, "--runs", 2, "-o", "tuned", "--quiet"],
        ["predict", "tuned", "test"],
        ["convert", "rows", "--label", "label", "-o", "kept", "--quiet"],
        ["train", "kept", "--epochs", 2, "-o", "of_kept", "--quiet"],
        ["predict", "of_kept", "test"],
    ]

    def said(line, kind):
        words = [f"{word}.{kind}" if word in FILES else word for word in line]
        text = command(*words).replace(f".{kind}", "")
        return [without_places(json.loads(line)) for line in text.splitlines()] if "--json" in line else text

    for line in lines:
        assert said(line, "parquet") == said(line, "csv"), line


def without_places(value):
    """JSON without what tells of a file's kind and of the time that was taken."""
    if isinstance(value, list):
        return [without_places(each) for each in value]
    if isinstance(value, dict):
        return {name: without_places(each) for name, each in value.items() if name not in ("line", "because", "format", "seconds")}
    return value
