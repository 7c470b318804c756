"""Linear baselines on the splits of prepare.py, with every column as a category, but for the sets of
numbers, whose columns are standardised.

    python baselines.py PREPARED [CSV]

Logistic regression, or ridge regression for a label of numbers, on the one-hot encoded columns. The
strength of the penalty is chosen on valid and the model is not refitted, so that it has seen just the
rows that `pairloom train --valid` sees. Values unseen in train have no column.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sets import LABELS, NUMERIC, REGRESSION

GRID_C = [1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2]
GRID_ALPHA = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]


def load(folder, label, numeric):
    """The three parts as (matrix, labels), encoded by what train holds."""
    parts = {p: pd.read_csv(folder / f"{p}.csv", dtype=str, keep_default_na=False)
             for p in ("train", "valid", "test")}
    encoder = StandardScaler() if numeric else OneHotEncoder(handle_unknown="ignore")
    encoder.fit(parts["train"].drop(columns=label))
    return {p: (encoder.transform(rows.drop(columns=label)), rows[label].astype(float).to_numpy())
            for p, rows in parts.items()}


def logistic(parts):
    """Test log loss and AUC at the C that is best on valid."""
    x, y = parts["train"]
    model = LogisticRegression(max_iter=300, tol=1e-4, warm_start=True)
    best = (np.inf,)
    for c in GRID_C:
        # A large C may stop at max_iter; what counts is its loss on valid, which is then measured.
        model.set_params(C=c).fit(x, y)
        valid = log_loss(parts["valid"][1], model.predict_proba(parts["valid"][0])[:, 1])
        if valid < best[0]:
            best = (valid, c, model.predict_proba(parts["test"][0])[:, 1])
    valid, c, p = best
    y = parts["test"][1]
    return {"setting": f"C={c:g}", "valid": valid, "logloss": log_loss(y, p),
            "auc": roc_auc_score(y, p)}


def ridge(parts):
    """Test RMSE at the alpha that is best on valid."""
    best = (np.inf,)
    for alpha in GRID_ALPHA:
        solver = "sparse_cg" if issparse(parts["train"][0]) else "auto"
        model = Ridge(alpha=alpha, solver=solver).fit(*parts["train"])
        valid = root_mean_squared_error(parts["valid"][1], model.predict(parts["valid"][0]))
        if valid < best[0]:
            best = (valid, alpha, model.predict(parts["test"][0]))
    valid, alpha, predicted = best
    return {"setting": f"alpha={alpha:g}", "valid": valid,
            "rmse": root_mean_squared_error(parts["test"][1], predicted)}


def main():
    prepared = Path(sys.argv[1])
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("baselines.csv")
    warnings.filterwarnings("ignore", module="sklearn")
    lines = []
    for name, label in LABELS.items():
        for folder in sorted((prepared / name).iterdir(), key=lambda f: int(f.name)):
            parts = load(folder, label, name in NUMERIC)
            figures = (ridge if name in REGRESSION else logistic)(parts)
            lines.append({"set": name, "seed": int(folder.name), **figures})
            print(lines[-1], flush=True)
    table = pd.DataFrame(lines)
    columns = ["set", "seed", "setting", "valid", "logloss", "auc", "rmse"]
    table[columns].to_csv(target, index=False, float_format="%.5f")
    means = table.groupby("set")[["logloss", "auc", "rmse"]].agg(["mean", "std"])
    print(means.round(5).to_string())


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    main()
