"""What notebooks show, and what is told of scores and catalogues, beside brute force."""

import html
from html.parser import HTMLParser

import numpy as np
import pytest

from pairloom import FMClassifier, FMRanker, plot_calibration, plot_field_pairs, plot_learning_curves

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

VOID = {"meta", "br", "hr", "img", "input", "link", "line", "path", "circle", "rect", "polyline"}


@pytest.fixture(scope="module")
def clicks():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({name: rng.choice(list("abcd"), 300) for name in ("user", "film")})
    return data.assign(y=((data["user"] == "a") ^ (data["film"] == "b")).astype(int))


@pytest.fixture(scope="module")
def fm(clicks):
    return FMClassifier(random_state=0, epochs=10).fit(clicks, "y")


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.frames, self.seen = [], [], set()

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.frames += [value for name, value in attributes if name == "srcdoc"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def well_formed(text):
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


@pytest.mark.parametrize("of", ["estimator", "model"])
def test_a_notebook_shows_curves(fm, of):
    page = well_formed((fm if of == "estimator" else fm.model_)._repr_html_())
    (inner,) = page.frames
    assert "svg" in well_formed(inner).seen
    assert "log loss" in html.unescape(inner).lower() and "epochs" in inner


def test_a_notebook_shows_an_estimator_that_is_not_fitted():
    assert "FMClassifier" in FMClassifier()._repr_html_()


def test_learning_curves_are_the_history(fm):
    pytest.importorskip("matplotlib")
    ax = plot_learning_curves(fm)
    train, valid = ax.get_lines()[:2]
    assert train.get_ydata().tolist() == [epoch["train_loss"] for epoch in fm.history_]
    assert valid.get_ydata().tolist() == [epoch["valid_log_loss"] for epoch in fm.history_]
    assert plot_learning_curves(fm.model_, ax=ax) is ax


def test_calibration_is_a_share_in_each_bin(fm, clicks):
    pytest.importorskip("matplotlib")
    p = fm.predict_proba(clicks)
    ax = plot_calibration(clicks["y"], p, bins=5)
    x, y = ax.get_lines()[1].get_data()
    order = np.argsort(p[:, 1], kind="stable")
    parts = np.array_split(order, 5)
    assert np.allclose(x, [p[part, 1].mean() for part in parts])
    assert np.allclose(y, [clicks["y"].to_numpy()[part].mean() for part in parts])
    with pytest.raises(ValueError, match="one of two classes"):
        plot_calibration([0, 1, 2], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="2 labels"):
        plot_calibration([0, 1], [0.1, 0.2, 0.3])


def test_pairs_of_columns_have_their_weights(fm, clicks):
    pytest.importorskip("matplotlib")
    ax = plot_field_pairs(fm, clicks)
    cells = np.asarray(ax.images[0].get_array().filled(np.nan))
    (pair,) = fm.model_.importance(clicks, repeats=1)["column_pairs"]
    assert sorted(pair["columns"]) == ["film", "user"]
    assert cells[0, 1] == cells[1, 0] == pair["weight"] and np.isnan(cells[0, 0])


def test_a_score_is_the_sum_of_its_parts(fm, clicks):
    scores, vectors = fm.decision_function(clicks), fm.factors_
    ids = {fm.model_.feature_name(i): i for i in range(len(fm.linear_))}
    rows = fm.model_.explain(clicks, list(range(5)))
    for at, row in enumerate(rows):
        assert row == fm.model_.explain(clicks, at)
        assert row["score"] == pytest.approx(scores[at], rel=1e-5)
        user, film = (ids[f"{name} = {clicks[name][at]}"] for name in ("user", "film"))
        parts = {part["column"]: part["contribution"] for part in row["columns"]}
        assert parts["user"] == pytest.approx(fm.linear_[user], rel=1e-5)
        assert row["column_pairs"][0]["contribution"] == pytest.approx(vectors[user] @ vectors[film], rel=1e-4)


def test_importance_of_a_pair_is_the_mean_size_of_what_it_adds(fm, clicks):
    (pair,) = fm.model_.importance(clicks)["column_pairs"]
    ids = {fm.model_.feature_name(i): i for i in range(len(fm.linear_))}
    users, films = ([ids[f"{name} = {value}"] for value in clicks[name]] for name in ("user", "film"))
    added = np.einsum("ij,ij->i", fm.factors_[users].astype(float), fm.factors_[films])
    assert pair["weight"] == pytest.approx(np.abs(added).mean(), rel=1e-3)


def test_evaluation_is_that_of_scikit_learn(fm, clicks):
    from sklearn import metrics

    y, p = clicks["y"], fm.predict_proba(clicks)[:, 1]
    measured = fm.model_.evaluate(clicks)
    assert measured["log_loss"] == pytest.approx(metrics.log_loss(y, p), rel=1e-6)
    assert measured["auc"] == pytest.approx(metrics.roc_auc_score(y, p), rel=1e-6)
    assert measured["brier_score"] == pytest.approx(metrics.brier_score_loss(y, p), rel=1e-6)
    assert measured["accuracy"] == pytest.approx(metrics.accuracy_score(y, p > 0.5))
    beside = fm.model_.evaluate(clicks.drop(columns="y"), y)
    assert beside == measured


def catalogue():
    rng = np.random.default_rng(4)
    seen = pd.DataFrame({"user": rng.choice(list("uvwxyz"), 200), "film": rng.choice([f"f{i}" for i in range(12)], 200)})
    seen["label"] = ((seen["user"] < "x") == (seen["film"].str[1:].astype(int) < 6)).astype(int)
    films = pd.DataFrame({"film": sorted(seen["film"].unique())})
    return seen, films


@pytest.mark.parametrize("way", ["pandas", "polars"])
def test_the_best_items_are_those_of_brute_force(way):
    seen, films = catalogue()
    fm = FMRanker(categorical=["user"], random_state=0, epochs=5).fit(seen, "label", group="user")
    users = pd.DataFrame({"user": list("uxz")})
    if way == "polars":
        polars = pytest.importorskip("polars")
        found = fm.model_.recommend(polars.DataFrame({"user": list("uxz")}), films, top=4, item="film")
        assert isinstance(found, polars.DataFrame)
        found = pd.DataFrame(found.to_dict(as_series=False))
    else:
        found = fm.model_.recommend(users, films, top=4, item="film")
    pairs = users.merge(films, how="cross")
    pairs["score"] = fm.predict(pairs)
    best = pairs.sort_values(["user", "score"], ascending=[True, False], kind="stable").groupby("user").head(4)
    assert found["user"].tolist() == best["user"].tolist()
    assert np.array_equal(found["prediction"], best["score"])
    assert found["film"].tolist() == best["film"].tolist()
    assert found["rank"].tolist() == [1, 2, 3, 4] * 3


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_what_is_recommended_has_the_types_and_names_of_its_frames(package):
    frames = pytest.importorskip(package)
    seen, films = catalogue()
    seen["user"], seen["film"] = (seen[name].map(lambda text: ord(text[0]) * 100 + len(text)) for name in ("user", "film"))
    items = films.assign(film=np.arange(len(films), dtype=np.int64) * 7, user=0.5, name=films["film"])
    fm = FMRanker(categorical=["user", "film"], random_state=0, epochs=1).fit(seen, "label", group="user")
    users = pd.DataFrame({"user": np.array([1, 2, 2**60 + 1], dtype=np.int64)})
    if package == "polars":
        users, items = (frames.DataFrame(frame.to_dict("list")) for frame in (users, items))
    found = fm.model_.recommend(users, items, top=2, item="film", keep_item=["user", "name"])
    assert list(found.columns) == ["user", "rank", "film", "user_item", "name", "prediction"]
    assert [int(user) for user in found["user"]] == [1, 1, 2, 2, 2**60 + 1, 2**60 + 1]
    assert str(found["user"].dtype).lower() == str(found["film"].dtype).lower() == "int64"
    assert str(found["user_item"].dtype).lower() == "float64" and set(found["user_item"]) == {0.5}
    assert set(found["film"]) <= set(items["film"]) and all(isinstance(name, str) for name in found["name"])


def test_items_that_were_seen_are_left_out():
    seen, films = catalogue()
    fm = FMRanker(categorical=["user"], random_state=0, epochs=2).fit(seen, "label", group="user")
    found = fm.model_.recommend(pd.DataFrame({"user": ["u"]}), films, top=12, item="film", seen=seen, by="user")
    assert set(found["film"]) == set(films["film"]) - set(seen.loc[seen["user"] == "u", "film"])
