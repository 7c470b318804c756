"""Runs the sections of the bench and prints the table: see `run`, which builds what this needs."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import memory
import models
import peer_runs
from data import Data
from table import table
from peers.settings import PACKAGES
from tools import WORK, call, store

SECTIONS = ["kernel", "peers", "models", "identity", "reading", "predict", "recommend", "memory",
            "counts"]
COUNTS = "counts"
PEERS = "peers"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    parser.add_argument("--binaries", type=Path, required=True, help="where pairloom lies")
    parser.add_argument("--quick", action="store_true", help="little data, no peers")
    parser.add_argument("--grid", action="store_true", help="tune the peers anew")
    parser.add_argument("--store", action="store_true", help="write RESULTS.md")
    options = parser.parse_args()
    for section in options.sections:
        if section not in [*SECTIONS, *PACKAGES]:
            known = " ".join([*SECTIONS, *PACKAGES])
            parser.error(f"there is no section '{section}': {known}")
    return options


def program(binaries, section, *words):
    """The figures of a section of the Rust program."""
    return json.loads(call(binaries / "pairloom-speed", section, *words))


def quick(binaries):
    """That the program works: no figure of this says anything."""
    data = Data(binaries / "pairloom", WORK / "quick", train=3000, test=500)
    for section, files in [("kernel", []), ("identity", []), ("predict", []), ("recommend", []),
                           ("reading", data.texts())]:
        figures = program(binaries, section, "--quick", *files)
        print(f"{section}: {len(figures)} figures")
        if section == "kernel" and not figures["same bits"]:
            sys.exit("the bits depend on the number of threads")
    figures = models.measure(binaries / "pairloom", WORK / "quick/models", models.QUICK)
    print(f"models: {len(figures['models']) + len(figures['growth'])} figures")


def counts():
    """Instruction counts, printed by gungraun itself."""
    lock = Path("Cargo.lock").read_text(encoding="utf-8")
    version = lock.split('name = "gungraun"\nversion = "')[1].split('"')[0]
    runner = Path("target/speed/gungraun").absolute()
    call("cargo", "install", "--quiet", "--root", runner, "--version", f"={version}",
         "gungraun-runner")
    subprocess.run(
        ["cargo", "bench", "--locked", "-p", "pairloom-speed", "--bench", "counts"],
        env={**os.environ, "GUNGRAUN_RUNNER": str(runner / "bin/gungraun-runner")},
        check=True,
    )


def measure(section, options, results):
    binaries = options.binaries
    if section == "identity":
        return program(binaries, section)
    data = Data(binaries / "pairloom", WORK, train=1_000_000, test=100_000)
    if section == "reading":
        return program(binaries, section, *data.texts())
    if section == PEERS:
        named = [peer for peer in PACKAGES if peer in options.sections]
        return peer_runs.measure(data, named or PACKAGES, options.grid, results / "peers.json")
    if section == "models":
        return models.measure(binaries / "pairloom", WORK / "models", models.FULL)
    if section == "memory":
        return memory.measure(binaries / "pairloom")
    return program(binaries, section)


def wanted(named):
    """The sections to run: all but the counts, or those named; a peer's name is a part of `peers`."""
    sections = [PEERS if name in PACKAGES else name for name in named]
    return list(dict.fromkeys(sections)) or [name for name in SECTIONS if name != COUNTS]


def main():
    options = arguments()
    if options.quick:
        return quick(options.binaries)
    results = WORK / "results"
    results.mkdir(parents=True, exist_ok=True)
    for section in wanted(options.sections):
        print(f"== {section}", file=sys.stderr, flush=True)
        if section == COUNTS:
            counts()
            continue
        store(results / f"{section}.json", measure(section, options, results))
    print(table(results))
    if options.store:
        page = Path(__file__).with_name("RESULTS.md")
        page.write_text(table(results, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
