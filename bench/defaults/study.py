"""Trains and tests pairloom on the splits of prepare.py, with nothing told but the label column.

    python study.py PREPARED [--args "--factors 8"]... [--sets A,B] [--seeds 0,1] [--output CSV]

Each --args is a setting to try: flags that are added to `pairloom train`. Without any, the defaults
are tried. Runs go one after another. Every run adds a line to the CSV, which is read by no script:
delete it to start afresh.
"""

import argparse
import csv
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sets import LABELS, REGRESSION

COLUMNS = ["set", "seed", "args", "logloss", "auc", "rmse", "seconds"]

# What the command's JSON may call a figure, and what it is called here.
NAMES = {
    "logloss": ("logloss", "log_loss"),
    "auc": ("auc", "roc_auc"),
    "rmse": ("rmse",),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--binary", default="pairloom", help="the pairloom command")
    parser.add_argument("--args", action="append", metavar="FLAGS", help="a setting to try")
    parser.add_argument("--sets", default=",".join(LABELS), help="sets to run")
    parser.add_argument("--seeds", default="0,1,2,3,4", help="splits to run")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("study.csv"))
    return parser.parse_args()


def find(value, names):
    """The first number under one of the names, at any depth."""
    if isinstance(value, dict):
        for name in names:
            if isinstance(value.get(name), (int, float)):
                return value[name]
        value = list(value.values())
    if isinstance(value, list):
        found = (find(inner, names) for inner in value)
        return next((number for number in found if number is not None), None)
    return None


def call(*command):
    """Standard output of a command; its complaint, if it fails, ends the study."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(str(part) for part in command)}\n{done.stderr}")
    return done.stdout


def run(binary, folder, label, seed, flags):
    """Figures of one training on one split."""
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model.pairloom"
        start = time.perf_counter()
        call(binary, "train", folder / "train.csv", "--label", label, "--valid",
             folder / "valid.csv", "--seed", seed, "--model", model, *shlex.split(flags))
        seconds = time.perf_counter() - start
        report = json.loads(call(binary, "evaluate", model, folder / "test.csv", "--json"))
    figures = {name: find(report, names) for name, names in NAMES.items()}
    return {**figures, "seconds": round(seconds, 2)}


def append(path, line):
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if fresh:
            writer.writeheader()
        writer.writerow(line)


def spread(runs, name):
    values = [r[name] for r in runs if r[name] is not None]
    if not values:
        return f"{'-':>17}"
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):8.4f} +- {deviation:.4f}"


def main():
    options = arguments()
    shown = ["logloss", "auc", "rmse", "seconds"]
    print(f"{'set':10}" + "".join(f"{name:>18}" for name in shown) + "  flags")
    for flags in options.args or [""]:
        for name in options.sets.split(","):
            metrics = ["rmse"] if name in REGRESSION else ["logloss", "auc"]
            runs = []
            for seed in options.seeds.split(","):
                folder = options.prepared / name / seed
                figures = run(options.binary, folder, LABELS[name], seed, flags)
                figures |= {m: None for m in NAMES if m not in metrics}
                runs.append(figures)
                append(options.output, {"set": name, "seed": seed, "args": flags, **figures})
            figures = " ".join(spread(runs, column) for column in shown)
            print(f"{name:10} {figures}  {flags or '(defaults)'}", flush=True)


if __name__ == "__main__":
    main()
