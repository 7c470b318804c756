"""Long work: Ctrl-C, other threads, memory."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from pairloom import Dataset, FMClassifier

posix = pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")

PREPARE = """
import os, signal, sys, threading, time
import numpy as np
from scipy import sparse
from pairloom import Dataset, FMClassifier
rng = np.random.default_rng(0)

def interrupted(work, after):
    threading.Timer(after, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    try:
        work()
    except KeyboardInterrupt:
        print(time.monotonic() - begun - after)
    else:
        print("it ended before", time.monotonic() - begun)

def matrix(n):
    return sparse.csr_array((np.ones(10 * n, np.float32), rng.integers(0, 1000, 10 * n, dtype=np.int32), np.arange(0, 10 * n + 1, 10, dtype=np.int32)), shape=(n, 1000))
"""

WORK = {
    "fit": """
        data = Dataset(matrix(30_000), y=rng.integers(0, 2, 30_000))
        interrupted(lambda: FMClassifier(epochs=1000, patience=0, valid_fraction=0.0).fit(data), 0.5)
        """,
    "reading": """
        rows = "".join(f"{i % 97},{i % 89}x,{i % 2}\\n" for i in range(100_000))
        with open(sys.argv[1], "w") as file:
            file.write("a,b,label\\n")
            for _ in range(40):
                file.write(rows)
        interrupted(lambda: Dataset(sys.argv[1]), 0.5)
        """,
    "predict": """
        fm = FMClassifier(epochs=1, factors=64, n_jobs=1).fit(matrix(1000), rng.integers(0, 2, 1000))
        many = matrix(2_000_000)
        interrupted(lambda: fm.predict(many), 0.1)
        """,
}


@posix
@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_ctrl_c_is_answered_within_a_second(work, tmp_path):
    program = PREPARE + textwrap.dedent(work)
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "rows.csv"], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1


def test_other_threads_go_on_meanwhile(products):
    X, y = products
    counted, over = [0], threading.Event()

    def count():
        while not over.is_set():
            counted[0] += 1
            time.sleep(0.001)

    data = Dataset(np.tile(X, (20, 1)), y=np.tile(y, 20))
    thread = threading.Thread(target=count)
    thread.start()
    begun, before = time.monotonic(), counted[0]
    try:
        FMClassifier(epochs=3, patience=0).fit(data)
    finally:
        took, during = time.monotonic() - begun, counted[0] - before
        over.set()
        thread.join()
    # It sleeps for a millisecond each time; a fit that held the lock would let it count once or twice.
    assert during > took * 50


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="resident memory is read as Linux tells it")
def test_memory_does_not_grow_with_fits(products):
    X, y = products

    def fit():
        FMClassifier(epochs=1, factors=8, n_jobs=1).fit(X, y).predict_proba(X)

    for _ in range(40):
        fit()
    sizes = []
    for _ in range(100):
        fit()
        sizes.append(resident())
    slope = np.polyfit(np.arange(100), sizes, 1)[0]
    assert slope <= 10_000, f"{slope:.0f} bytes a fit"


@posix
def test_a_handler_of_signals_is_left_as_it_was(products):
    before = signal.getsignal(signal.SIGINT)
    FMClassifier(epochs=1).fit(*products)
    assert signal.getsignal(signal.SIGINT) is before
