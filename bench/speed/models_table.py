"""The tables of the models: their rates beside the factorization machine's and the peers', and the
growth of the higher-order machine's cost."""

from peers.settings import NAMES

TITLE = "## Models"

HEAD = """
Training rows per CPU second of one thread: what more epochs take, so that reading cancels out; medians of three
runs that take turns. 200 k rows of 34 one-hot fields, 2^18 features (`pairloom synth`), defaults where nothing is
said. `mf` is for rows of two fields and left out.
"""

PEERS = """
The peers that have such a model, in the same run; the target is a share of ours over theirs.
"""

GROWTH = """
### The higher-order machine's growth

Nanoseconds of a row by k factors, n features and order t, trained with the products of t features alone
(`--no-lower-orders`) and with those of all orders from 2 to t; 40 k rows, 2^12 features, no penalty on factors (see
`docs/speed.md`), medians as above. Divided by k n t, and by k n (2 + ... + t), they are alike where the cost grows
linearly.
"""

# How many times a peer's rate ours is to be.
TIMES = {("xlearn", "ffm"): 2, ("libffm", "ffm"): 2}
OURS = {"ffm": "ffm, k = 4", "fwfm": "fwfm"}


def table(stored, machine):
    """What is held of the section, as Markdown."""
    found = stored["figures"]
    lines = ["", TITLE, "", f"{stored['date']}, {machine}.", HEAD, *rates(found["models"]),
             PEERS, *peers(found), GROWTH, *growth(found["growth"])]
    return "\n".join(lines) + "\n"


def rates(models):
    lines = ["| model | rows per CPU s | of `fm`'s |", "|---|---|---|"]
    for name, cost in models.items():
        lines.append(f"| {name} | {1e9 / cost:,.0f} | {models['fm'] / cost:.2f} |")
    return lines


def peers(found):
    lines = ["| model | peer | its rows per CPU s | ours over it | target | reached |",
             "|---|---|---|---|---|---|"]
    for peer, model, cost in found["peers"]:
        ratio, target = cost / found["models"][OURS[model]], TIMES.get((peer, model))
        wanted = f"{target}x | {'yes' if ratio >= target else 'no'}" if target else "|"
        lines.append(f"| {OURS[model]} | {NAMES[peer]} | {1e9 / cost:,.0f} | {ratio:.2f}x | "
                     f"{wanted} |")
    for peer, why in found["missing"].items():
        lines.append(f"| | {NAMES[peer]} | could not be run: {why} | | | |")
    return lines


def growth(points):
    lines = ["| k | n | t | order t alone, ns | / k n t | all orders, ns | / k n (2 + ... + t) |",
             "|---|---|---|---|---|---|---|"]
    for k, n, t, one, everything in points:
        orders = sum(range(2, t + 1))
        lines.append(f"| {k} | {n} | {t} | {one:,.0f} | {one / (k * n * t):.2f} | "
                     f"{everything:,.0f} | {everything / (k * n * orders):.2f} |")
    return lines
