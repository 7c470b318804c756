"""The table: what was measured beside what was to be reached and beside the limits."""

import json

import identity_table
import machine
import models_table
from peers.settings import NAMES

ONE_CORE = "training, 34 one-hot fields, rows per CPU s on one core"
TWO_CORES = "the same, wall rate on 2 cores"
FASTER = [
    ("xlearn", NAMES["xlearn"], 4, ONE_CORE, "cpu_rate_1"),
    ("modern_fm", NAMES["modern_fm"], 15, ONE_CORE, "cpu_rate_1"),
    ("xlearn", NAMES["xlearn"], 5, TWO_CORES, "wall_rate_2"),
]


def millions(rate):
    return f"{rate / 1e6:.2f} M rows/s"


class Rows:
    """The lines of the table of targets."""

    def __init__(self):
        self.lines = []

    def add(self, what, target, figure, shown, beside=""):
        """`figure` is a share of the target, or how many times it is reached; None: not measured."""
        met = "not measured" if figure is None else "yes" if figure >= 1 else "no"
        self.lines.append(f"| {what} | {target} | {shown} | {beside} | {met} |")

    def known(self, what, shown, beside):
        """What has no target."""
        self.lines.append(f"| {what} | | {shown} | {beside} | |")

    def missing(self, what, target, why):
        self.add(what, target, None, "", why)


def kernel(rows, found):
    rate = {name: figure["median"] for name, figure in found.items() if isinstance(figure, dict)}
    step, cache, memory = rate["step, 2^20"], rate["step, in cache"], rate["memory, 2^20"]
    limit = min(cache, memory)
    loss = f"log loss {found['loss of step, 2^20']:.4f}, a constant {found['loss of a constant']:.4f}"
    rows.add("training step, 39 features, table of 2^20, one thread", "1.3 M rows per CPU s",
             step / 1.3e6, millions(step), loss)
    rows.add("the same, share of the limit", "60 %", step / limit / 0.6, f"{step / limit:.0%}",
             f"memory alone {millions(memory)}, in cache {millions(cache)}")
    rows.add("the same, table in cache", "2.2 M rows per CPU s", cache / 2.2e6, millions(cache))
    again = rate["step, one batch again and again"]
    rows.known("the same batch again and again", millions(again),
               f"its {found['features of a batch']} features stay in the second-level cache")
    one, two = rate["step, 1 threads"], rate["step, 2 threads"]
    same = "same bits on 1, 2, 4, 8 threads" if found["same bits"] else "THE BITS DIFFER"
    rows.add("two threads over one, wall time", "1.8x, same bits",
             two / one / 1.8 * found["same bits"], f"{two / one:.2f}x", same)
    for threads, ours in ((1, one), (2, two)):
        race = rate[f"racing, {threads} threads"]
        rows.add(f"the fastest racing loop over ours, {threads} thread{'s' * (threads > 1)}",
                 "at most 1.2x", 1.2 / (race / ours), f"{race / ours:.2f}x",
                 f"racing {millions(race)}, ours {millions(ours)}")


def peers(rows, found):
    ours, rivals = found["pairloom"], rivals_of(found)
    for peer, name, times, what, rate in FASTER:
        if peer not in rivals:
            rows.missing(f"{what}: over {name}", f"{times}x", why_not(found, peer))
            continue
        theirs, beside = rivals[peer][rate], rivals[peer]["beside"][rate]
        rows.add(f"{what}: over {name}", f"{times}x", beside / theirs / times,
                 f"{beside / theirs:.1f}x", f"{millions(beside)} to {millions(theirs)}")
    if not rivals:
        return
    peer = min(rivals, key=lambda peer: rivals[peer]["log_loss"])
    loss = rivals[peer]["log_loss"]
    rows.add("best test log loss", f"no worse than {loss:.4f} ({NAMES[peer]})",
             loss / ours["log_loss"], f"{ours['log_loss']:.4f}",
             f"best possible {found['best possible']:.4f}")
    theirs, until = rivals[peer]["to_best"], rivals[peer]["beside"]["to_best"]
    what, target = "from raw text to that log loss, 2 cores, wall time", "a fifth of its time"
    if until is None:
        rows.add(what, target, 0, "never")
        return
    rows.add(what, target, theirs / until / 5, f"{until / theirs:.2f}",
             f"{until:.1f} s to {theirs:.1f} s; with early stopping and all {ours['whole']:.1f} s")


def why_not(found, peer):
    return found.get(peer, {}).get("missing", "not measured")


def rivals_of(found):
    return {peer: found[peer] for peer in NAMES if "log_loss" in found.get(peer, {})}


def reading(rows, found):
    limit = f"newlines counted: {found['limit: newlines counted']['median']:.1f} GB/s"
    for format, target in (("libsvm", 1.0), ("libffm", 1.0), ("csv", 0.3)):
        rate = found[f"{format}, encoded, 1 threads, a CPU second"]["median"]
        two = found[f"{format}, encoded, 2 threads, a second"]["median"]
        cut = found[f"{format}, tokenised"]["median"]
        rows.add(f"parse and encode {format}, one core", f"{target} GB/s", rate / target,
                 f"{rate:.2f} GB/s", f"tokenised only {cut:.2f}; 2 threads {two:.2f} a second; "
                 f"{limit}")


def predict(rows, found):
    rate = {name: figure["median"] for name, figure in found.items() if isinstance(figure, dict)}
    rows.add("batch prediction, one core, table in cache", "8 M rows per s",
             rate["batch, in cache"] / 8e6, millions(rate["batch, in cache"]))
    uniform = rate["batch, large table, uniform"]
    rows.add(f"the same, table of {found['large table, GiB']:.0f} GiB", "0.5 M rows per s",
             uniform / 5e5, millions(uniform),
             f"any feature alike often; Zipf {millions(rate['batch, large table, Zipf'])}")
    single = 1e9 / rate["single rows"]
    allocated = found["allocations of a single row"]
    rows.add("single encoded row", "under 300 ns, nothing allocated",
             300 / single * (allocated == 0), f"{single:.0f} ns", f"{allocated} allocations")


def recommend(rows, found):
    rate = {name: figure["median"] for name, figure in found.items() if isinstance(figure, dict)}
    sizes = f"{found['items']:,} items, k = 32, {found['contexts']:,} contexts"
    for threads, what in ((1, f"top 10, {sizes}, one core"), (2, "the same, wall time on 2 cores")):
        top, product, row = (rate[f"{name}, {threads} threads"] for name in ("top", "product", "rows"))
        pairs = found["items"] * found["contexts"]
        rows.add(f"{what}: time over that of the product alone", "at most 2x", 2 / (product / top),
                 f"{product / top:.2f}x", f"{pairs / top:.3f} s to {pairs / product:.3f} s")
        rows.add("the same: over scoring row by row", "20x", top / row / 20, f"{top / row:.0f}x",
                 f"rows {millions(row)}, measured on a part: {pairs / row:.1f} s for all")


def memory(rows, found):
    limit, free = found["limit"], found["without"]
    held = f"in memory {1e6 / free['rate']:.2f} us a row, at most {free['peak']:.0f} MiB"
    data = f"encoded rows 8 times `--memory` ({limit:.0f} MiB)"
    for way, what in (("within", data), ("hard", f"{data}, under {found['called']} of as much")):
        taken = found[way]
        if "failed" in taken:
            rows.add(what, "at most 1.3x the time of a row in memory", 0, "ends with an error",
                     taken["failed"])
            continue
        ratio = free["rate"] / taken["rate"]
        rows.add(f"{what}, time of a row of an epoch", "at most 1.3x in memory", 1.3 / ratio,
                 f"{ratio:.2f}x", f"{1e6 / taken['rate']:.2f} us; {held}; whole run of 3 epochs "
                 f"{taken['wall']:.1f} s to {free['wall']:.1f} s")
        rows.add("the same, peak of memory", f"{limit:.0f} MiB", limit / taken["peak"],
                 f"{taken['peak']:.0f} MiB")


def peer_table(found):
    lines = [
        "| | rows per CPU s, one core | ours over it | rows per s, two cores | ours over it "
        "| best test log loss (epoch) | text to that, 2 cores | parses |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ours = found["pairloom"]
    lines.append(f"| pairloom, defaults | {ours['cpu_rate_1']:,.0f} | | {ours['wall_rate_2']:,.0f} | "
                 f"| {ours['log_loss']:.4f} | {ours['whole']:.1f} s, early stopping included | |")
    for peer, rival in ((peer, found[peer]) for peer in NAMES if peer in found):
        if "missing" in rival:
            lines.append(f"| {NAMES[peer]} | could not be run: {rival['missing']} | | | | | | |")
            continue
        one, two = (f"{rival[rate]:,.0f} | {rival['beside'][rate] / rival[rate]:.1f}x"
                    for rate in ("cpu_rate_1", "wall_rate_2"))
        parses = f"{rival['parse']:.0f} MB/s" if rival["parse"] else "with training"
        lines.append(f"| {NAMES[peer]} | {one} | {two} | {rival['log_loss']:.4f} ({rival['epoch']}) "
                     f"| {rival['to_best']:.1f} s | {parses} |")
    return lines


HEAD = """# The bench of speed

`bench/speed/run --store` writes this page; `docs/speed.md` says what bounds what. Medians of runs that
take turns; one core means processor time of one thread.

"""

PEERS = """
## Peers

1 M training and 100 k test rows of 34 one-hot fields, 2^18 features, k = 16, labels from a planted
machine (`pairloom synth`). The peers' settings were tuned on the test rows, and so is the epoch at which
they are stopped; pairloom has its defaults and stops by rows that it holds out itself.
"""


def held(results, section):
    """What is held of a section, if anything."""
    file = results / f"{section}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def targets(results):
    """The table of targets, and below it that of the peers."""
    rows, dates = Rows(), []
    for section in (kernel, peers, reading, predict, recommend, memory):
        stored = held(results, section.__name__)
        if stored:
            dates.append(stored["date"])
            section(rows, stored["figures"])
    if not dates:
        return []
    lines = [f"{max(dates)}, {machine.describe()}.", "",
             "| what | target | measured | beside it | reached |", "|---|---|---|---|---|",
             *rows.lines]
    stored = held(results, "peers")
    return lines + ([PEERS, *peer_table(stored["figures"])] if stored else [])


def table(results, page=""):
    """All results that there are, as Markdown; the page keeps those parts that have none."""
    page, _, old_identity = page.partition(f"\n{identity_table.TITLE}\n")
    old, _, old_models = page.partition(f"\n{models_table.TITLE}\n")
    lines = targets(results)
    text = HEAD + "\n".join(lines) + "\n" if lines or not old else old
    for section, part, kept in (("models", models_table, old_models),
                                ("identity", identity_table, old_identity)):
        stored = held(results, section)
        if stored:
            text += part.table(stored, machine.describe())
        elif kept:
            text += f"\n{part.TITLE}\n{kept}"
    return text
