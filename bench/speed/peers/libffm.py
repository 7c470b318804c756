"""libffm from PyPI (pylibffm): the field-aware machine of those who brought it, with AdaGrad, from its
own binary rows. It has no other machine, so `rate` is all that it is asked for."""

import json
import os

import common
from pylibffm import make_bin, train_with_bin
from rows import fields, matrix


def main():
    call = common.arguments()
    os.environ["OMP_NUM_THREADS"] = str(call.threads)
    labels, ids = common.read(call.train)
    x = matrix(ids, common.FEATURES)
    folder = f"{call.train}.pylibffm"
    os.makedirs(folder, exist_ok=True)
    made, _ = make_bin(folder, x, labels, fields(ids, common.FEATURES))

    def train(epochs):
        clock = common.Clock()
        train_with_bin(made, {
            "eta": call.settings["rate"], "lambda": call.settings["l2"], "k": call.factors,
            "nr_iters": epochs, "normalization": False})
        return clock.spent()

    few, many = train(1), train(3)
    print(json.dumps({name: (many[name] - few[name]) / 2 for name in few}))


main()
