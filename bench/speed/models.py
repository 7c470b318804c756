"""The models beside each other and beside the peers that have them, and how the cost of the
higher-order machine grows."""

from dataclasses import dataclass

from data import Data
from peer_runs import in_turns
from peers.settings import MODELS
from programs import Pairloom, Peer, install
from tools import median


@dataclass
class Size:
    """How much is measured."""

    rows: int
    growth_rows: int
    repeats: int
    most_epochs: int


FULL = Size(rows=200_000, growth_rows=40_000, repeats=3, most_epochs=40)
QUICK = Size(rows=200, growth_rows=200, repeats=1, most_epochs=2)

# What the command is told, and the epochs after which it has trained for about two seconds. `mf` is
# missing since it is for rows of two fields.
WAYS = {
    "linear": (["--model", "linear"], 31),
    "fm": (["--model", "fm"], 21),
    "ffm, k = 4": (["--model", "ffm", "--factors", 4], 5),
    "ffm, k = 8": (["--model", "ffm", "--factors", 8], 3),
    "fwfm": (["--model", "fwfm"], 5),
    "dplr": (["--model", "dplr"], 5),
    "fmfm, k = 8": (["--model", "fmfm", "--factors", 8], 2),
    "hofm, order 3": (["--model", "hofm", "--order", 3], 7),
}

# So few features that their factors lie in the nearer caches: what grows is the arithmetic.
GROWTH_FEATURES = 1 << 12
GROWTH_EPOCHS = 6
K, FEATURES_OF_A_ROW, ORDER = 16, 40, 3
POINTS = list(dict.fromkeys([
    *((k, FEATURES_OF_A_ROW, ORDER) for k in (8, 16, 32, 64)),
    *((K, nnz, ORDER) for nnz in (10, 20, 40, 80)),
    *((K, FEATURES_OF_A_ROW, order) for order in (2, 3, 4, 5)),
]))


def measure(pairloom, folder, size):
    """Nanoseconds of processor time that a row costs in training, on one thread."""
    return {**beside(pairloom, folder, size), "growth": growth(pairloom, folder, size)}


def beside(pairloom, folder, size):
    data = Data(pairloom, folder, train=size.rows, test=500)
    missing = install(dict.fromkeys(peer for peer, _ in MODELS)) if size is FULL else {}
    runs = {name: of_command(data, words, min(epochs, size.most_epochs))
            for name, (words, epochs) in WAYS.items()}
    for (peer, model), settings in MODELS.items():
        if size is FULL and peer not in missing:
            runs[peer, model] = of_peer(Peer(peer, data, {"model": model, **settings}))
    found = medians(runs, size.rows, size.repeats)
    return {"missing": missing, "models": {name: found[name] for name in WAYS},
            "peers": [[*name, cost] for name, cost in found.items() if name not in WAYS]}


def of_command(data, words, epochs):
    return lambda: Pairloom(data).epoch(1, *words, many=epochs)


def of_peer(peer):
    return lambda: peer.epoch(1)


def medians(runs, rows, repeats):
    """What a row costs each of the runs, which take turns."""
    taken = in_turns(runs, repeats)
    return {name: median([run["cpu"] for run in taken[name]]) * 1e9 / rows for name in runs}


def growth(pairloom, folder, size):
    """What a row costs the machine of one order alone, and with all lower ones. Without a penalty,
    which would bring factors so near to 0 that arithmetic with them is slow."""
    runs = {}
    for k, nnz, order in POINTS:
        data = Data(pairloom, folder / f"{nnz}", train=size.growth_rows, test=500, fields=nnz,
                    features=GROWTH_FEATURES)
        words = ["--model", "hofm", "--factors", k, "--order", order, "--l2-factors", 0]
        epochs = min(GROWTH_EPOCHS, size.most_epochs)
        runs[k, nnz, order, "all"] = of_command(data, words, epochs)
        runs[k, nnz, order, "one"] = of_command(data, [*words, "--no-lower-orders"], epochs)
    found = medians(runs, size.growth_rows, size.repeats)
    return [[*point, found[*point, "one"], found[*point, "all"]] for point in POINTS]
