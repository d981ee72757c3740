"""`OnBase`: something that stands on the topics of a base, and whether they are still the same."""

from __future__ import annotations

import copy

from sklearn.utils.validation import check_is_fitted

from pyunlearn.model import AnchorTopicModel

__all__ = ["OnBase", "as_it_is"]


def as_it_is(model: AnchorTopicModel) -> AnchorTopicModel:
    """The topics of a base as they are now, for as long as something stands on them."""
    kept = copy.copy(model)
    kept.__dict__.pop("statistics_", None)
    return kept


class OnBase:
    """The part that heads and indexes share."""

    model_: AnchorTopicModel
    base_digest_: str
    _base_then: AnchorTopicModel  # the base as it was when this was brought up to date

    def is_fresh(self) -> bool:
        """Whether the base is, byte for byte, the one that this was brought up to date with."""
        check_is_fitted(self, "_base_then")
        if self.model_.is_stale():
            return False
        if self.model_.parameters_ is not self._base_then.parameters_:
            if self.model_.digest() != self.base_digest_:
                return False
            self._base_then = as_it_is(self.model_)
        return True
