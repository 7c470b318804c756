"""Type stubs and examples: what type checkers and doctest make of the package."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import pairloom

PROGRAM = """
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairloom import Dataset, FMClassifier, FMRanker, FMRegressor, Model, plot_learning_curves

X, y = np.zeros((4, 2)), np.array([0, 1, 0, 1])
fm: FMClassifier = FMClassifier(factors=4, random_state=0, callbacks=lambda epoch: epoch["epoch"] < 3).fit(X, y)
probability: NDArray[np.float64] = fm.predict_proba(X)
history: list[dict[str, Any]] = fm.history_
accuracy: float = fm.score(X, y)
model = Model.load("m.pairloom")
shape: tuple[int, ...] = model.factors.shape
rows: int = len(Dataset(X, y=y))
numbers: NDArray[np.float64] = FMRegressor(model="fwfm").partial_fit(X, y).predict(X)
ndcg: float = FMRanker().fit(X, y, group=[0, 0, 1, 1]).score(X, y)
plot_learning_curves(model).set_title("loss")
"""

WRONG = """
from pairloom import FMClassifier, Model

FMClassifier(factors="4")
FMClassifier(no_such=1)
model = Model.load(3)
model.predict([[0.0]]).no_such
"""


def mypy(tmp_path, program, *flags):
    (tmp_path / "program.py").write_text(program)
    line = [sys.executable, "-m", "mypy", *flags, "--cache-dir", tmp_path / "cache", "program.py"]
    return subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=100)


def test_a_program_passes_mypy_strict(tmp_path):
    pytest.importorskip("mypy")
    done = mypy(tmp_path, PROGRAM, "--strict")
    assert done.returncode == 0, done.stdout


def test_mypy_tells_what_is_wrong(tmp_path):
    pytest.importorskip("mypy")
    done = mypy(tmp_path, WRONG)
    lines = [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line]
    assert lines == ["4", "5", "6", "7"], done.stdout


def test_the_native_part_is_as_its_stub_says(tmp_path):
    pytest.importorskip("mypy")
    line = [sys.executable, "-m", "mypy.stubtest", "pairloom._pairloom"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(pairloom.__path__)] + ["__init__"])
def test_examples(name):
    module = pairloom if name == "__init__" else importlib.import_module(f"pairloom.{name}")
    assert doctest.testmod(module).failed == 0
