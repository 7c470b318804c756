"""The command that the environment variable PAIRLOOM names, and data that tests share."""

import os
import subprocess
import warnings

# Before scipy is imported: checks of scikit-learn ask for it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
from scipy import sparse


@pytest.fixture
def command(tmp_path):
    """Runs the command in the test's own folder, and gives its standard output."""
    if "PAIRLOOM" not in os.environ:
        pytest.skip("PAIRLOOM names no command to compare with")

    def run(*arguments):
        line = [os.environ["PAIRLOOM"], *map(str, arguments)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=120, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def quiet():
    """Lets no warning end a test that is about something else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="session")
def products():
    """Rows (X, y) of four numbers whose classes follow the sign of a product, which a line cannot tell."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.fixture(scope="session")
def sums():
    """Rows (X, y) of three numbers and a target with a product in it."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 3))
    return X, X[:, 0] - 2 * X[:, 1] + X[:, 0] * X[:, 2]


@pytest.fixture(scope="session")
def counts():
    """Rows (X, y) of a CSR matrix of three classes."""
    rng = np.random.default_rng(2)
    X = sparse.random_array((240, 12), density=0.3, format="csr", rng=rng)
    y = np.asarray(X[:, :4].sum(axis=1)).ravel() > 0.6
    return X, y.astype(int) + (np.asarray(X[:, 4:8].sum(axis=1)).ravel() > 0.6)


def same_weights(one, other):
    """Whether two models have the same weights bit for bit."""
    one, other = (getattr(model, "model_", model) for model in (one, other))
    parts = ("bias", "linear", "factors", "shared")
    return all(getattr(one, part).tobytes() == getattr(other, part).tobytes() for part in parts)
