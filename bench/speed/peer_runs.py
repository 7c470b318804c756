"""pairloom beside its peers: rates of training, and the time from raw text to a log loss."""

import json
import sys

from peers.settings import BEST, GRID, PACKAGES
from programs import Pairloom, Peer, install, last_line
from tools import median

EPOCHS = 6
REPEATS = 3
MOST_EPOCHS = 30


def best_of(losses):
    loss = min(losses)
    return {"log_loss": loss, "epoch": losses.index(loss) + 1}


def tune(peer, data):
    """The settings of the grid with the best test log loss: the peers may look at the test rows."""
    tried = []
    for settings in GRID[peer]:
        losses = Peer(peer, data, settings).losses(4)
        tried.append((best_of(losses)["log_loss"], settings))
        print(peer, settings, [round(loss, 5) for loss in losses], file=sys.stderr, flush=True)
    return min(tried, key=lambda each: each[0])[1]


def quality(peer, data, grid):
    """A peer at its best."""
    settings = tune(peer, data) if grid and GRID[peer] else BEST[peer]
    return {**best_of(Peer(peer, data, settings).losses(EPOCHS)), "settings": settings}


def in_turns(runs, repeats=REPEATS):
    """What each of the runs gave, which take turns so that a busy moment meets all of them."""
    found = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            found[name].append(run())
    return found


def rates(programs, rows):
    """Rows a second of each program: by processor time on one core, by the clock on two."""
    spent = in_turns({(name, threads): (lambda program=program, threads=threads:
                                        program.epoch(threads))
                      for threads in (1, 2) for name, program in programs.items()})
    return {name: {"cpu_rate_1": rows / median([run["cpu"] for run in spent[name, 1]]),
                   "wall_rate_2": rows / median([run["wall"] for run in spent[name, 2]])}
            for name in programs}


def epochs_until(ours, wanted):
    """The shortest training that scores so well on rows that it has not seen. How long it takes is
    decided on the test rows, as for the peers; the rest is not."""
    for epochs in range(1, MOST_EPOCHS):
        ours.cold(epochs)
        if ours.log_loss() <= wanted:
            return epochs
    return None


def times(programs, epochs, megabytes):
    """Seconds from the text to the best log loss, and what of the text is read a second."""
    runs = in_turns({name: lambda name=name: programs[name].cold(epochs[name])
                     for name in programs if epochs[name]})
    found = {name: {"to_best": median([run["wall"] for run in runs[name]])} for name in runs}
    for name in runs:
        read = [run["read_cpu"] for run in runs[name] if run.get("read_cpu")]
        found[name]["parse"] = megabytes / median(read) if read else None
    return found


def qualities(data, wanted, grid, held):
    """Whatever of the peers can be had, at its best."""
    missing = install(wanted)
    for peer in wanted:
        print(f"   {peer}", file=sys.stderr, flush=True)
        try:
            held[peer] = {"missing": missing[peer]} if peer in missing else quality(
                peer, data, grid)
        except SystemExit as failed:
            held[peer] = {"missing": last_line(failed)}
    return [peer for peer in wanted if "missing" not in held[peer]]


def measure(data, wanted, grid, results):
    """Measures the peers named beside pairloom. What is held of the others stays, with what
    pairloom took beside them."""
    held = json.loads(results.read_text())["figures"] if results.exists() else {}
    held["best possible"] = data.best()
    ours = Pairloom(data)
    peers = {peer: Peer(peer, data, held[peer]["settings"])
             for peer in qualities(data, wanted, grid, held)}
    whole = ours.train(2)
    held["pairloom"] = {"log_loss": ours.log_loss(), "whole": whole["wall"], "peak": whole["peak"]}
    print("   rates", file=sys.stderr, flush=True)
    rows = rates({**peers, "pairloom": ours}, data.rows["train"])
    for name, found in rows.items():
        held[name].update(found, beside={**rows["pairloom"]})
    print("   from the text on", file=sys.stderr, flush=True)
    losses = [held[peer]["log_loss"] for peer in PACKAGES if "log_loss" in held.get(peer, {})]
    held["pairloom"]["epoch"] = epochs_until(ours, min(losses))
    programs = {**peers, "pairloom": ours}
    megabytes = data.file("train", "libffm").stat().st_size * 1e-6
    taken = times(programs, {name: held[name]["epoch"] for name in programs}, megabytes)
    for name, found in taken.items():
        held[name].update(found)
        held[name]["beside"]["to_best"] = taken.get("pairloom", {}).get("to_best")
    return held
