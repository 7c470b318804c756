"""What the scripts of the peers share. Each is called as

    PEER.py quality|rate|cold TRAIN TEST EPOCHS THREADS [NAME=VALUE...]

and prints one line of JSON. `quality`: the test log loss after each epoch. `rate`: what an epoch
takes. `cold`: what it takes from the text to a model of so many epochs, and the reading of it. The
settings `model` and `factors` are for peers that have more than factorization machines.
"""

import json
import sys
import time
from dataclasses import dataclass

import numpy as np

FACTORS = 16
FEATURES = (1 << 18) + 1


@dataclass
class Call:
    mode: str
    train: str
    test: str
    epochs: int
    threads: int
    model: str
    factors: int
    settings: dict


def arguments():
    mode, train, test, epochs, threads, *settings = sys.argv[1:]
    words = dict(word.split("=") for word in settings)
    model, factors = words.pop("model", "fm"), int(words.pop("factors", FACTORS))
    values = {name: float(value) for name, value in words.items()}
    return Call(mode, train, test, int(epochs), int(threads), model, factors, values)


class Clock:
    """Wall and processor seconds since it was made."""

    def __init__(self):
        self.began = time.perf_counter(), time.process_time()

    def spent(self):
        wall, cpu = self.began
        return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def read(path):
    """Labels and features of a libffm file whose rows all have as many: much faster than the
    readers that the peers bring."""
    with open(path, "rb") as file:
        first = file.readline()
        width = len(first.split()) - 1
        text = first + file.read()
    numbers = np.fromstring(text.replace(b":", b" "), dtype=np.int32, sep=" ")
    table = numbers.reshape(-1, 1 + 3 * width)
    return table[:, 0].astype(np.float32), np.ascontiguousarray(table[:, 2::3])


def log_loss(labels, probabilities):
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-np.mean(np.where(labels > 0.5, np.log(p), np.log1p(-p))))


def main(make, features=FEATURES):
    """Runs a peer that trains in this process: `make(features, call)` has `epoch(labels, ids,
    number)` and `predict(ids)`."""
    call = arguments()
    clock = Clock()
    labels, ids = read(call.train)
    reading = clock.spent()
    model = make(features, call)
    if call.mode == "quality":
        test_labels, test_ids = read(call.test)
        losses = []
        for number in range(call.epochs):
            model.epoch(labels, ids, number)
            losses.append(log_loss(test_labels, model.predict(test_ids)))
        found = {"losses": losses}
    elif call.mode == "rate":
        # The first epoch takes memory and starts threads.
        model.epoch(labels[:10_000], ids[:10_000], 0)
        clock = Clock()
        model.epoch(labels, ids, 1)
        found = clock.spent()
    else:
        for number in range(call.epochs):
            model.epoch(labels, ids, number)
        found = {"wall": clock.spent()["wall"], "read_cpu": reading["cpu"]}
    print(json.dumps(found))
