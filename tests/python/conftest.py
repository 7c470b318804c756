"""Running the command that the environment variable PAIRLOOM names, each test in its own folder."""

import json
import os
import subprocess

import numpy as np
import pytest


@pytest.fixture
def pairloom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(line, status=0):
        command = [os.environ["PAIRLOOM"], *line.split()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


@pytest.fixture
def predictions(pairloom):
    return lambda line: np.array([float(p) for p in pairloom(f"predict {line}").split()])


@pytest.fixture
def evaluation(pairloom):
    return lambda line: json.loads(pairloom(f"evaluate {line} --json"))


def people(rows, seed=1):
    """Rows with columns of every kind, a label of two values, a target and a weight."""
    import pandas as pd

    random = np.random.default_rng(seed)
    age = random.integers(18, 90, rows).astype(float)
    income = np.round(np.exp(random.normal(8, 1.5, rows)), 2)
    debt = np.round(random.normal(0, 1e4, rows), 3)
    city = random.choice(["Oslo", "Łódź", "San José", 'the "Hub"', "Bath, UK"], rows)
    hobbies = random.choice(["", "ski", "ski|chess", "chess|go|ski", "go", "go|go"], rows)
    score = (age - 50) / 20 + np.log(income) - 8 + (city == "Oslo") * (hobbies != "")
    age[random.random(rows) < 0.1] = np.nan
    return pd.DataFrame({
        "age": age,
        "income": income,
        "debt": debt,
        "city": city,
        "hobbies": hobbies,
        "weight": random.choice([0, 0.5, 1, 3.25], rows),
        "bought": (score + random.normal(0, 1, rows) > 0).astype(int),
        "spent": np.round(100 * score + random.normal(0, 20, rows), 4),
    })
