"""The page of what was measured, beside what was to be reached and beside the limits of the device."""

import statistics

FACTORS, OF_A_ROW = 16, 39
# Numbers that each optimizer keeps beside a weight.
STATES = {"adagrad": 1, "adam": 2}
# Log losses that are called equal.
EQUAL = 0.001
TABLES = [20, 24]
# Parts that are trainings, and where their rows lie.
RUNS = {"train": "in memory", "train-file": "from a file"}

HEAD = """# The bench of the GPU

`bench/gpu/run --store` writes this page. {machine}.

Rows of 39 features by Zipf's law, k = 16, hashed into a table of 2^20 or 2^24; rows and weights lie on the GPU; medians
of repeated passes, timed from the host up to the last step's loss; PyTorch by events of the device.
"""

STEPS = """
## Steps

Rows a second in training. What a step must move at least: the row's ids and its label, and of each different feature
of the batch weights and the optimizer's state, read once and written once; *gathered* counts the weights of each of a
row's features once more, as if no cache had them. The limit is the copy over the device's memory over that many bytes.
PyTorch is the best of the ways below, at the same batch. Log losses are of held-out rows after the first pass, from the
same weights; saying a constant has {constant}.
"""

WAYS = """
## PyTorch

{torch} on {device}; a copy over its memory moves {copy:.2f} TB/s, read and written. The steps are ours, over the same
rows from the same weights; but Adam that is dense also moves what a batch has not.
"""

KERNELS = """
## Kernels

By ncu, which runs them one after the other: {steps} steps of {rows:,} rows with AdaGrad, table of 2^20, then
{scored:,} rows scored. Medians of launches, times launches a step.
"""

TRAIN = """
## Epochs of the command

`pairloom train clicks.rows --device cuda`: {rows:,} rows of 39 fields (`pairloom synth`), hashed to 2^24, with the
defaults of the device: AdaGrad, batches of 2^16 that begin small. An epoch is the median of those after the first.
"""


def page(found):
    """Markdown of all parts that there are figures for."""
    parts = [HEAD.format(machine=found.get("machine", "Nothing is measured"))]
    parts += [targets(found), steps(found), ways(found), kernels(found), train(found), checks(found)]
    return "\n".join(part.strip() + "\n" for part in parts if part)


def has(found, part):
    return part in found and "left out" not in found[part]


def millions(rate):
    return f"{rate / 1e6:.2f} M"


def rates(found, bits):
    """Of each optimizer and batch of a table the rates."""
    if not has(found, f"step-{bits}"):
        return {}
    names = {name: name.removeprefix("training, ").split(", batch 2^") for name in found[f"step-{bits}"]
             if name.startswith("training, ")}
    return {(optimizer, int(batch)): found[f"step-{bits}"][name] for name, (optimizer, batch) in names.items()}


def peers(found, bits):
    """Of each optimizer and batch the ways that PyTorch could."""
    cases = found[f"torch-{bits}"]["cases"] if has(found, f"torch-{bits}") else []
    grouped = {}
    for case in cases:
        if "median" in case:
            grouped.setdefault((case["optimizer"], case["batch"]), []).append(case)
    return grouped


def bytes_of_a_row(optimizer, features, batch):
    """At least, and with every feature's weights gathered for each row."""
    weights = 4 * (FACTORS + 1)
    least = 4 * (OF_A_ROW + 2) + 2 * weights * (1 + STATES[optimizer]) * features / (1 << batch)
    return least, least + weights * OF_A_ROW


def copy_rate(found):
    return next((found[f"torch-{bits}"]["copy"] for bits in TABLES if has(found, f"torch-{bits}")), None)


def targets(found):
    lines = ["## Targets", "", "| what | target | measured | | reached |", "|---|---|---|---|---|"]

    def add(what, target, share, shown, beside=""):
        met = "not measured" if share is None else "" if not target else "yes" if share >= 1 else "no"
        lines.append(f"| {what} | {target} | {shown} | {beside} | {met} |")

    for bits in TABLES:
        for optimizer in STATES:
            goal = 100e6 if bits == 20 else None
            best_rate(found, bits, optimizer, goal, add)
    for bits in TABLES:
        for optimizer in STATES:
            ratio(found, bits, optimizer, add)
    predictions(found, add)
    epochs(found, add)
    same_quality(found, add)
    return "\n".join(lines)


def best_rate(found, bits, optimizer, goal, add):
    rate = {batch: each["median"] for (of, batch), each in rates(found, bits).items() if of == optimizer}
    what, target = f"training, {optimizer}, table of 2^{bits}", f"{millions(goal)} rows/s" if goal else ""
    if not rate:
        add(what, target, None, "")
        return
    batch = max(rate, key=rate.get)
    add(what, target, rate[batch] / (goal or 1), f"{millions(rate[batch])} rows/s", f"batch 2^{batch}")


def ratio(found, bits, optimizer, add):
    """At the batch where we are the least ahead."""
    ours, theirs = rates(found, bits), peers(found, bits)
    both = {case: ours[case]["median"] / max(way["median"] for way in theirs[case])
            for case in ours if case in theirs and case[0] == optimizer}
    what = f"over PyTorch, {optimizer}, table of 2^{bits}, same batch"
    if not both:
        add(what, "20x", None, "")
        return
    least, most = min(both, key=both.get), max(both, key=both.get)
    beyond = f"; at 2^{most[1]} {both[most]:.1f}x" if most != least else ""
    add(what, "20x", both[least] / 20, f"{both[least]:.1f}x", f"at 2^{least[1]}{beyond}")


def predictions(found, add):
    what, target = "prediction, table of 2^20", "300 M rows/s"
    alone = scored_alone(found)
    beside = f"the kernel alone {millions(alone)} (ncu)" if alone else ""
    if not has(found, "step-20"):
        add(what, target, None, "", beside)
        return
    figures = found["step-20"]
    rate = figures["prediction"]["median"]
    brought, entering = (millions(figures[name]["median"]) for name in ("prediction, brought", "entering"))
    brought = f"{brought} with rows of the host, of which {entering} can be copied there"
    add(what, target, rate / 300e6, f"{millions(rate)} rows/s", "; ".join(filter(None, [brought, beside])))


def epochs(found, add):
    runs = {part: found[part] for part in RUNS if has(found, part)}
    seconds = {part: later(run["epochs"]) for part, run in runs.items()}
    what, share = "an epoch of the command, 45.8 M rows, table of 2^24", "from a file on disk, over the rate in memory"
    if "train" not in runs:
        add(what, "", None, "")
    else:
        add(what, "", 1, f"{seconds['train']:.2f} s", f"{millions(runs['train']['rows'] / seconds['train'])} rows/s")
    if len(runs) < len(RUNS):
        add(share, "", None, "")
    else:
        note = "" if runs["train-file"]["on_disk"] else "; THE ROWS HAD ROOM IN MEMORY"
        add(share, "", 1, f"{seconds['train'] / seconds['train-file']:.0%}",
            f"{seconds['train-file']:.2f} to {seconds['train']:.2f} s{note}")


def same_quality(found, add):
    what, target = "validation log loss over that of the CPU's defaults", "0.0002"
    if not has(found, "quality"):
        add(what, target, None, "")
        return
    first, *others = [run["log loss"] for run in found["quality"]["runs"].values()]
    apart = max(others) - first
    shown = ", ".join(f"{name} {run['log loss']:.5f}" for name, run in found["quality"]["runs"].items())
    add(what, target, 1 if apart <= 0.0002 else 0, f"{apart:+.5f}", f"{shown}; {found['quality']['rows']:,} rows")


def later(epochs):
    return statistics.median(epochs[1:] or epochs)


def steps(found):
    copy = copy_rate(found)
    lines = []
    for bits in TABLES:
        theirs = peers(found, bits)
        for (optimizer, batch), rate in rates(found, bits).items():
            figures = found[f"step-{bits}"]
            features = figures[f"features of a batch, 2^{batch}"]
            loss = figures[f"log loss, {optimizer}, batch 2^{batch}"]
            sizes = bytes_of_a_row(optimizer, features, batch)
            shares = [f"{rate['median'] * size / copy:.1%}" if copy else "" for size in sizes]
            peer = beside(rate, loss, theirs.get((optimizer, batch)))
            lines.append(f"| 2^{bits} | {optimizer} | 2^{batch} | {millions(rate['median'])} | {features:,.0f} | "
                         f"{sizes[0]:,.0f} | {shares[0]} | {shares[1]} | {peer} |")
    head = ["| table | optimizer | batch | rows/s | its features | bytes of a row | of the limit | gathered | "
            "PyTorch, rows/s | ours over it | log loss, ours | PyTorch | equal |", "|" + "---|" * 13]
    constant = ", ".join(f"{found[f'step-{bits}']['loss of a constant']:.4f} (2^{bits})" for bits in TABLES
                         if has(found, f"step-{bits}"))
    return "\n".join([STEPS.format(constant=constant), *head, *lines]) if lines else ""


def beside(rate, loss, ways):
    """The cells of the peer."""
    if not ways:
        return f"| | {loss:.4f} | |"
    best = max(ways, key=lambda way: way["median"])
    equal = "yes" if abs(best["log_loss"] - loss) <= EQUAL else "NO"
    return (f"{millions(best['median'])} | {rate['median'] / best['median']:.1f}x | {loss:.4f} | "
            f"{best['log_loss']:.4f} | {equal}")


def ways(found):
    there = [bits for bits in TABLES if has(found, f"torch-{bits}")]
    if not there:
        return ""
    of = found[f"torch-{there[0]}"]
    lines = ["| table | optimizer | batch | way | rows/s | log loss |", "|---|---|---|---|---|---|"]
    for bits in there:
        for case in sorted(found[f"torch-{bits}"]["cases"], key=lambda case: (case["optimizer"], case["batch"])):
            result = (f"{millions(case['median'])} | {case['log_loss']:.4f}" if "median" in case
                      else f"| {case['failed'].replace('|', '/')}")
            lines.append(f"| 2^{bits} | {case['optimizer']} | 2^{case['batch']} | {case['way']} | {result} |")
    head = WAYS.format(torch=f"PyTorch {of['torch']}", device=of["device"], copy=of["copy"] / 1e12)
    return "\n".join([head, *lines])


def of_launches(metrics, launches):
    """Medians of a kernel's metrics, times so many launches."""
    return [statistics.median(values) * launches if values else None for values in metrics.values()]


def scored_alone(found):
    """Rows a second that the kernel of scores has by itself."""
    launches = found["kernels"]["launches"].get("scores") if has(found, "kernels") else None
    if not launches:
        return None
    nanoseconds = sum(next(iter(launches.values())))
    return found["kernels"]["rows scored"] / nanoseconds * 1e9


def kernels(found):
    if not has(found, "kernels"):
        return ""
    figures = found["kernels"]
    of_step = {}
    for name, metrics in figures["launches"].items():
        launches = len(next(iter(metrics.values()))) / (1 if name == "scores" else figures["steps"])
        of_step[name] = (launches, *of_launches(metrics, launches))
    whole = sum(time for name, (_, time, *_) in of_step.items() if name != "scores")
    lines = ["| kernel | launches a step | microseconds | of the step | MB read | MB written | TB/s |",
             "|---|---|---|---|---|---|---|"]
    for name, (launches, time, *moved) in sorted(of_step.items(), key=lambda item: -item[1][1]):
        share = "" if name == "scores" else f"{time / whole:.0%}"
        megabytes = ["" if size is None else f"{size / 1e6:.1f}" for size in moved]
        rate = "" if None in moved else f"{sum(moved) / time / 1e3:.2f}"
        lines.append(f"| {name} | {launches:g} | {time / 1e3:.1f} | {share} | {' | '.join(megabytes)} | {rate} |")
    rows = figures["rows of a step"]
    lines.append(f"| all of a step | | {whole / 1e3:.1f} | | | | {millions(rows / whole * 1e9)} rows/s |")
    head = KERNELS.format(steps=figures["steps"], rows=rows, scored=figures["rows scored"])
    return "\n".join([head, *lines])


def train(found):
    runs = {name: found[part] for part, name in RUNS.items() if has(found, part)}
    if not runs:
        return ""
    lines = ["| rows | seconds an epoch | rows/s | GB in a file | first epoch, s | until it starts, s | whole run, s |",
             "|---|---|---|---|---|---|---|"]
    for name, run in runs.items():
        epoch = later(run["epochs"])
        lines.append(f"| {name} | {epoch:.2f} | {millions(run['rows'] / epoch)} | {run['on_disk'] / 1e9:.2f} | "
                     f"{run['epochs'][0]:.2f} | {run['until it starts']:.1f} | {run['seconds']:.1f} |")
    rows = next(iter(runs.values()))["rows"]
    alone = rates(found, 24).get(("adagrad", 16))
    if alone:
        lines.append(f"| steps alone, as above | {rows / alone['median']:.2f} | {millions(alone['median'])} | | | | |")
    return "\n".join([TRAIN.format(rows=rows), *lines])


def checks(found):
    lines = ["## Checks", "", "| part | seconds | what it said |", "|---|---|---|"]
    for part, figures in found.items():
        if part != "machine":
            said = figures.get("left out") or "; ".join(figures.get("said", [])) or "done"
            lines.append(f"| {part} | {figures['took']} | {said.replace('|', '/')} |")
    return "\n".join(lines)
