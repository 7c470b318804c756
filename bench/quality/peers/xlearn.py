"""xLearn from PyPI: its FM and FFM with AdaGrad, stopping early by the validation rows. By default it
normalises each row to length 1; the grid tries without. It reads and writes files only, and writes to
standard output as it likes, so that it runs in a process and a folder of its own."""

import json
import os
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
from split import PARTS, ways

NORMALISED = [{"norm": True, "lr": 0.2, "lambda": l2, "epoch": 50} for l2 in (5e-4, 5e-3)]
PLAIN = [{"norm": False, "lr": rate, "lambda": l2, "epoch": 50}
         for rate, l2 in product([0.03, 0.1], [2e-5, 5e-4, 5e-3])]
FACTORS = {"fm": 16, "ffm": 8}

INNER = """
import json
import sys
import xlearn
model, settings = sys.argv[1], json.loads(sys.argv[2])
machine = getattr(xlearn, "create_" + model)()
machine.setTrain("train")
machine.setValidate("valid")
if not settings.pop("norm", True):
    machine.disableNorm()
machine.fit(settings, "model")
if settings["task"] == "binary":
    machine.setSigmoid()
for part in ("valid", "test"):
    machine.setTest(part)
    machine.predict("model", part + ".out")
"""


def models(split):
    return ["fm"] if split.name == "wide" else list(FACTORS)


def defaults(split, _model):
    return [{"encoding": way} for way in ways(split.name)]


def grid(_split, model, way):
    return [{"encoding": way, "k": FACTORS[model], **point} for point in NORMALISED + PLAIN]


def write(file, matrix, fields, labels, fielded):
    """libffm, or libsvm for a model without fields."""
    names = [f"{field}:{column}" if fielded else f"{column}" for column, field in enumerate(fields)]
    with open(file, "w") as out:
        for row, label in enumerate(labels):
            held = slice(matrix.indptr[row], matrix.indptr[row + 1])
            cells = (f"{names[i]}:{v:.6g}" for i, v in zip(matrix.indices[held], matrix.data[held]))
            out.write(f"{label:.8g} {' '.join(cells)}\n")


def run(split, model, settings):
    settings = {**settings, "task": "reg" if split.regression else "binary", "nthread": 1}
    matrices, fields = split.encoded(settings.pop("encoding"))
    with tempfile.TemporaryDirectory() as scratch:
        for part in PARTS:
            write(Path(scratch) / part, matrices[part], fields, split.labels[part], model == "ffm")
        subprocess.run([sys.executable, "-c", INNER, model, json.dumps(settings)], cwd=scratch,
                       check=True, capture_output=True,
                       env={**os.environ, "USER": os.environ.get("USER", "bench")})
        return split.figures(*(np.loadtxt(Path(scratch) / f"{part}.out")
                               for part in ("valid", "test")))
