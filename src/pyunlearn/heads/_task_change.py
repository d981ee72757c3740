"""`TaskChange`: a task as it will be, and the change of word pairs that this still needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pyunlearn._cooccurrence.statistics import Change

__all__ = ["TaskChange"]

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class TaskChange(Generic[T]):
    """A change of a task that was checked against it."""

    after: T  # new but for sums of word pairs, which it shares with the task of before
    pairs: Change | None = None  # of those; None when they stay, or where there are none
