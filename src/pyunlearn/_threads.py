"""How many processors this process may use."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from pyunlearn._core import parallel

__all__ = ["cgroup_processors", "forked", "processors"]

_forked = False


def forked() -> bool:
    """Whether this process was made by fork.

    OpenMP's threads do not come along into a child, and some of its libraries wait for them for
    ever: a child has to do with one thread.
    """
    return _forked


def _in_child() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def processors() -> int:
    """Threads when nothing is asked for.

    The least of what the processor mask, OMP_NUM_THREADS and, on Linux, the quota of the control
    group allow; a container of two processors on a machine of sixty sees sixty otherwise.
    """
    allowed = min(parallel.effective_num_threads(), _affinity())
    quota = _quota()
    return allowed if quota is None else min(allowed, quota)


def _affinity() -> int:
    # Python 3.13 has this, and an environment variable to set it by.
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _quota() -> int | None:
    """Read once: a call of a kernel takes less time than the files."""
    return cgroup_processors()


def cgroup_processors(
    mounted: Path = Path("/sys/fs/cgroup"), mine: Path = Path("/proc/self/cgroup")
) -> int | None:
    """Processors by the quotas of this process's control group and those above it, rounded up.

    None without a quota, or where there are no control groups (or none that can be read).
    """
    try:
        lines = mine.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    limits: list[tuple[int, int]] = []
    for line in lines:
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers == "":  # version 2 has one tree for all controllers
            limits += [_version_2(folder) for folder in _upwards(mounted, path)]
        elif "cpu" in controllers.split(","):
            for tree in (controllers, "cpu"):
                limits += [_version_1(folder) for folder in _upwards(mounted / tree, path)]
    return min((-(-quota // period) for quota, period in limits if quota and period), default=None)


def _upwards(mounted: Path, path: str) -> list[Path]:
    """The folder of a group and those above it; in a container only the topmost may be there."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    return [mounted.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]


def _version_2(folder: Path) -> tuple[int, int]:
    return _integers(folder / "cpu.max")


def _version_1(folder: Path) -> tuple[int, int]:
    quota, period = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"
    return _integers(quota)[0], _integers(period)[0]


def _integers(path: Path) -> tuple[int, int]:
    """Up to two integers of a file; 0 for what is not there or is no number ("max")."""
    try:
        words = path.read_text().split()
    except (OSError, UnicodeDecodeError):
        words = []
    first, second = (*words, "", "")[:2]
    return (int(first) if first.isdecimal() else 0), (int(second) if second.isdecimal() else 0)
