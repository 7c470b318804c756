"""Type stubs and examples: what type checkers and doctest make of the package."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import pairloom

PROGRAM = """
import numpy as np

from pairloom import Dataset, FMClassifier, FMRegressor, Model

X, y = np.zeros((4, 2)), np.array([0, 1, 0, 1])
fm = FMClassifier(factors=4, random_state=0).fit(X, y)
probability = fm.predict_proba(X)
model = Model.load("m.pairloom")
shape: tuple[int, ...] = model.factors.shape
rows: int = len(Dataset(X, y=y))
FMRegressor(model="fwfm").partial_fit(X, y).predict(X)
"""


def test_a_program_passes_mypy_strict(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "program.py").write_text(PROGRAM)
    # What is called is typed by its own package's stubs or by none.
    line = [sys.executable, "-m", "mypy", "--strict", "--allow-untyped-calls", "--cache-dir", tmp_path / "cache", "program.py"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 0, done.stdout


def test_the_native_part_is_as_its_stub_says(tmp_path):
    pytest.importorskip("mypy")
    line = [sys.executable, "-m", "mypy.stubtest", "pairloom._pairloom"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(pairloom.__path__)] + ["__init__"])
def test_examples(name):
    module = pairloom if name == "__init__" else importlib.import_module(f"pairloom.{name}")
    assert doctest.testmod(module).failed == 0
