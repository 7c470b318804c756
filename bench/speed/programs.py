"""The programs that are compared: what an epoch of each takes, how well it does, and what it takes from
the text to so good a model."""

import json
import os
import sys
from pathlib import Path

from peers.settings import OF_MODELS, PACKAGES
from tools import WORK, call, per_epoch, spent

VENV = WORK / "venv"
PYTHON = VENV / "bin/python"
SCRIPTS = Path(__file__).parent / "peers"


def install(wanted):
    """An environment with the peers; those that cannot be had, with the reason."""
    if not PYTHON.exists():
        call(sys.executable, "-m", "venv", VENV)
    # xLearn is built here: its script wants the name of a user, and a cmake that knows its dialect.
    path = f"{(VENV / 'bin').absolute()}:{os.environ['PATH']}"
    os.environ.update(PATH=path, USER=os.environ.get("USER", "bench"),
                      CMAKE_POLICY_VERSION_MINIMUM="3.5")
    missing = {}
    for peer in wanted:
        marker = VENV / f"{peer}.done"
        if marker.exists():
            continue
        try:
            for words in {**PACKAGES, **OF_MODELS}[peer]:
                call(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                     *words.split())
            marker.touch()
        except SystemExit as failed:
            missing[peer] = last_line(failed)
    return missing


def last_line(failed):
    return str(failed).strip().splitlines()[-1][:200]


class Peer:
    """One of the scripts of `peers`, with its settings."""

    def __init__(self, name, data, settings):
        self.name, self.data, self.settings = name, data, settings

    def ask(self, mode, epochs, threads):
        files = [self.data.file("train", "libffm"), self.data.file("test", "libffm")]
        words = [f"{name}={value}" for name, value in self.settings.items()]
        out = call(PYTHON, SCRIPTS / f"{self.name}.py", mode, *files, epochs, threads, *words)
        return json.loads(out.splitlines()[-1])

    def losses(self, epochs):
        """Test log loss after each epoch, on one thread: where threads race, it says the same again."""
        return self.ask("quality", epochs, 1)["losses"]

    def epoch(self, threads):
        """What an epoch takes."""
        return self.ask("rate", 0, threads)

    def cold(self, epochs):
        """What so many epochs take from the text on, and reading alone."""
        return self.ask("cold", epochs, 2)


class Pairloom:
    """The command, with its defaults where nothing else is said."""

    def __init__(self, data):
        self.data, self.model = data, WORK / "model.pairloom"

    def train(self, threads, *words):
        return spent(self.data.pairloom, "train", self.data.file("train", "libffm"), "--threads",
                     threads, "--output", self.model, "--quiet", *words)

    def log_loss(self):
        out = call(self.data.pairloom, "evaluate", self.model, self.data.file("test", "libffm"),
                   "--json")
        return json.loads(out)["log_loss"]

    def epoch(self, threads, *words, many=3):
        return per_epoch(lambda epochs: self.train(threads, "--epochs", epochs,
                                                   "--valid-fraction", 0, *words), many=many)

    def cold(self, epochs):
        return self.train(2, "--epochs", epochs)
