"""Scores raw CSV rows with a pairloom model file, knowing nothing but the format of that file.

An independent twin of `pairloom predict`: it shares no code with it and says in a page what a model
file means. Usage: python score.py MODEL ROWS.csv
"""

import csv
import json
import math
import sys

import numpy as np
import xxhash
from safetensors import safe_open

MISSING = {"", "na", "n/a", "<na>", "nan", "null", "none", "\\n", "?", "-"}


def load(path):
    """The document and the tensors of a model file."""
    with safe_open(path, "np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        return json.loads(file.metadata()["pairloom"])["document"], tensors


def vectors(tensors, name, ids):
    """Those of some ids: a tensor beside them says whose they are, where zeros are left out."""
    all_vectors, stored = tensors[name].astype(float), tensors.get(f"{name}.ids")
    if stored is None:
        return all_vectors[ids]
    places = {feature: place for place, feature in enumerate(stored.tolist())}
    zeros = np.zeros(all_vectors.shape[1:])
    return np.array([all_vectors[places[i]] if i in places else zeros for i in ids])


def vocabulary(of, number, tensors):
    """From a value of a field to its id within the field."""
    if of["kind"] == "hash":
        return lambda value: xxhash.xxh3_64_intdigest(value) & ((1 << of["bits"]) - 1)
    text = tensors[f"dictionary.{number}.bytes"].tobytes()
    ends = [0, *tensors[f"dictionary.{number}.ends"].tolist()]
    ids = {text[a:b]: i for i, (a, b) in enumerate(zip(ends, ends[1:]), start=1)}
    return lambda value: ids.get(value, 0)


def bucket(v):
    """The name of a number's log-square bucket."""
    if math.isnan(v):
        return b""
    return f"b{math.floor(math.log(v) ** 2)}".encode() if v > 2 else f"s{math.trunc(v)}".encode()


def piecewise(frequent, knots, v):
    """The (id, x) pairs of a number: a frequent value's own, or those of the two nearest knots."""
    at = int(np.searchsorted(frequent, v))
    if not knots:
        return [(min(at, max(len(frequent) - 1, 0)), 1.0)]
    if at < len(frequent) and frequent[at] == v:
        return [(at, 1.0)]
    x = np.interp(v, knots, range(len(knots)))
    low, share = len(frequent) + int(x), x % 1
    return [(low, 1 - share), (low + 1, share)] if share else [(low, 1.0)]


def spline(of, v):
    """The (id, x) pairs of a number: cubic B-splines that are not zero there, by truncated powers."""
    pieces = of["functions"] - 3
    at = pieces * (float(np.interp(v, of["values"], of["places"])) if of["values"] else 0.0)
    for i in range(of["functions"]):
        # Function i begins at knot i - 3.
        t = at - (i - 3)
        x = sum((-1) ** k * math.comb(4, k) * max(t - k, 0.0) ** 3 for k in range(5)) / 6
        if 0 < t < 4:
            yield i, x


def value(scale, v):
    """A number in units of its deviation, or its logarithm in those of that."""
    v = math.copysign(math.log1p(abs(v)), v) if scale["log"] else v
    return min(max((v - scale["mean"]) / scale["deviation"], -scale["limit"]), scale["limit"])


def number(of, ids, cell):
    """The (id, x) pairs of a numeric cell."""
    v = math.nan if cell.strip().lower() in MISSING else float(cell)
    if of["transform"] == "log-square":
        return [(ids(bucket(v)), 1.0)]
    if math.isnan(v):
        return [(0 if of["transform"] in ("piecewise", "spline", "quantile") else 1, 1.0)]
    if of["transform"] == "spline":
        return [(1 + i, x) for i, x in spline(of, v)]
    if of["transform"] == "piecewise":
        knots = piecewise(of["frequent"], of["knots"], v)
        return [(1, value(of["value"], v)), *((2 + i, x) for i, x in knots)]
    if of["transform"] == "quantile":
        return [(1 + int(np.searchsorted(of["edges"], v)), 1.0)]
    return [(0, value(of, v))]


def features(row, schema, fields):
    """The (id, value) pairs of a row."""
    for field, ids in fields:
        column, of = schema["columns"][field["column"]], field["kind"]["of"]
        cell = row[column["name"]]
        if field["kind"]["type"] == "number":
            yield from ((field["offset"] + i, x) for i, x in number(of, ids, cell))
        elif column["role"] == "multi":
            values = [v.strip() for v in cell.split(column["separator"]) if v.strip()] or [""]
            found = [ids(value.encode()) for value in values]
            for at, i in enumerate(found):
                # Of several rare ones, with id 0 of a dictionary, one counts.
                if i > 0 or of["kind"] == "hash" or i not in found[:at]:
                    yield field["offset"] + i, 1 / math.sqrt(len(values))
        else:
            yield field["offset"] + ids(cell.encode()), 1.0


def probability(score):
    return 1 / (1 + math.exp(-score))


def calibrated(of, score):
    """The probability of log-odds, calibrated if there is something to do it by."""
    if of is None:
        return probability(score)
    if of["method"] == "platt":
        return probability(of["slope"] * score + of["intercept"])
    p = probability(score)
    if of["method"] == "isotonic":
        return float(np.interp(p, of["knots"], of["values"]))
    return probability(of["a"] * math.log(p) - of["b"] * math.log(1 - p) + of["c"])


def predict(model, rows):
    """A prediction for each row, a dict from the names of columns to text; of classes the probability of each."""
    document, tensors = load(model)
    encoding, fields = document["encoding"], []
    for n, field in enumerate(encoding["fields"]):
        of = field["kind"]["of"]
        of = of.get("buckets", of)
        fields.append((field, vocabulary(of, n, tensors) if "kind" in of else None))
    target, classes = encoding["target"], len(tensors["bias"])
    for row in rows:
        ids, x = zip(*features(row, document["schema"], fields))
        ids, x = list(ids), np.array(x)
        # Of several classes each has weights of its own, and all have one axis more.
        w = vectors(tensors, "linear", ids).reshape(len(ids), classes)
        v = vectors(tensors, "factors", ids).reshape(len(ids), classes, -1)
        scores = [float(b) + score(w[:, c], v[:, c], ids, x) for c, b in enumerate(tensors["bias"])]
        if target["task"] == "classes":
            odds = np.exp(np.array(scores) - max(scores))
            yield odds / odds.sum()
        elif target["task"] == "binary":
            # Training rows may be a sample of the negatives.
            of_all = scores[0] + math.log(document["config"]["negative_rate"])
            yield calibrated(document.get("calibration"), of_all)
        else:
            yield target["mean"] + target["scale"] * scores[0]


def score(w, v, ids, x):
    """What features with these weights and factors add to the bias."""
    vx = v * x[:, None]
    pairs = 0.5 * float((vx.sum(0) ** 2 - (vx**2).sum(0)).sum())
    # A value that stands twice in a list is one feature, which does not pair with itself.
    for i in range(len(ids)):
        pairs -= sum(float(vx[i] @ vx[j]) for j in range(i) if ids[i] == ids[j])
    return float(w @ x) + pairs


if __name__ == "__main__":
    with open(sys.argv[2], newline="") as file:
        for prediction in predict(sys.argv[1], csv.DictReader(file)):
            print(prediction)
