"""pairloom itself: all models of the family, told nothing but the label column; and tuned over a grid
of the size of its peers' grids."""

import json
import shlex
import subprocess
import tempfile
from pathlib import Path

MODELS = ["linear", "fm", "ffm", "fwfm", "dplr", "fmfm", "hofm"]
ENCODING = "its own"
GRID = ["--numeric-transform spline", "--numeric-transform standard", "--l2-factors 5",
        "--l2-factors 15", "--l2-factors 60", "--learning-rate 0.03"]
# Where they are not a matrix, or a vector, for each of 64 columns.
LARGE = ["--factors 64", "--factors 128"]
# The mean of several models (myFM predicts with the mean of many), of those that have one.
MEANS = ["", "--factors 64"]
# Of 200 columns there are 20,000 pairs: minutes for each training, and no test of these models.
SLOW = {("wide", "ffm"), ("wide", "fmfm")}

binary = "pairloom"


def models(split):
    two_fields = ["mf"] if split.name == "ratings" else []
    return two_fields + [name for name in MODELS if (split.name, name) not in SLOW]


def defaults(_split, _model):
    return [{"encoding": ENCODING, "args": ""}]


def grid(split, model, _way):
    large = LARGE if split.name == "ratings" or model not in ("ffm", "fmfm") else []
    points = [{"encoding": ENCODING, "args": args} for args in GRID + large]
    if model in ("mf", "fm", "ffm", "hofm"):
        points += [{"encoding": ENCODING, "args": args, "models": 8} for args in MEANS]
    return points


def call(*command):
    done = subprocess.run([binary, *map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def run(split, model, settings):
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch) / f"{number}.pairloom" for number in range(settings.get("models", 1))]
        for number, file in enumerate(files):
            call("train", split.folder / "train.csv", "--valid", split.folder / "valid.csv", "--label",
                 split.label, "--model", model, "--seed", split.seed + 10 * number, "--threads", 1,
                 "--quiet", "--output", file, *shlex.split(settings["args"]))
        if len(files) > 1:
            file = Path(scratch) / "mean.pairloom"
            call("average", *files, "--output", file)
        valid, test = (json.loads(call("evaluate", file, split.folder / f"{part}.csv", "--json",
                                       "--threads", 1)) for part in ("valid", "test"))
    if split.regression:
        return {"valid": valid["rmse"], "rmse": test["rmse"]}
    return {"valid": valid["log_loss"], "log_loss": test["log_loss"], "auc": test["auc"]}
