"""Running commands, with what they took."""

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

WORK = Path("target/speed")


def call(*command):
    """Standard output of a command; its complaint, if it fails, ends the bench."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(words)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def spent(*command, output=os.devnull):
    """Wall seconds, processor seconds and peak memory (MiB) of a command."""
    words = [str(word) for word in command]
    complaint, write = WORK / "complaint", os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    began = time.perf_counter()
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, output, write, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, complaint, write, 0o644)])
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if status != 0:
        why = complaint.read_text(encoding="utf-8") or f"status {status}"
        sys.exit(f"failed: {shlex.join(words)}\n{why}")
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}


def per_epoch(run, few=1, many=3):
    """What one more epoch takes: runs that differ in nothing but their number of epochs."""
    short, long = run(few), run(many)
    return {name: (long[name] - short[name]) / (many - few) for name in ("wall", "cpu")}


def median(values):
    return sorted(values)[len(values) // 2]


def store(file, figures):
    """Keeps the figures of a section for the table."""
    found = {"date": time.strftime("%Y-%m-%d"), "figures": figures}
    file.write_text(json.dumps(found, indent=1), encoding="utf-8")
