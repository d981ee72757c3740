"""How results are printed: the machine in one line, one line a number, with its aim."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy


@dataclass(frozen=True)
class Row:
    """One number. `aim` has the same unit; `at_most` says on which side of it to be."""

    what: str
    value: float
    unit: str = ""
    aim: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        reached = self.value <= self.aim if self.at_most else self.value >= self.aim
        return "reached" if reached else "MISSED"

    def __str__(self) -> str:
        aim = "" if self.aim is None else f"{'<=' if self.at_most else '>='} {self.aim:g}"
        line = f"{self.what:58} {self.value:>9.4g} {self.unit:14} {aim:>8} {self.verdict:8}"
        return f"{line} {self.note}".rstrip()


def print_rows(title: str, rows: Iterable[Row]) -> None:
    """Each row as soon as it is known."""
    print(f"\n{title}", flush=True)
    for row in rows:
        print(f"  {row}", flush=True)


def machine() -> str:
    """Processor, cores at hand, versions and load, in one line."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {cores()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, {compiler()}{load}"
    )


def cores() -> int:
    """Processors at hand."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compiler() -> str:
    """The first line that the C compiler says of itself."""
    command = shutil.which(os.environ.get("CC", "cc"))
    if command is None:
        return "no C compiler"
    said = subprocess.run([command, "--version"], stdout=subprocess.PIPE, text=True, check=False)
    return said.stdout.partition("\n")[0]
