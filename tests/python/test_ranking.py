"""The figures of ranked groups are scikit-learn's for the predictions that the command prints."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

COLUMNS = "--label clicked --group session --categorical user,kind --numeric price"


def sessions(count, relevance):
    """Rows of sessions in any order, with as many grades as are asked for."""
    random = np.random.default_rng(3)
    rows = count * 25
    data = pd.DataFrame(
        {
            "session": random.permutation(np.arange(rows) % count),
            "user": random.integers(0, 20, rows),
            "kind": random.integers(0, 15, rows),
            "price": random.uniform(0, 9, rows).round(3),
        }
    )
    liking = np.sin(data["user"] * (data["kind"] + 1)) + 0.2 * data["price"] / 9
    noisy = liking + random.normal(0, 0.5, rows)
    data["clicked"] = np.digitize(noisy, [0.6, 1.1, 1.5][: relevance - 1])
    return data


@pytest.mark.parametrize("grades", [2, 4])
def test_groups(pairloom, predictions, evaluation, grades):
    data = sessions(80, grades)
    data.to_csv("rows.csv", index=False)
    pairloom(f"train rows.csv {COLUMNS} --loss listwise --epochs 5")
    data["score"] = predictions("model.pairloom rows.csv")
    m = evaluation("model.pairloom rows.csv")
    ndcg, precisions, areas, ranks, hits = [], [], [], [], []
    for _, group in data.groupby("session"):
        y, s = group["clicked"].to_numpy(), group["score"].to_numpy()
        assert len(set(y)) > 1 and len(set(s)) == len(s), "figures without ties are plain"
        ndcg.append(metrics.ndcg_score([y], [s], k=10))
        precisions.append(metrics.average_precision_score(y > 0, s))
        areas.append(metrics.roc_auc_score(y > 0, s))
        relevant = (y > 0)[np.argsort(-s)]
        ranks.append(1 / (1 + np.argmax(relevant)))
        hits.append([relevant[:10].sum() / relevant.sum(), relevant[:10].mean()])
    close = {"rel": 1e-9}
    assert m["groups"] == 80 and 0.6 < m["grouped_auc"] < 1
    assert m["ndcg"] == pytest.approx(np.mean(ndcg), **close)
    assert m["map"] == pytest.approx(np.mean(precisions), **close)
    # All groups have as many rows.
    assert m["grouped_auc"] == pytest.approx(np.mean(areas), **close)
    assert m["mrr"] == pytest.approx(np.mean(ranks), **close)
    assert [m["recall"], m["precision"]] == pytest.approx(list(np.mean(hits, 0)), **close)


def test_ties_are_averaged_as_in_scikit_learn(pairloom, predictions, evaluation):
    data = sessions(60, 4).drop(columns="price")
    data["user"] %= 2
    data["kind"] %= 3
    data.to_csv("rows.csv", index=False)
    columns = COLUMNS.replace(" --numeric price", "")
    pairloom(f"train rows.csv {columns} --loss bpr --epochs 2")
    data["score"] = predictions("model.pairloom rows.csv")
    groups = [group for _, group in data.groupby("session")]
    assert all(len(set(group["score"])) <= 6 for group in groups)
    ndcg = [metrics.ndcg_score([g["clicked"]], [g["score"]], k=10) for g in groups]
    assert evaluation("model.pairloom rows.csv")["ndcg"] == pytest.approx(np.mean(ndcg), rel=1e-9)


@pytest.mark.parametrize("loss", ["bpr", "warp", "listwise"])
def test_a_catalogue(pairloom, predictions, evaluation, loss):
    """Items of a user's taste, drawn ones below them, and the last one of each user held out."""
    random = np.random.default_rng(5)
    taste = lambda user: [i for i in range(60) if i % 4 == user % 4]
    rows = [(u, i) for u in range(80) for i in random.choice(taste(u), 8, replace=False)]
    data = pd.DataFrame(rows, columns=["user", "item"])
    data["rating"] = random.integers(1, 6, len(data))
    held = data.index % 8 == 7
    data[~held].to_csv("train.csv", index=False)
    data[held].to_csv("test.csv", index=False)
    pd.DataFrame({"item": range(60)}).to_csv("items.csv", index=False)
    columns = "--label rating --group user --categorical user,item --item item"
    pairloom(f"train train.csv {columns} --loss {loss} --negatives 5 --valid-fraction 0 --epochs 15")
    m = evaluation("model.pairloom test.csv --items items.csv --seen train.csv --at 5")
    pd.MultiIndex.from_product([range(80), range(60)], names=["user", "item"]).to_frame().to_csv("all.csv", index=False)
    scores = predictions("model.pairloom all.csv").reshape(80, 60)
    scores[data[~held]["user"], data[~held]["item"]] = -np.inf
    wanted = scores[data[held]["user"], data[held]["item"]]
    # The users of the test rows are in their order, and each wants one item; no two scores are alike.
    places = (scores > wanted[:, None]).sum(1)
    assert m["groups"] == 80 and m["at"] == 5
    assert m["mrr"] == pytest.approx((1 / (places + 1)).mean())
    assert m["ndcg"] == pytest.approx(np.where(places < 5, 1 / np.log2(places + 2), 0).mean())
    assert m["recall"] == m["hit_rate"] == pytest.approx((places < 5).mean())
    # 7 of 15 items of the taste were seen: of the 8 others 5 are shown, and .625 is all that can be known.
    assert m["recall"] > 0.4, "by chance it is .09"
