"""Trains pairloom and its peers on the splits of bench/defaults/prepare.py, with their defaults and
over their grids.

    python study.py PREPARED RUNS [--binary PAIRLOOM] [--sets S,..] [--seeds N,..] [--programs P,..]

Each training is a line of RUNS, with the figure of valid, by which the table chooses among the settings
of a grid, and those of test. What is there already is not run again. A grid is searched on the split of
seed 0, with the encoding of columns that did best there with the defaults, and its winner alone runs on
the other splits: a grid on each would take a day, and settings are of a set, not of a split.
"""

import argparse
import csv
import json
import time
from pathlib import Path

from peers import modern_fm, myfm, pairloom, xlearn
from split import Split

PROGRAMS = {"pairloom": pairloom, "modern-fm": modern_fm, "xlearn": xlearn, "myfm": myfm}
COLUMNS = ["set", "seed", "program", "model", "kind", "settings", "valid", "log_loss", "auc", "rmse",
           "seconds"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prepared", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--binary", default="pairloom", help="the pairloom command")
    parser.add_argument("--sets", default="shoppers,bank,ratings,flights,digits,friedman,wide")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--programs", default=",".join(PROGRAMS))
    parser.add_argument("--kinds", default="defaults,tuned")
    return parser.parse_args()


class Runs:
    """The file of all runs, which grows by a line at a time."""

    def __init__(self, path):
        self.path = path
        self.done = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with path.open(newline="") as file:
                self.done = {self.key(line): line for line in csv.DictReader(file)}
        else:
            self.write(dict(zip(COLUMNS, COLUMNS)))

    @staticmethod
    def key(line):
        return tuple(str(line[name]) for name in COLUMNS[:6])

    def write(self, line):
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS).writerow(line)

    def add(self, line):
        self.write(line)
        self.done[self.key(line)] = line

    def winner(self, *key):
        """The settings that were the best on valid with seed 0, if they were run."""
        lines = [line for line in self.done.values() if line.get("valid") and
                 (*key[:1], "0", *key[1:]) == self.key(line)[:5]]
        best = min(lines, key=lambda line: float(line["valid"]), default=None)
        return json.loads(best["settings"]) if best else None


def points(runs, split, program, model, kind):
    peer = PROGRAMS[program]
    if kind == "defaults":
        return peer.defaults(split, model)
    key = split.name, program, model
    if split.seed > 0:
        best = runs.winner(*key, "tuned")
        return [best] if best else []
    first = runs.winner(*key, "defaults")
    return peer.grid(split, model, first["encoding"]) if first else []


def train(runs, split, program, model, kind, settings):
    line = {"set": split.name, "seed": split.seed, "program": program, "model": model, "kind": kind,
            "settings": json.dumps(settings)}
    if runs.key(line) in runs.done:
        return
    start = time.perf_counter()
    try:
        line.update(PROGRAMS[program].run(split, model, settings))
    except (RuntimeError, ValueError) as complaint:
        # Settings with which a program fails, or predicts no numbers, are none that can win.
        print(f"failed: {line}: {complaint}", flush=True)
    line["seconds"] = round(time.perf_counter() - start, 2)
    runs.add(line)
    print(*(f"{value:.5f}" if isinstance(value, float) else value for value in line.values()),
          flush=True)


def main():
    options = arguments()
    pairloom.binary = str(Path(options.binary).absolute())
    runs = Runs(options.runs)
    for seed in map(int, options.seeds.split(",")):
        for name in options.sets.split(","):
            split = Split(options.prepared, name, seed)
            for program in options.programs.split(","):
                for model in PROGRAMS[program].models(split):
                    for kind in options.kinds.split(","):
                        for settings in points(runs, split, program, model, kind):
                            train(runs, split, program, model, kind, settings)


if __name__ == "__main__":
    main()
