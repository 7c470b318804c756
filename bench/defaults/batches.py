"""Validation log loss with the usual batches, and with large ones as a GPU takes them, on the CPU.

    python batches.py [--binary PAIRLOOM] [--rows 2000000] [--fields 39] [--batches 8192,65536]
                      [--args "--model ffm"] [--data TRAIN VALID] [--seeds 0,1,2]
                      [--momentum 0.9] [--growth 0.02]

Without --data the rows are drawn by `pairloom synth`, and 200,000 of another sample are the validation rows. A line
for each seed and batch: the best epoch's log loss (RMSE of labels that are numbers), and how far it is from that of
the usual batch.
"""

import argparse
import json
import shlex
import statistics
import tempfile
from pathlib import Path

from study import call


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="pairloom", help="the pairloom command")
    parser.add_argument("--rows", default="2000000")
    parser.add_argument("--fields", default="39")
    parser.add_argument("--data", nargs=2, metavar=("TRAIN", "VALID"), help="files to learn from and to measure")
    parser.add_argument("--batches", default="65536")
    parser.add_argument("--args", default="", metavar="FLAGS", help="further flags of pairloom train")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--growth", default="0.02", help="the growth of large batches")
    parser.add_argument("--momentum", default="0.9", help="their momentum: a GPU takes 1 - 4 / features in a row")
    parser.add_argument("--threads", default="0")
    return parser.parse_args()


def best(options, files, folder, seed, batch):
    """The figure of the best epoch, its number, and how many there were."""
    large = ["--batch-size", batch, "--batch-growth", options.growth, "--momentum", options.momentum]
    flags = large if batch else []
    lines = call(options.binary, "train", files[0], "--valid", files[1], "--seed", seed, "--threads", options.threads,
                 "--json", "--output", folder / "model.pairloom", *flags, *shlex.split(options.args)).splitlines()
    events = [json.loads(line) for line in lines]
    epochs = [event["valid"] for event in events if event["event"] == "epoch"]
    name = next(name for name in ("log_loss", "rmse", "ndcg", "poisson_deviance") if name in epochs[0])
    figures = [epoch[name] for epoch in epochs]
    figure = (max if name == "ndcg" else min)(figures)
    return figure, 1 + figures.index(figure), len(figures)


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        files = options.data
        if not files:
            for sample, rows in enumerate([options.rows, 200_000]):
                call(options.binary, "synth", "--rows", rows, "--fields", options.fields, "--sample", sample,
                     "--output", folder / f"{sample}.tsv")
            call(options.binary, "convert", folder / "0.tsv", "--output", folder / "0.rows")
            files = [folder / "0.rows", folder / "1.tsv"]
        apart = {}
        for seed in options.seeds.split(","):
            usual, epoch, epochs = best(options, files, folder, seed, None)
            print(f"seed {seed}  usual batch    {usual:.5f} (epoch {epoch} of {epochs})", flush=True)
            for batch in options.batches.split(","):
                figure, epoch, epochs = best(options, files, folder, seed, batch)
                apart.setdefault(batch, []).append(figure - usual)
                print(f"seed {seed}  batch {batch:>8} {figure:.5f} (epoch {epoch} of {epochs}) {figure - usual:+.5f}",
                      flush=True)
        for batch, figures in apart.items():
            print(f"batch {batch}: {statistics.mean(figures):+.5f} in the mean")


if __name__ == "__main__":
    main()
