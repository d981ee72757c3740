"""Two versions of the library in turn, each in processes of its own; the medians side by side."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyunlearn
from benchmarks.clock import seconds_of

JOBS = Path(__file__).with_name("jobs.py")


@dataclass(frozen=True)
class Version:
    """A Python that has a version of the library installed."""

    name: str
    python: str

    def environment(self) -> dict[str, str]:
        """Of this process, with its library; another version finds its own."""
        found = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        if self.python == sys.executable:
            found["PYTHONPATH"] = str(Path(pyunlearn.__file__).parents[1])
        return found

    def output(self, *arguments: str) -> str:
        """What the Python prints, from a folder that has no modules in it."""
        done = subprocess.run(
            [self.python, *arguments],
            env=self.environment(),
            cwd=tempfile.gettempdir(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{self.name}: {' '.join(arguments[:4])} ...\n{done.stderr[-2000:]}")
        return done.stdout

    def seconds(self, *arguments: str) -> float:
        """Of a whole process."""
        return seconds_of(lambda: self.output(*arguments))

    def job(self, name: str, *arguments: object) -> Any:
        """The result of a job of jobs.py."""
        return json.loads(self.output("-P", str(JOBS), name, *map(str, arguments)))


def this_version() -> Version:
    return Version("this", sys.executable)


def in_turn(
    versions: Sequence[Version], runs: int, act: Callable[[Version], list[float]]
) -> list[float]:
    """The median of each version, over all that its runs gave."""
    found: dict[str, list[float]] = {version.name: [] for version in versions}
    for number in range(runs):
        for version in versions if number % 2 else reversed(versions):
            found[version.name] += act(version)
    return [statistics.median(found[version.name]) for version in versions]


@dataclass(frozen=True)
class Line:
    """One number of each version, this one last, and what it should be.

    `aim` is for this version; `share` for this version over the other.
    """

    what: str
    values: Sequence[float]
    unit: str
    aim: float | None = None
    share: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        own, ratio = self.values[-1], self.values[-1] / self.values[0]
        measured = [(own, self.aim)]
        if len(self.values) > 1:
            measured.append((ratio, self.share))
        reached = [
            value <= aim if self.at_most else value >= aim
            for value, aim in measured
            if aim is not None
        ]
        return ("reached" if all(reached) else "MISSED") if reached else ""

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        aims = [f"{sign} {self.aim:.4g} {self.unit}"] if self.aim is not None else []
        aims += [f"{sign} {self.share:.3g} of the other"] if self.share is not None else []
        numbers = "".join(f"{value:12.4g}" for value in self.values)
        ratio = f"{self.values[-1] / self.values[0]:9.3f}" if len(self.values) > 1 else ""
        line = f"{self.what:52}{self.unit:>6}{numbers}{ratio}  {', '.join(aims):34}{self.verdict:8}"
        return f"{line} {self.note}".rstrip()


def header(versions: Sequence[Version]) -> str:
    names = "".join(f"{version.name:>12}" for version in versions)
    return f"{'':52}{'':>6}{names}{'ratio':>9}  aim" if len(versions) > 1 else f"{'':58}{names}"
