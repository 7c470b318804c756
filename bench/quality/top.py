"""The last movie of each user, ranked among all that the user has not rated: NDCG and recall at 10.

Sizes (and of LightFM, which has no early stopping, epochs) are chosen by the movie before the last, with the
first seed; then each is trained on all but the last movie with five seeds. Figures of both are computed here, from
ranks in which equal scores count half.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import tempfile

import numpy as np
import scipy.sparse as sparse
from lightfm import LightFM


def rows_of(data):
    """Rows of (user, movie), of each user in the order of time."""
    with open(data / "ratings.csv") as file:
        rows = [(r["userId"], r["movieId"], int(r["timestamp"])) for r in csv.DictReader(file)]
    users = {}
    for user, movie, _ in sorted(rows, key=lambda row: row[2]):
        users.setdefault(user, []).append(movie)
    return users


def split(users, held):
    """All but the last `held` movies of each user, and the one after them."""
    train = [(user, movie) for user, movies in users.items() for movie in movies[:-held]]
    return train, [(user, movies[-held]) for user, movies in users.items()]


def figures(scores, train, test, places):
    """NDCG and recall at 10 of a matrix of scores, by users and movies."""
    scores = scores.copy()
    for user, movie in train:
        scores[places[0][user], places[1][movie]] = -np.inf
    ndcg = recall = 0
    for user, movie in test:
        of_user = scores[places[0][user]]
        own = of_user[places[1][movie]]
        rank = (of_user > own).sum() + ((of_user == own).sum() - 1) / 2
        if rank < 10:
            ndcg, recall = ndcg + 1 / np.log2(rank + 2), recall + 1
    return ndcg / len(test), recall / len(test)


def lightfm(train, places, size, epochs, seed):
    at = [[places[side][row[side]] for row in train] for side in (0, 1)]
    known = sparse.coo_matrix((np.ones(len(train)), at), shape=[len(p) for p in places])
    model = LightFM(no_components=size, loss="warp", random_state=seed)
    done = 0
    for stop in epochs:
        model.fit_partial(known, epochs=stop - done, num_threads=1)
        done = stop
        (_, users), (bias, items) = model.get_user_representations(), model.get_item_representations()
        yield users @ items.T + bias


def write(path, header, rows):
    with open(path, "w") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def pairloom(binary, train, test, movies, size, seed):
    with tempfile.TemporaryDirectory() as folder:
        write(f"{folder}/train.csv", ["user", "movie", "seen"], [(*row, 1) for row in train])
        write(f"{folder}/test.csv", ["user", "movie", "seen"], [(*row, 1) for row in test])
        write(f"{folder}/movies.csv", ["movie"], [[movie] for movie in movies])
        run = lambda line: subprocess.run(
            [binary, *line.split()], cwd=folder, check=True, capture_output=True, text=True
        ).stdout
        run(
            "train train.csv --label seen --group user --categorical user,movie --item movie --min-count 1 "
            "--loss listwise --negatives 100 --valid-fraction 0.05 --threads 1 -q -o m "
            f"--factors {size} --seed {seed}"
        )
        found = json.loads(run("evaluate m test.csv --items movies.csv --seen train.csv --json"))
        return found["ndcg"], found["recall"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--binary", type=lambda path: str(pathlib.Path(path).resolve()))
    numbers = lambda text: [int(number) for number in text.split(",")]
    parser.add_argument("--sizes", type=numbers, default=[16, 32, 64, 128])
    parser.add_argument("--epochs", type=numbers, default=[20, 40, 60, 80], help="of LightFM")
    parser.add_argument("--seeds", type=numbers, default=list(range(5)))
    args = parser.parse_args()
    users = rows_of(args.data)
    movies = sorted({movie for all_of in users.values() for movie in all_of}, key=int)
    places = [{name: at for at, name in enumerate(names)} for names in (users, movies)]
    (tuning, valid), (train, test) = split(users, 2), split(users, 1)
    # The last of all is not known while sizes are chosen.
    best = {}
    for size in args.sizes:
        for epochs, scores in zip(args.epochs, lightfm(tuning, places, size, args.epochs, 0)):
            best["lightfm", size, epochs] = figures(scores, tuning, valid, places)
        best["pairloom", size, None] = pairloom(args.binary, tuning, valid, movies, size, 0)
    print("| | size | epochs | NDCG@10 | recall@10 |\n|---|---|---|---|---|")
    for name in ("pairloom", "lightfm"):
        _, size, epochs = max((key for key in best if key[0] == name), key=best.get)
        if name == "pairloom":
            runs = [pairloom(args.binary, train, test, movies, size, seed) for seed in args.seeds]
        else:
            scores = [list(lightfm(train, places, size, [epochs], seed))[0] for seed in args.seeds]
            runs = [figures(of_seed, train, test, places) for of_seed in scores]
        cells = [f"{statistics.mean(x):.4f} ± {statistics.stdev(x):.4f}" for x in zip(*runs)]
        print(f"| {name} | {size} | {epochs or 'by validation rows'} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
