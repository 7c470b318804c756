"""Vowpal Wabbit from PyPI with --lrqfa: factors of 16 floats a feature and partner's field, which is
nearer to a field-aware machine and the nearest to pairs of factors that it has for this many fields.
Its cost grows with the square of the fields, so it is timed on a part of the rows."""

import json
from pathlib import Path

import common
import numpy as np
from vowpalwabbit import Workspace

TIMED = 20_000
NAMES = "abcdefghijklmnopqrstuvwxyzABCDEFGH"


def convert(path, rows=None):
    """The rows in its own format, one namespace a field."""
    out = Path(f"{path}.{rows or 'all'}.vw")
    if not out.exists():
        with open(path, encoding="ascii") as text, open(out, "w", encoding="ascii") as file:
            for number, line in enumerate(text):
                if number == rows:
                    break
                label, *pairs = line.split()
                cells = (f"|{name} {pair.split(':')[1]}" for name, pair in zip(NAMES, pairs))
                file.write(f"{'1' if label == '1' else '-1'} {' '.join(cells)}\n")
    return str(out)


def train(path, model, rate):
    """One pass. Returns what it took. Its adaptive rates diverge here, whatever they start from."""
    clock = common.Clock()
    Workspace(f"--quiet --loss_function logistic --lrqfa {NAMES}{common.FACTORS} -b 24 --sgd "
              f"--power_t 0 -l {rate} -d {path} -f {model}").finish()
    return clock.spent()


def test(path, model):
    """The log loss of its probabilities."""
    out = f"{path}.predictions"
    Workspace(f"--quiet -t --link logistic -i {model} -d {path} -p {out}").finish()
    with open(path, encoding="ascii") as text:
        labels = np.array([line.startswith("1") for line in text], dtype=np.float32)
    return common.log_loss(labels, np.loadtxt(out))


def main():
    call = common.arguments()
    rate = call.settings["rate"]
    if call.mode == "rate":
        took = train(convert(call.train, TIMED), f"{call.train}.vw.part", rate)
        share = sum(1 for _ in open(call.train, "rb")) / TIMED
        found = {name: seconds * share for name, seconds in took.items()}
    elif call.mode == "quality":
        model = f"{call.train}.vw.model"
        took = train(convert(call.train), model, rate)
        Path(f"{model}.json").write_text(json.dumps(took))
        found = {"losses": [test(convert(call.test), model)]}
    else:
        # The pass of `quality` began with the text; what reading it takes is not told.
        took = json.loads(Path(f"{call.train}.vw.model.json").read_text())
        found = {"wall": took["wall"], "read_cpu": None}
    print(json.dumps(found))


main()
