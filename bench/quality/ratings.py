#!/usr/bin/env python3
"""Ratings by user and movie, and with what else is known of both: genres, year, and what the user liked before.

    bench/quality/ratings.py DATA FOLDER [--binary PAIRLOOM] [--splits N]

DATA holds ml-latest-small. FOLDER is made: train, valid and test rows (80, 10 and 10 %) of each split stay in it.
"""

import argparse
import csv
import json
import pathlib
import random
import re
import statistics
import subprocess

COLUMNS = ["userId", "movieId", "genres", "year", "liked", "rating"]
# What is left out of all columns.
SETS = {
    "user and movie": "genres,year,liked",
    "genres": "year,liked",
    "movies liked before": "genres,year",
    "genres, movies liked before": "year",
    "genres, year, movies liked before": None,
}


def write(data, folder, seed):
    """The rows of a split; `liked` are movies of training rows alone, of an earlier time than the row's own."""
    with open(data / "movies.csv") as file:
        movies = {row["movieId"]: row for row in csv.DictReader(file)}
    with open(data / "ratings.csv") as file:
        rows = list(csv.DictReader(file))
    random.Random(seed).shuffle(rows)
    tenth = len(rows) // 10
    parts = {"test": rows[:tenth], "valid": rows[tenth : 2 * tenth], "train": rows[2 * tenth :]}
    liked = {}
    for row in parts["train"]:
        if float(row["rating"]) >= 4:
            liked.setdefault(row["userId"], []).append((int(row["timestamp"]), row["movieId"]))
    for part, of_part in parts.items():
        with open(folder / f"{part}{seed}.csv", "w") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(COLUMNS)
            for row in of_part:
                movie = movies[row["movieId"]]
                year = re.search(r"\((\d{4})\)\s*$", movie["title"])
                before = [id for time, id in liked.get(row["userId"], []) if time < int(row["timestamp"])]
                told = [movie["genres"], year and year[1], "|".join(before)]
                out.writerow([row["userId"], row["movieId"], *told, row["rating"]])


def rmse(binary, folder, seed, left_out):
    columns = ["--ignore", left_out] if left_out else []
    multi = [f"{name}=|" for name in ("genres", "liked") if name not in (left_out or "")]
    categorical = "userId,movieId" + (",year" if not left_out else "")
    for column in multi:
        columns += ["--multi", column]
    run = lambda *line: subprocess.run(
        [binary, *line], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    run("train", f"train{seed}.csv", "--valid", f"valid{seed}.csv", "--label", "rating",
        "--categorical", categorical, *columns, "-q", "-o", "m", "--restart")  # fmt: skip
    return json.loads(run("evaluate", "m", f"test{seed}.csv", "--json"))["rmse"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--binary", default="target/release/pairloom")
    parser.add_argument("--splits", type=int, default=5)
    args = parser.parse_args()
    binary = pathlib.Path(args.binary).resolve()
    args.folder.mkdir(parents=True, exist_ok=True)
    for seed in range(args.splits):
        write(args.data / "ml-latest-small", args.folder, seed)
    print("| | RMSE | less than with user and movie alone |\n|---|---|---|")
    alone = None
    for name, left_out in SETS.items():
        found = [rmse(binary, args.folder, seed, left_out) for seed in range(args.splits)]
        alone = alone or found
        less = [before - now for before, now in zip(alone, found)]
        spread = f" ± {statistics.stdev(less):.4f}" if len(less) > 1 else ""
        sure = f"{statistics.mean(less):.4f}{spread}" if found is not alone else ""
        print(f"| {name} | {statistics.mean(found):.4f} | {sure} |")


if __name__ == "__main__":
    main()
