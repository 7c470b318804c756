"""One split of a set as the peers want it: sparse matrices and the field of each of their columns.

What a peer makes of a table is up to its user, so that there is more than one way, and validation
decides which is the best for a peer. `categories`: each distinct value of each column is a column of
zeros and ones. `bins`: numbers are first cut at the deciles of train. `standard`: numbers as they are,
of mean 0 and deviation 1. Values unseen in train have no column. Labels that are numbers are
standardised by train too, and predictions are turned back, which no peer does by itself.
"""

import sys
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.preprocessing import OneHotEncoder, StandardScaler

sys.path.append(str(Path(__file__).parents[1] / "defaults"))
from sets import LABELS, NUMERIC, REGRESSION  # noqa: E402

PARTS = "train", "valid", "test"
BINS = 10
# One probability of 0 for a positive would be infinite; the peers are saved from that.
LEAST = 1e-7


def ways(name):
    """The encodings that make sense for a set."""
    if name in NUMERIC:
        return ["standard", "bins"]
    return ["categories"] if name in ("flights", "ratings") else ["categories", "bins"]


class Split:
    def __init__(self, prepared, name, seed):
        self.name, self.seed, self.folder = name, seed, (prepared / name / str(seed)).absolute()
        self.label, self.regression = LABELS[name], name in REGRESSION
        self.encoded = lru_cache(maxsize=None)(self._encoded)

    @cached_property
    def rows(self):
        return {part: pd.read_csv(self.folder / f"{part}.csv", dtype=str, keep_default_na=False)
                for part in PARTS}

    @cached_property
    def raw_labels(self):
        return {part: rows[self.label].astype(float).to_numpy() for part, rows in self.rows.items()}

    @cached_property
    def scale(self):
        train = self.raw_labels["train"]
        return (train.mean(), train.std()) if self.regression else (0.0, 1.0)

    @cached_property
    def labels(self):
        mean, deviation = self.scale
        return {part: (values - mean) / deviation for part, values in self.raw_labels.items()}

    def _encoded(self, way):
        """The matrix of each part, and the field of each column."""
        columns = {part: rows.drop(columns=self.label) for part, rows in self.rows.items()}
        if way == "standard":
            return standardised(columns)
        return one_hot(binned(columns) if way == "bins" else columns)

    def figures(self, valid, test):
        """What the predictions for two parts, of the labels as `labels` has them, are worth."""
        mean, deviation = self.scale
        valid, test = (np.asarray(p, dtype=np.float64) * deviation + mean for p in (valid, test))
        y = self.raw_labels
        if self.regression:
            return {"valid": root_mean_squared_error(y["valid"], valid),
                    "rmse": root_mean_squared_error(y["test"], test)}
        valid, test = (np.clip(p, LEAST, 1 - LEAST) for p in (valid, test))
        return {"valid": log_loss(y["valid"], valid), "log_loss": log_loss(y["test"], test),
                "auc": roc_auc_score(y["test"], test)}


def standardised(columns):
    scaler = StandardScaler().fit(columns["train"].astype(float))
    matrices = {part: csr_matrix(scaler.transform(rows.astype(float)))
                for part, rows in columns.items()}
    return matrices, np.arange(matrices["train"].shape[1])


def one_hot(columns):
    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float32).fit(columns["train"])
    fields = np.repeat(np.arange(len(encoder.categories_)), [len(c) for c in encoder.categories_])
    return {part: csr_matrix(encoder.transform(rows)) for part, rows in columns.items()}, fields


def binned(columns):
    """Columns of numbers with more values than there are bins, as the number of their bin."""
    columns = {part: rows.copy() for part, rows in columns.items()}
    for name, values in columns["train"].items():
        numbers = pd.to_numeric(values, errors="coerce")
        if numbers.isna().any() or numbers.nunique() <= BINS:
            continue
        edges = np.unique(np.quantile(numbers, np.arange(1, BINS) / BINS))
        for rows in columns.values():
            rows[name] = np.searchsorted(edges, rows[name].astype(float)).astype(str)
    return columns
