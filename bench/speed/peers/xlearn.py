"""xLearn from PyPI: its factorization machines, field-aware ones too, with AdaGrad, without the
normalisation that spoils them on this set, from its own cache of the text. It prints its figures,
and caches beside the text."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import common

# Run in a process of its own, since it writes to standard output as it likes.
INNER = """
import sys
import xlearn
model, train, test, rate, l2, factors, epochs, threads = sys.argv[1:]
machine = getattr(xlearn, f"create_{model}")()
machine.setTrain(train)
if test:
    machine.setValidate(test)
machine.disableNorm()
machine.disableEarlyStop()
machine.fit({"task": "binary", "opt": "adagrad", "lr": float(rate), "lambda": float(l2),
             "k": int(factors), "epoch": int(epochs), "nthread": int(threads)}, "none")
"""


def run(call, epochs, test=""):
    """What it prints, and what it took."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    settings = call.settings
    words = [call.model, call.train, test, settings["rate"], settings["l2"], call.factors, epochs,
             call.threads]
    # Away from this folder, where this script has the package's name.
    done = subprocess.run([sys.executable, "-c", INNER, *map(str, words)], cwd="/", check=True,
                          capture_output=True, text=True,
                          env={**os.environ, "USER": os.environ.get("USER", "bench")})
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, {"wall": time.perf_counter() - began, "cpu": cpu}


def losses(text):
    """The test log loss of each line of its table."""
    lines = text.split("Train log_loss", 1)[1].splitlines()[1:]
    rows = (line.split("]")[-1].replace("\x1b[0m", "").split() for line in lines if "%" in line)
    return [float(row[2]) for row in rows]


def main():
    call = common.arguments()
    call.train, call.test = (str(Path(file).absolute()) for file in (call.train, call.test))
    cache = Path(call.train + ".bin")
    if call.mode == "quality":
        found = {"losses": losses(run(call, call.epochs, call.test)[0])}
    elif call.mode == "rate":
        if not cache.exists():
            run(call, 1)
        few, many = run(call, 1)[1], run(call, 3)[1]
        found = {name: (many[name] - few[name]) / 2 for name in few}
    else:
        cache.unlink(missing_ok=True)
        cold = run(call, call.epochs)[1]
        warm = run(call, call.epochs)[1]
        found = {"wall": cold["wall"], "read_cpu": cold["cpu"] - warm["cpu"]}
    print(json.dumps(found))


main()
