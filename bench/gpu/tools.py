"""Running programs within a time, and what the machine is and has."""

import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

# Where NVIDIA's tools lie that are not on the path.
FOLDERS = ["/usr/local/cuda/bin", "/usr/local/cuda/compute-sanitizer", "/opt/nvidia/nsight-compute"]


class LeftOut(Exception):
    """Why a part has no figures."""


def text(words):
    return shlex.join(str(word) for word in words)


class Done:
    """A program that has ended, or was."""

    def __init__(self, status, lines, seconds):
        self.status, self.lines, self.seconds = status, lines, seconds
        self.output = "\n".join(line for _, line in lines)

    def why(self, what):
        """What it said last, in a line."""
        lines = [line for line in self.output.splitlines() if line.strip()]
        return f"{what} (status {self.status}): {' / '.join(lines[-3:])[-400:]}"


class Program:
    """A program that runs. What it says is kept with the time when it came, and goes to a file."""

    def __init__(self, words, log, more=()):
        self.words, self.log, self.began = [str(word) for word in words], log, time.monotonic()
        self.process = subprocess.Popen(
            self.words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True, text=True, errors="replace",
            env={**os.environ, "LD_LIBRARY_PATH": libraries(), **dict(more)})
        self.lines, self.reader = [], threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        with open(self.log, "w", encoding="utf-8") as log:
            for line in self.process.stdout:
                self.lines.append((time.monotonic() - self.began, line.rstrip("\n")))
                log.write(line)

    def stop(self):
        """With all that it has started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self, limit, may_fail=False):
        """Waits for it for so many seconds at the most."""
        try:
            self.process.wait(max(limit, 0))
        except subprocess.TimeoutExpired:
            self.stop()
        seconds = time.monotonic() - self.began
        self.reader.join()
        done = Done(self.process.returncode, self.lines, seconds)
        if done.status != 0 and not may_fail:
            stopped = f"was stopped after {seconds:.0f} s" if done.status == -signal.SIGKILL else "failed"
            raise LeftOut(done.why(f"{Path(self.words[0]).name} {stopped}"))
        return done


def libraries():
    """The path of libraries with the folder of NVRTC, which may be part of CUDA's toolkit or of Python's packages."""
    folders = [Path("/usr/local/cuda/lib64")]
    packages = find_spec("nvidia")
    if packages:
        for package in packages.submodule_search_locations or []:
            folders += sorted({file.parent for file in Path(package).glob("*/lib/libnvrtc.so*")}, reverse=True)
    there = [str(folder) for folder in folders if any(folder.glob("libnvrtc.so*"))]
    return ":".join([*filter(None, [os.environ.get("LD_LIBRARY_PATH")]), *there])


def find(tool):
    """Where a tool of NVIDIA's is."""
    found = shutil.which(tool)
    for folder in map(Path, FOLDERS):
        files = [file for file in sorted(folder.glob(f"**/{tool}")) if os.access(file, os.X_OK) and file.is_file()]
        found = found or (str(files[-1]) if files else None)
    if not found:
        raise LeftOut(f"{tool} is not installed here")
    return found


def check_gpu(devices):
    """Ends the bench where there is nothing to measure."""
    done = subprocess.run([str(word) for word in devices], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"error: {text(devices)}: {done.stderr.strip()}")
    why = json.loads(done.stdout)["no_gpu"]
    if why:
        sys.exit(f"error: {why}; --cpu shows that the bench works")


def machine():
    """What the figures were taken on. No name of a host, person or path is in it."""
    gpu = "no GPU"
    if shutil.which("nvidia-smi"):
        asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        lines = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
        gpu = ", driver ".join(lines[0].rsplit(", ", 1)) if lines else gpu
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return (f"{time.strftime('%Y-%m-%d')}, {gpu}; {os.cpu_count()} cores, {memory:.0f} GiB, "
            f"Python {platform.python_version()}")


def stored(folder):
    """What was measured so far."""
    file = folder / "results.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def store(folders, name, content):
    for folder in folders:
        (folder / name).write_text(content, encoding="utf-8")
