"""Objects that one thread at a time is in, and that change as a whole or not at all.

A request that is interrupted (Ctrl-C, no memory) leaves an object as it was, or as it is to be:
what changes is made beside the object and taken over by one assignment of its `__dict__`. What
cannot be made beside it, because it is too large, is changed in one call of a kernel, and is noted
before: what was noted and not confirmed by that assignment is taken back by whoever comes next.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from weakref import WeakKeyDictionary

from pyunlearn.errors import ForkedError

__all__ = ["Exclusive", "exclusive"]

P = ParamSpec("P")
R = TypeVar("R")
Holder = TypeVar("Holder", bound="Exclusive")

# Beside the objects, so that no copy and no pickle of one has its lock.
_locks: WeakKeyDictionary[Exclusive, threading.RLock] = WeakKeyDictionary()
# Those of the process that this one was forked from.
_inherited: WeakKeyDictionary[Exclusive, threading.RLock] = WeakKeyDictionary()


class Exclusive:
    """An object with `exclusive` methods."""

    def _stands_on(self) -> Exclusive | None:
        """Another object that must not change meanwhile. This relation has no circles."""
        return None

    def _settle(self) -> None:
        """Take back what an interrupted request left. Called before every exclusive method.

        So a request must not call one between its note and the assignment that confirms it.
        """

    def _replace(self, *gone: str, **changed: Any) -> None:
        """Change attributes, and drop those that are `gone`, in one assignment."""
        kept = {name: value for name, value in vars(self).items() if name not in gone}
        self.__dict__ = {**kept, **changed}

    def _twin(self) -> Self:
        """Another object with the same attributes."""
        twin = object.__new__(type(self))
        twin.__dict__ = dict(vars(self))
        return twin


def exclusive(
    method: Callable[Concatenate[Holder, P], R],
) -> Callable[Concatenate[Holder, P], R]:
    """A method that keeps other threads out of an object, and of what it stands on.

    It adds one to the `stacklevel` of its warnings.
    """

    @functools.wraps(method)
    def alone(self: Holder, /, *args: P.args, **kwargs: P.kwargs) -> R:
        # An index or head stands on a model, a model on statistics. Nested by hand: a signal can
        # come between the lines of a context manager that is written in Python.
        with _lock_of(self):
            self._settle()
            below = self._stands_on()
            if below is None:
                return method(self, *args, **kwargs)
            with _lock_of(below):
                below._settle()
                lowest = below._stands_on()
                if lowest is None:
                    return method(self, *args, **kwargs)
                with _lock_of(lowest):
                    return method(self, *args, **kwargs)

    return alone


def _lock_of(holder: Exclusive) -> threading.RLock:
    """The lock of an object, made at its first use in this process."""
    lock = _locks.get(holder)
    if lock is None:
        _refuse_half_changed(holder)
        lock = _locks.setdefault(holder, threading.RLock())
    return lock


def _refuse_half_changed(holder: Exclusive) -> None:
    lock = _inherited.get(holder)
    if lock is None:
        return
    if not lock.acquire(blocking=False):
        raise ForkedError(
            f"another thread was at work in this {type(holder).__name__} when the process was "
            "forked, so it may be half changed here; load or fit it in the child, or fork when no "
            "request is under way"
        )
    lock.release()


def _in_child() -> None:
    global _locks, _inherited
    _locks, _inherited = WeakKeyDictionary(), _locks


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
