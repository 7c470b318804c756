"""Training on encoded rows that take 8 times the memory allowed, beside the same in memory."""

import json
import shutil
import subprocess

from data import Data
from tools import WORK, median, spent

ROWS = 6_000_000
# 34 numbers of features, label and weight, of 4 bytes each.
ROW_BYTES = 36 * 4
TIMES = 8
EPOCHS = 3
REPEATS = 3


def hard(limit):
    """The words before a command that hold it to a limit, and what they are called."""
    scope = ["systemd-run", "--user", "--scope", "--quiet", "-p", f"MemoryMax={limit}",
             "-p", "MemorySwapMax=0"]
    if shutil.which(scope[0]):
        tried = subprocess.run([*scope, "true"], capture_output=True)
        if tried.returncode == 0:
            return scope, "a systemd scope's MemoryMax"
    return ["prlimit", f"--data={limit}"], "`ulimit -d`"


class Training:
    """One way of training, and what each run of it took."""

    def __init__(self, before, *after):
        self.before, self.after = before, after
        self.runs, self.failed = [], None

    def run(self, pairloom, text):
        if self.failed:
            return
        log = WORK / "large/log.json"
        try:
            found = spent(*self.before, pairloom, "train", text, "--epochs", EPOCHS,
                          "--valid-fraction", 0, "--output", WORK / "large/model.pairloom",
                          "--json", *self.after, output=log)
        except SystemExit as failed:
            self.failed = str(failed).splitlines()[-1]
            return
        events = [json.loads(line) for line in log.read_text().splitlines()]
        rates = [event["rows_per_second"] for event in events if event["event"] == "epoch"]
        on_disk = next(event["on_disk"] for event in events if event["event"] == "start")
        self.runs.append({**found, "rate": median(rates), "on_disk": on_disk})

    def found(self):
        if self.failed:
            return {"failed": self.failed}
        return {name: median([run[name] for run in self.runs]) for name in self.runs[0]}


def measure(pairloom):
    text = Data(pairloom, WORK / "large", train=ROWS, test=1000).file("train", "libffm")
    limit = ROWS * ROW_BYTES // TIMES
    words, called = hard(limit)
    ways = {
        "without": Training([]),
        "within": Training([], "--memory", limit),
        "hard": Training(words, "--memory", limit),
    }
    for _ in range(REPEATS):
        for way in ways.values():
            way.run(pairloom, text)
    found = {name: way.found() for name, way in ways.items()}
    return {**found, "limit": limit / (1 << 20), "called": called, "rows": ROWS}
