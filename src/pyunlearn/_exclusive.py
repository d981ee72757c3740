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
from typing import Any, Concatenate, ParamSpec, TypeVar

from pyunlearn.errors import ForkedError

__all__ = ["Exclusive", "exclusive"]

P = ParamSpec("P")
R = TypeVar("R")
Holder = TypeVar("Holder", bound="Exclusive")

LOCK = "_lock"
_process = object()  # another one in each forked child
_making = threading.Lock()


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

    def _own_attributes(self) -> dict[str, Any]:
        """All attributes but for the lock, which no copy shares."""
        return {name: value for name, value in vars(self).items() if name != LOCK}


def exclusive(
    method: Callable[Concatenate[Holder, P], R],
) -> Callable[Concatenate[Holder, P], R]:
    """A method that other threads wait for: one at a time is in an object, and in what it stands on.

    It adds one to the `stacklevel` of its warnings.
    """

    @functools.wraps(method)
    def alone(self: Holder, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with _lock_of(self):
            self._settle()
            below = self._stands_on()
            if below is None:
                return method(self, *args, **kwargs)
            return _with(below, lambda: method(self, *args, **kwargs))

    return alone


def _with(holder: Exclusive, call: Callable[[], R]) -> R:
    with _lock_of(holder):
        holder._settle()
        below = holder._stands_on()
        return call() if below is None else _with(below, call)


def _lock_of(holder: Exclusive) -> threading.RLock:
    """The lock of an object, made at its first use in this process."""
    made = vars(holder).get(LOCK)
    if made is None or made[0] is not _process:
        with _making:
            made = vars(holder).get(LOCK)
            if made is None or made[0] is not _process:
                if made is not None:
                    _refuse_half_changed(holder, made[1])
                made = (_process, threading.RLock())
                vars(holder)[LOCK] = made
    lock: threading.RLock = made[1]
    return lock


def _refuse_half_changed(holder: Exclusive, lock: threading.RLock) -> None:
    if not lock.acquire(blocking=False):
        raise ForkedError(
            f"another thread was at work in this {type(holder).__name__} when the process was "
            "forked, so it may be half changed here; load or fit it in the child, or fork when no "
            "request is under way"
        )
    lock.release()


def _in_child() -> None:
    global _process, _making
    _process, _making = object(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
