"""Makes RESULTS.md of the runs of study.py.

    python table.py RUNS RESULTS

The settings of a row are those that did best on valid; what the losers had on test is not looked at.
Differences are paired by split: two programs are compared on the splits that both were run on. The
"best" on either side is the one whose mean on valid is the least, so that test decides nothing.
"""

import json
import sys
from collections import defaultdict
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from split import LABELS

OURS = "pairloom"
PEERS = "modern-fm", "xlearn", "myfm"
HEAD = Path(__file__).with_name("head.md")


class Row:
    """What a table says of a model: a program's model with its defaults, or tuned."""

    def __init__(self, key, lines):
        self.program, self.model, self.kind = key
        self.lines = lines.set_index("seed")
        self.figure = "rmse" if lines["rmse"].notna().all() else "log_loss"

    @property
    def name(self):
        return f"{self.program} `{self.model}`" + (", tuned" if self.kind == "tuned" else "")

    @property
    def valid(self):
        return self.lines["valid"].mean()

    def less(self, other):
        """The mean of self - other on test over the splits of both, and half its interval."""
        both = self.lines.index.intersection(other.lines.index)
        differences = (self.lines[self.figure] - other.lines[self.figure])[both].dropna()
        n = len(differences)
        if n < 2:
            return differences.mean(), np.nan
        return differences.mean(), t.ppf(0.975, n - 1) * differences.std() / np.sqrt(n)


def chosen(lines, kind):
    """A line for each seed: the best on valid. The defaults are a point of the grid too, and only
    seeds on which the grid's winner was run count."""
    if kind == "defaults":
        lines = lines[lines["kind"] == "defaults"]
    else:
        tuned = set(lines.loc[lines["kind"] == "tuned", "seed"])
        lines = best_settings(lines[lines["seed"].isin(tuned)])
    return lines.loc[lines.groupby("seed")["valid"].idxmin()] if len(lines) else lines


def best_settings(lines):
    """The lines with the settings that did best on valid of seed 0."""
    first = lines[lines["seed"] == 0]
    if not len(first):
        return first
    return lines[lines["settings"] == first.loc[first["valid"].idxmin(), "settings"]]


def rows_of(lines):
    found = []
    for (program, model), some in lines.groupby(["program", "model"], sort=False):
        for kind in ("defaults", "tuned"):
            best = chosen(some, kind)
            if len(best):
                found.append(Row((program, model, kind), best))
    return found


def best(rows):
    """Of those run on as many splits as any."""
    most = max((len(row.lines) for row in rows), default=0)
    return min((row for row in rows if len(row.lines) == most), key=lambda row: row.valid,
               default=None)


def best_beside(other, rows):
    """By valid again, on the splits that a row shares with `other`: not all have run on all."""
    return min(rows, key=lambda row: (row.lines["valid"] - other.lines["valid"]).mean(), default=None)


def by_side(rows):
    ours = [row for row in rows if row.program == OURS]
    return ours, [row for row in rows if row.program != OURS]


def difference(row, other):
    mean, half = row.less(other)
    if np.isnan(mean):
        return "-"
    return f"{mean:+.4f}" + (f" ± {half:.4f}" if not np.isnan(half) else "")


def table(name, rows):
    ours = best(by_side(rows)[0])
    loss = rows[0].figure == "log_loss"
    yield f"\n## {name}\n"
    yield ("| model | splits | " + ("test log loss | AUC" if loss else "test RMSE")
           + f" | less {ours.name} | encoding, settings (split 0) |")
    yield "|---" * (6 if loss else 5) + "|"
    for row in sorted(rows, key=lambda row: row.lines[row.figure].mean()):
        cells = [row.name, str(len(row.lines)), f"{row.lines[row.figure].mean():.4f}"]
        cells += [f"{row.lines['auc'].mean():.4f}"] if loss else []
        cells += ["" if row is ours else difference(row, ours), settings(row)]
        yield "| " + " | ".join(cells) + " |"


def settings(row):
    held = json.loads(row.lines["settings"].iloc[0])
    args, encoding = held.pop("args", ""), held.pop("encoding")
    words = [] if row.program == OURS else [encoding]
    words += [f"{name} {value}" for name, value in held.items()]
    return ", ".join(words + ([f"`{args}`"] if args else []))


def against_defaults(ours, peers, model_for):
    """Our defaults less each peer's, where our model is what `model_for` says for the peer's."""
    held = {row.model: row for row in ours if row.kind == "defaults"}
    pairs = ((held.get(model_for(row)), row) for row in peers if row.kind == "defaults")
    return "<br>".join(f"{row.name} {difference(mine, row)}" for mine, row in pairs if mine)


def summary(tables):
    yield "\n## In short\n"
    yield ("| set | our best | best peer | ours less it | our `fm`, defaults, less each peer's defaults "
           "| our defaults less those of each peer's same model |")
    yield "|---|---|---|---|---|---|"
    for name, rows in tables.items():
        ours, peers = by_side(rows)
        mine = best(ours)
        peer = best_beside(mine, peers)
        cells = [mine.name] + ([peer.name, difference(mine, peer)] if peer else ["", ""])
        cells += [against_defaults(ours, peers, lambda _row: "fm"),
                  against_defaults(ours, peers, lambda row: row.model)]
        yield f"| {name} | " + " | ".join(cells) + " |"


def main():
    runs, results = Path(sys.argv[1]), Path(sys.argv[2])
    lines = pd.read_csv(runs).dropna(subset=["valid"])
    tables = defaultdict(list)
    for name in LABELS:
        if (rows := rows_of(lines[lines["set"] == name])):
            tables[name] = rows
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS)
    text = [HEAD.read_text().format(versions=versions, date=date.today().isoformat()).rstrip()]
    text += summary(tables)
    for name, rows in tables.items():
        text += table(name, rows)
    results.write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
