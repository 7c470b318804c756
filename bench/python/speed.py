"""The Python package beside the command and beside peers, on the set of the bench of speed: 34 one-hot fields,
2^18 features, k = 16; and data frames of names."""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import sparse

FIELDS, FEATURES, FACTORS, EPOCHS, REPEATS = 34, 1 << 18, 16, 5, 3
SAME = {"factors": FACTORS, "valid_fraction": 0.0, "patience": 0}


def spent(work):
    """Seconds by the clock and of processors that work takes, in this process and in those it starts."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    began = time.perf_counter()
    work()
    wall = time.perf_counter() - began
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(usage, after))
    return wall, cpu


def in_turns(runs):
    """Medians of what runs take that take turns, so that a busy moment meets all of them."""
    found = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, run in runs.items():
            found[name].append(spent(run))
            print(name, [round(x, 2) for x in found[name][-1]], file=sys.stderr, flush=True)
    return {name: [statistics.median(column) for column in zip(*times)] for name, times in found.items()}


def synth(pairloom, folder, rows):
    """The rows as libsvm, as the command keeps them, and as a CSR matrix."""
    folder.mkdir(parents=True, exist_ok=True)
    text, cache, arrays = (folder / f"rows-{rows}.{end}" for end in ("libsvm", "rows", "npz"))
    if not arrays.exists():
        words = ["--rows", rows, "--fields", FIELDS, "--features", FEATURES, "--positives", 0.22]
        call(pairloom, "synth", *words, "--format", "libsvm", "--output", text)
        call(pairloom, "convert", text, "--output", cache, "--quiet")
        lines = np.array([line.replace(b":1", b"").split() for line in text.read_bytes().splitlines()], dtype=np.int64)
        np.savez(arrays, y=lines[:, 0], ids=lines[:, 1:].astype(np.int32))
    found = np.load(arrays)
    ids = found["ids"]
    starts = np.arange(0, ids.size + 1, FIELDS, dtype=np.int32)
    values = np.ones(ids.size, dtype=np.float32)
    return text, cache, sparse.csr_matrix((values, ids.ravel(), starts), shape=(len(ids), FEATURES + 1)), found["y"]


def call(*words):
    # xLearn calls its log by the user's name, and ends without one.
    environment = {"USER": "bench", **os.environ}
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, env=environment)


def fits(pairloom, text, cache, X, y):
    """What trainings of so many epochs take: reading, encoding and all."""
    from pairloom import FMClassifier

    model = tempfile.mktemp(suffix=".pairloom")
    flags = ["--factors", FACTORS, "--valid-fraction", 0, "--patience", 0, "--epochs", EPOCHS, "--quiet"]
    runs = {
        "pairloom train, from its cache": lambda: call(pairloom, "train", cache, "--output", model, *flags),
        "FMClassifier.fit, CSR": lambda: FMClassifier(epochs=EPOCHS, **SAME).fit(X, y),
    }
    doubles = X.astype(np.float64)
    try:
        import modern_fm

        settings = {"batch_size": 1, "learning_rate": 0.02, "l2_linear": 1e-5, "l2_factors": 1e-5}
        made = modern_fm.FMClassifier(n_factors=FACTORS, max_iter=EPOCHS, n_jobs=os.cpu_count(), **settings)
        runs["modern-fm 1.1.2, CSR"] = lambda: made.fit(doubles, y)
    except ImportError:
        pass
    try:
        import myfm

        machine = myfm.MyFMClassifier(rank=FACTORS)
        runs["myFM, as many iterations of Gibbs sampling"] = lambda: machine.fit(
            doubles, y, n_iter=EPOCHS, n_kept_samples=1)
    except ImportError:
        pass
    try:
        import xlearn  # noqa: F401

        runs["xLearn 0.40a1, from its cache"] = lambda: call(sys.executable, "-c", XLEARN, text, FACTORS, EPOCHS)
        runs["xLearn 0.40a1, from its cache"]()
    except ImportError:
        pass
    return in_turns(runs)


XLEARN = """
import sys, xlearn
machine = xlearn.create_fm()
machine.setTrain(sys.argv[1]); machine.disableNorm(); machine.disableEarlyStop()
machine.fit({"task": "binary", "opt": "adagrad", "lr": 0.05, "lambda": 5e-4, "k": int(sys.argv[2]),
             "epoch": int(sys.argv[3])}, "none")
"""


def predictions(pairloom, cache, X, y):
    from pairloom import FMClassifier

    ours = FMClassifier(epochs=1, **SAME).fit(X, y)
    model, out = tempfile.mktemp(suffix=".pairloom"), tempfile.mktemp()
    ours.model_.save(model)
    runs = {
        "pairloom predict, from its cache": lambda: call(pairloom, "predict", model, cache, "--output", out),
        "FMClassifier.predict_proba, CSR": lambda: ours.predict_proba(X),
    }
    try:
        import modern_fm

        doubles = X.astype(np.float64)
        theirs = modern_fm.FMClassifier(n_factors=FACTORS, max_iter=1, n_jobs=os.cpu_count(), batch_size=1)
        theirs.fit(doubles, y)
        runs["modern-fm 1.1.2, predict_proba"] = lambda: theirs.predict_proba(doubles)
    except ImportError:
        pass
    return in_turns(runs)


def frames(rows):
    """What reading and encoding 20 columns of names takes, of about 1,000 distinct values each."""
    import pandas
    import polars
    import pyarrow

    from pairloom import Dataset

    random = np.random.default_rng(0)
    names = [np.array([f"c{column}_{value}" for value in range(1000)]) for column in range(20)]
    codes = [np.minimum((random.pareto(1.2, rows) * 10).astype(int), 999) for _ in range(20)]
    texts = {f"c{column}": names[column][codes[column]] for column in range(20)}
    y = (random.random(rows) < 0.2).astype(int)
    kinds = {
        "polars": polars.DataFrame(texts),
        "pyarrow": pyarrow.table({name: pyarrow.array(values) for name, values in texts.items()}),
        "pandas, category": pandas.DataFrame(
            {f"c{c}": pandas.Categorical.from_codes(codes[c], names[c]) for c in range(20)}),
        "pandas, str": pandas.DataFrame({name: pandas.Series(values, dtype="str") for name, values in texts.items()}),
        "pandas, object": pandas.DataFrame({name: pandas.Series(values.astype(object), dtype=object)
                                            for name, values in texts.items()}),
    }
    return in_turns({f"Dataset of {name}": lambda frame=frame: Dataset(frame, y=y) for name, frame in kinds.items()})


def table(title, times, rows, first):
    lines = [f"| {title} | wall, s | processor, s | rows a second | over {first} |", "|---|---|---|---|---|"]
    for name, (wall, cpu) in times.items():
        lines.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {rows / wall:,.0f} | {wall / times[first][0]:.2f}x |")
    return "\n".join(lines) + "\n"


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--pairloom", required=True)
    words.add_argument("--folder", type=Path, required=True)
    words.add_argument("--rows", type=int, default=1_000_000)
    words.add_argument("--store", action="store_true")
    said = words.parse_args()
    text, cache, X, y = synth(said.pairloom, said.folder, said.rows)
    parts = [
        table(f"{EPOCHS} epochs, {said.rows:,} rows", fits(said.pairloom, text, cache, X, y), said.rows,
              "pairloom train, from its cache"),
        table(f"prediction, {said.rows:,} rows", predictions(said.pairloom, cache, X, y), said.rows,
              "pairloom predict, from its cache"),
        table(f"{said.rows:,} rows of 20 columns of names", frames(said.rows), said.rows, "Dataset of polars"),
    ]
    machine = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {platform.python_version()}."
    page = f"# The bench of the Python package\n\n`bench/python/run --store` writes this page. Medians of {REPEATS} runs that take turns; {machine}\n\n" + "\n".join(parts)
    print(page)
    if said.store:
        (Path(__file__).parent / "RESULTS.md").write_text(page, encoding="utf-8")
    print(json.dumps({"rows": said.rows}), file=sys.stderr)


main()
