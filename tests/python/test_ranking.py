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
