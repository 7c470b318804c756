"""What the figures were taken on. No name of a host, person or path is in it."""

import os
import platform
from pathlib import Path

from tools import call


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def caches():
    found = []
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / name).read_text().strip() for name in
                             ("level", "type", "size"))
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found)


def memory():
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{total / (1 << 30):.0f} GiB"


def describe():
    """One line."""
    rustc = call("rustc", "--version").split(" (")[0]
    return (f"{processor()}, {os.cpu_count()} cores, {caches()}, {memory()} of memory, "
            f"Linux {platform.release().split('-')[0]}, {rustc}")
