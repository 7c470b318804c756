"""Runs the parts of the bench and prints the table: see `run`."""

import argparse
import csv
import json
import os
import sys
import tarfile
import time
from pathlib import Path

import tools
from table import page
from tools import LeftOut, Program

# The table of the kernels' times, and of the targets.
KERNEL_BITS = 20
# Rows of the largest public click log, in its shape, hashed.
CLICKS, CLICK_FIELDS, CLICK_FEATURES, CLICK_BITS, CLICK_EPOCHS = 45_840_617, 39, 33_000_000, 24, 3
# What the model takes of 2^24 features, and a fifth of what the rows take.
CLICK_MEMORY = "5G"
TESTS = "backend::cuda"
# Few kernels, each of a step at least once: under a sanitizer they take a thousand times as long.
SANITIZED = {
    "memcheck": ["backend::cuda::tests::the_bits", "backend::cuda::tests::and_with_every_optimizer"],
    "racecheck": ["backend::cuda::tests::the_bits", "backend::cuda::tests::order::devices_find"],
}
# Rows to learn from and to measure, where both devices train with their defaults.
QUALITY_ROWS = [2_000_000, 200_000]
METRICS = ["gpu__time_duration.sum", "dram__bytes_read.sum", "dram__bytes_write.sum"]


class Bench:
    """Where things lie, and how much is measured."""

    def __init__(self, said):
        self.quick, self.on_cpu, self.binaries = said.quick, said.cpu, said.built
        # Figures are gathered in the one, and what one run has found is handed out in the other.
        self.folder = said.folder / "trial" if said.quick or said.cpu else said.folder
        self.out, self.work = Path(os.environ.get("OUT") or self.folder), self.folder / "work"
        for folder in (self.work, self.out):
            folder.mkdir(parents=True, exist_ok=True)
        if said.binaries and said.binaries.is_dir():
            self.binaries = said.binaries
        elif said.binaries:
            self.binaries = self.work / "binaries"
            with tarfile.open(said.binaries) as archive:
                archive.extractall(self.binaries, filter="data")
        self.device = "cpu" if self.on_cpu else "cuda"
        self.making = None

    def flags(self):
        return ["--quick"] * self.quick + ["--cpu"] * self.on_cpu

    def program(self, name, *words):
        return [self.binaries / name, *words]

    def bits(self, bits):
        """Of a table that is named by its full size."""
        return bits - 8 if self.quick else bits

    def clicks(self):
        return self.work / "clicks.rows"


def begin_rows(bench):
    """The click log is made by the processor while the GPU is tested: as text, which goes on to rows at once."""
    bench.clicks().unlink(missing_ok=True)
    rows, features = (20_000, 10_000) if bench.quick else (CLICKS, CLICK_FEATURES)
    synth = bench.program("pairloom", "synth", "--rows", rows, "--fields", CLICK_FIELDS, "--features", features,
                          "--format", "libsvm")
    convert = bench.program("pairloom", "convert", "-", "--format", "libsvm", "--output", bench.clicks(), "--quiet")
    bench.making = Program(["bash", "-c", f"set -o pipefail; {tools.text(synth)} | {tools.text(convert)}"],
                           bench.work / "rows.log")


def end_rows(bench, limit):
    """Nothing else is timed before they are there."""
    done = bench.making.end(limit)
    return {"seconds": done.seconds, "bytes": bench.clicks().stat().st_size}


def tests(bench, limit):
    """The tests of the backend, on the GPU alone: the emulator's need a C++ compiler and have run elsewhere."""
    return checked(bench, bench.program("pairloom-tests", TESTS, "--nocapture"), limit, "tests.log")


def sanitized(bench, limit, tool):
    sanitizer = tools.find("compute-sanitizer")
    words = [sanitizer, "--tool", tool, "--error-exitcode", 9, *bench.program("pairloom-tests", *SANITIZED[tool]),
             "--test-threads", 1, "--nocapture"]
    return checked(bench, words, limit, f"{tool}.log")


def checked(bench, words, limit, log):
    done = Program(words, bench.out / log, {"CXX": "none"}).end(limit)
    summary = [line for line in done.output.splitlines() if "test result" in line or "SUMMARY" in line]
    if "LEFT OUT: kernels on a GPU" in done.output:
        raise LeftOut("the tests found no GPU")
    return {"seconds": done.seconds, "said": [line.strip("= ") for line in summary]}


def steps(bench, limit, bits):
    folder = bench.work / f"rows-{bits}"
    folder.mkdir(exist_ok=True)
    words = bench.program("pairloom-speed", "gpu", bench.bits(bits), folder, *bench.flags())
    return json.loads(Program(words, bench.work / f"step-{bits}.log").end(limit).output)


def torch(bench, limit, bits):
    """What it has measured stays, even if it does not come to its end."""
    folder = bench.work / f"rows-{bits}"
    if not (folder / "settings.json").exists():
        raise LeftOut(f"step-{bits} has left it no rows")
    # The last way that is begun may compile.
    seconds = max(10, limit - 40)
    words = [sys.executable, Path(__file__).with_name("torch_fm.py"), folder, "--device", bench.device, "--seconds",
             seconds]
    # It has libraries of its own.
    path = {"LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")}
    done = Program(words, bench.work / f"torch-{bits}.log", path).end(limit, may_fail=True)
    found = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
    if not found:
        raise LeftOut(done.why("PyTorch did not run"))
    return {**found[0], "cases": found[1:]}


def kernels(bench, limit):
    """What each kernel takes of a step, as the profiler sees it: one after the other, caches left as they are."""
    profiler = tools.find("ncu")
    words = [profiler, "--csv", "--print-units", "base", "--metrics", ",".join(METRICS), "--cache-control", "none",
             "--clock-control", "none", *bench.program("pairloom-speed", "gpu-steps", bench.bits(KERNEL_BITS)),
             *bench.flags()]
    output = Program(words, bench.out / "ncu.csv").end(limit).output
    said = next(json.loads(line) for line in output.splitlines() if line.startswith("{"))
    return {**said, "launches": launches(output)}


def launches(output):
    """Of each kernel, in the order of their first launches: the metrics of its launches."""
    lines = [line for line in output.splitlines() if line.startswith('"')]
    found = {}
    for line in csv.DictReader(lines):
        metrics = found.setdefault(line["Kernel Name"].split("(")[0], {name: [] for name in METRICS})
        if line["Metric Name"] in metrics:
            metrics[line["Metric Name"]].append(float(line["Metric Value"].replace(",", "")))
    return found


def train(bench, limit, *more):
    """Epochs of the command over the click log."""
    if not bench.clicks().exists():
        raise LeftOut("the rows were not made")
    words = bench.program(
        "pairloom", "train", bench.clicks(), "--output", bench.work / "clicks.pairloom", "--device", bench.device,
        "--hash-bits", 12 if bench.quick else CLICK_BITS, "--factors", 16, "--epochs", CLICK_EPOCHS,
        "--valid-fraction", 0, "--patience", 0, "--json", *more)
    done = Program(words, bench.work / "train.log").end(limit)
    events = [(at, json.loads(line)) for at, line in done.lines if line.startswith("{")]
    (begin, start), = ((at, event) for at, event in events if event["event"] == "start")
    ends = [begin, *(at for at, event in events if event["event"] == "epoch")]
    return {"rows": start["train_rows"], "on_disk": start["on_disk"], "seconds": done.seconds,
            "until it starts": begin, "epochs": [after - before for before, after in zip(ends, ends[1:])]}


def train_in_windows(bench, limit):
    """The same from a file that is read in windows, as if memory were short."""
    return train(bench, limit, "--memory", "64M" if bench.quick else CLICK_MEMORY, "--temp-dir", bench.work)


def quality(bench, limit):
    """What both devices come to with their defaults: the validation log loss of the best epoch."""
    end, figures = time.monotonic() + limit, {}
    files = [bench.work / f"quality-{sample}.tsv" for sample in (0, 1)]
    counts = [20_000, 10_000] if bench.quick else QUALITY_ROWS
    for sample, rows in enumerate(counts):
        words = bench.program("pairloom", "synth", "--rows", rows, "--fields", CLICK_FIELDS, "--sample", sample,
                              "--output", files[sample])
        Program(words, bench.work / "quality.log").end(end - time.monotonic())
    # Of so few rows the GPU takes smaller batches than it would of more.
    large = ["--batch-size", 1 << (10 if bench.quick else 16), "--batch-growth", 0.02, "--momentum", 0.9]
    for name, device, flags in [("CPU", "cpu", []), ("GPU", bench.device, []), ("GPU, 2^16 a batch", bench.device, large)]:
        words = bench.program("pairloom", "train", files[0], "--valid", files[1], "--output",
                              bench.work / "quality.pairloom", "--device", device, "--json", *flags)
        done = Program(words, bench.work / "quality.log").end(end - time.monotonic())
        events = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
        epochs = [event["valid"]["log_loss"] for event in events if event["event"] == "epoch"]
        figures[name] = {"log loss": min(epochs), "epochs": len(epochs), "seconds": done.seconds}
    return {"rows": counts[0], "runs": figures}


def of_table(run, bits):
    return lambda bench, limit: run(bench, limit, bits)


# Of each part what it does and for how many seconds at the most, in the order in which they are worth their time.
PARTS = {
    "rows": (end_rows, 150),
    "tests": (tests, 90),
    "memcheck": (lambda *of: sanitized(*of, "memcheck"), 60),
    "racecheck": (lambda *of: sanitized(*of, "racecheck"), 60),
    "step-20": (of_table(steps, 20), 90),
    "torch-20": (of_table(torch, 20), 130),
    "step-24": (of_table(steps, 24), 90),
    "kernels": (kernels, 60),
    "train": (train, 90),
    "train-file": (train_in_windows, 90),
    "quality": (quality, 60),
    "torch-24": (of_table(torch, 24), 100),
}
# Rows are made while these run.
BESIDE = ["tests", "memcheck", "racecheck"]


def arguments():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("parts", nargs="*", metavar="PART", help=" ".join(PARTS))
    words.add_argument("--built", type=Path, required=True, help="where `build` leaves the programs")
    words.add_argument("--folder", type=Path, required=True, help="where files may lie")
    words.add_argument("--binaries", type=Path, help="a folder or an archive of `build`, made elsewhere")
    words.add_argument("--seconds", type=float, default=570, help="what all of it may take")
    words.add_argument("--quick", action="store_true", help="little data")
    words.add_argument("--cpu", action="store_true", help="the processor in the place of the GPU")
    words.add_argument("--store", action="store_true", help="write RESULTS.md")
    words.add_argument("--show", action="store_true", help="measure nothing")
    said = words.parse_args()
    for part in said.parts:
        if part not in PARTS:
            words.error(f"there is no part '{part}': {' '.join(PARTS)}")
    if said.store and (said.quick or said.cpu):
        words.error("figures of --quick and --cpu say nothing and are not stored")
    return said


def measure(bench, wanted, until):
    """Runs the parts; what is found is kept after each of them."""
    found = tools.stored(bench.folder)
    found["machine"] = tools.machine()
    if "rows" in wanted:
        begin_rows(bench)
        # Waited for when what can run beside it has run.
        wanted = [*(part for part in wanted if part in BESIDE), "rows",
                  *(part for part in wanted if part not in [*BESIDE, "rows"])]
    for part in wanted:
        run, most = PARTS[part]
        limit, began = min(most, until - time.monotonic()), time.monotonic()
        print(f"== {part}", file=sys.stderr, flush=True)
        try:
            if limit < 5:
                raise LeftOut("no time was left")
            found[part] = run(bench, limit)
        # Also what no one has thought of: the other parts have nothing to do with it.
        except Exception as error:
            why = str(error) if isinstance(error, LeftOut) else f"{type(error).__name__}: {error}"
            found[part] = {"left out": why}
            print(f"LEFT OUT: {why}", file=sys.stderr, flush=True)
        found[part]["took"] = round(time.monotonic() - began, 1)
        tools.store([bench.folder, bench.out], "results.json", json.dumps(found, indent=1))
    if bench.making:
        bench.making.stop()


def main():
    said = arguments()
    until = time.monotonic() + said.seconds
    bench = Bench(said)
    if not said.show:
        if not bench.on_cpu:
            tools.check_gpu(bench.program("pairloom", "devices", "--json"))
        measure(bench, said.parts or list(PARTS), until)
    text = page(tools.stored(bench.folder))
    print(text)
    tools.store([bench.folder, bench.out], "table.md", text)
    if said.store:
        tools.store([Path(__file__).parent], "RESULTS.md", text)


if __name__ == "__main__":
    main()
