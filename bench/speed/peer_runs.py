"""pairloom beside its peers: rates of training, and the time from raw text to a log loss."""

import json
import os
import sys
from pathlib import Path

from peers.settings import BEST, GRID, PACKAGES
from tools import WORK, call, median, per_epoch, spent

VENV = WORK / "venv"
PYTHON = VENV / "bin/python"
HERE = Path(__file__).parent
EPOCHS = 6
REPEATS = 3
MOST_EPOCHS = 30


def install():
    """An environment with the peers; those that cannot be had, with the reason."""
    if not PYTHON.exists():
        call(sys.executable, "-m", "venv", VENV)
    # xLearn is built here: its script wants the name of a user, and a cmake that knows its dialect.
    path = f"{(VENV / 'bin').absolute()}:{os.environ['PATH']}"
    os.environ.update(PATH=path, USER=os.environ.get("USER", "bench"),
                      CMAKE_POLICY_VERSION_MINIMUM="3.5")
    missing = {}
    for peer, commands in PACKAGES.items():
        marker = VENV / f"{peer}.done"
        if marker.exists():
            continue
        try:
            for words in commands:
                call(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                     *words.split())
            marker.touch()
        except SystemExit as failed:
            missing[peer] = str(failed).strip().splitlines()[-1][:200]
    return missing


def ask(peer, mode, data, settings, epochs, threads):
    """What the script of a peer measures."""
    files = [data.file("train", "libffm"), data.file("test", "libffm")]
    words = [f"{name}={value}" for name, value in settings.items()]
    out = call(PYTHON, HERE / "peers" / f"{peer}.py", mode, *files, epochs, threads, *words)
    return json.loads(out.splitlines()[-1])


def best_of(losses):
    loss = min(losses)
    return {"log_loss": loss, "epoch": losses.index(loss) + 1}


def tune(peer, data):
    """The settings of the grid with the best test log loss: the peers may look at the test rows."""
    tried = []
    for settings in GRID[peer]:
        losses = ask(peer, "quality", data, settings, 4, 2)["losses"]
        tried.append((best_of(losses)["log_loss"], settings))
        print(peer, settings, [round(loss, 5) for loss in losses], file=sys.stderr, flush=True)
    return min(tried, key=lambda each: each[0])[1]


def measure_peer(peer, data, grid):
    settings = tune(peer, data) if grid and GRID[peer] else BEST[peer]
    found = best_of(ask(peer, "quality", data, settings, EPOCHS, 2)["losses"])
    rows = data.rows["train"]
    for threads in (1, 2):
        runs = [ask(peer, "rate", data, settings, 0, threads) for _ in range(REPEATS)]
        found[f"cpu_rate_{threads}"] = rows / median([run["cpu"] for run in runs])
        found[f"wall_rate_{threads}"] = rows / median([run["wall"] for run in runs])
    cold = ask(peer, "cold", data, settings, found["epoch"], 2)
    megabytes = data.file("train", "libffm").stat().st_size * 1e-6
    return {**found, "settings": settings, "to_best": cold["wall"],
            "parse": cold["read_cpu"] and megabytes / cold["read_cpu"]}


class Pairloom:
    """The command with its defaults."""

    def __init__(self, data):
        self.data, self.model = data, WORK / "model.pairloom"

    def train(self, threads, *words):
        return spent(self.data.pairloom, "train", self.data.file("train", "libffm"), "--threads",
                     threads, "--output", self.model, "--quiet", *words)

    def log_loss(self):
        out = call(self.data.pairloom, "evaluate", self.model, self.data.file("test", "libffm"),
                   "--json")
        return json.loads(out)["log_loss"]

    def rates(self):
        rows, found = self.data.rows["train"], {}
        for threads in (1, 2):
            def run(epochs, threads=threads):
                return self.train(threads, "--epochs", epochs, "--valid-fraction", 0)
            runs = [per_epoch(run) for _ in range(REPEATS)]
            found[f"cpu_rate_{threads}"] = rows / median([run["cpu"] for run in runs])
            found[f"wall_rate_{threads}"] = rows / median([run["wall"] for run in runs])
        return found

    def until(self, wanted):
        """The time of the shortest training that scores so well on rows that it has not seen. How
        long it takes is decided on the test rows, as for the peers; the rest is not."""
        for epochs in range(1, MOST_EPOCHS):
            took = self.train(2, "--epochs", epochs)
            if self.log_loss() <= wanted:
                again = [self.train(2, "--epochs", epochs)["wall"] for _ in range(REPEATS - 1)]
                return {"wall": median([took["wall"], *again]), "epochs": epochs}
        return {"wall": None, "epochs": None}

    def measure(self, wanted):
        found = self.rates()
        whole = self.train(2)
        return {**found, "log_loss": self.log_loss(), "whole": whole["wall"], "peak": whole["peak"],
                "until": self.until(wanted)}


def measure(data, grid):
    missing = install()
    found = {"best possible": data.best()}
    for peer in PACKAGES:
        if peer in missing:
            found[peer] = {"missing": missing[peer]}
            continue
        try:
            print(f"   {peer}", file=sys.stderr, flush=True)
            found[peer] = measure_peer(peer, data, grid)
        except SystemExit as failed:
            found[peer] = {"missing": str(failed).strip().splitlines()[-1][:200]}
    losses = [peer["log_loss"] for peer in found.values()
              if isinstance(peer, dict) and "log_loss" in peer]
    found["pairloom"] = Pairloom(data).measure(min(losses))
    return found
