"""`BaseInUse`: the topic model that a head or an index stands on, and whether it is still the same.

The only place here that knows what kinds of topic models there are.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

from pyunlearn import _params as check
from pyunlearn._estimator import BaseTopicModel
from pyunlearn.errors import InvalidParameterError, StaleHeadError, StaleHeadWarning

__all__ = ["ON_STALE", "BaseInUse", "check_base", "is_learned"]

ON_STALE = ("raise", "warn")


def check_base(model: Any) -> None:
    """Raise InvalidParameterError for anything but a topic model."""
    if not isinstance(model, BaseTopicModel):
        raise InvalidParameterError(
            f"model must be a TopicModel or AnchorTopicModel, got {type(model).__name__}"
        )


def is_learned(model: BaseTopicModel) -> bool:
    """Whether a topic model has been given documents, even if it waits for its `refresh`."""
    return "topics_" in vars(model) or "statistics_" in vars(model)


class BaseInUse:
    """A base, and its topics of when something on it was brought up to date.

    Parameters
    ----------
    model : TopicModel or AnchorTopicModel
        The base, fitted and up to date itself.
    digest : str
        Of the base; "" where its statistics are not at hand.
    """

    def __init__(self, model: BaseTopicModel, digest: str) -> None:
        self.model = model
        self.digest = digest
        self.then = _as_it_is(model)

    def is_fresh(self) -> bool:
        """Whether the base is, byte for byte, what it was."""
        if self.model.is_stale():
            return False
        if self.model.topics_ is not self.then.topics_:
            if self.model.digest() != self.digest:
                return False
            self.then = _as_it_is(self.model)
        return True

    def __getstate__(self) -> dict[str, Any]:
        """What pickle, joblib and copy keep: of the base of then only the topics."""
        self.is_fresh()
        return {"model": self.model, "digest": self.digest, "topics": self.then.topics_}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.model, self.digest = state["model"], state["digest"]
        self.then = _as_it_is(self.model)
        self.then.topics_ = state["topics"]

    def stale(self, what: str) -> str:
        """What to do about a stale `what`, "head" or "index"."""
        first = "the base's refresh() and then " if self.model.is_stale() else ""
        return (
            f"the base of this {what} has changed since the {what} was brought up to date; call "
            f"{first}{what}.refresh()"
        )

    def refuse_stale(self, what: str) -> None:
        """Raise StaleHeadError unless the base is fresh."""
        if not self.is_fresh():
            raise StaleHeadError(self.stale(what))

    def refuse_or_warn(self, what: str, on_stale: Any, stacklevel: int) -> None:
        """Raise StaleHeadError or give a StaleHeadWarning unless the base is fresh.

        `stacklevel` is that of the caller.
        """
        check.check_choice("on_stale", on_stale, ON_STALE)
        if self.is_fresh():
            return
        if on_stale == "raise":
            raise StaleHeadError(self.stale(what))
        warnings.warn(self.stale(what), StaleHeadWarning, stacklevel=stacklevel + 1)


def _as_it_is(model: BaseTopicModel) -> BaseTopicModel:
    """The topics of a model as they are now, for as long as something stands on them."""
    kept = copy.copy(model)
    for name in ("statistics_", "budget_"):
        kept.__dict__.pop(name, None)
    return kept
