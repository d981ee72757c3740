"""`Certificate`: a frozen, serialisable record of one deletion, and how digests are made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pyunlearn._version import __version__
from pyunlearn.errors import CorruptStateError

__all__ = ["Certificate", "certificate_values"]

FORMAT = "pyunlearn-certificate-1"

EXACT_COMPARATOR = (
    "the model that the same version and parameters give when trained once on the remaining "
    "documents: every byte is equal"
)
STATISTICS_COMPARATOR = (
    "the statistics that the same version and parameters give when counted once on the remaining "
    "documents: every byte is equal"
)
STATISTICS_COVER = "the statistics of this model; its topics are those of before until `refresh`"
EXACT_NOT_COVERED = (
    "copies of the model or of the documents made elsewhere; what someone holding the model from "
    "before and the model from after can tell by comparing them; which words were chosen as the "
    "vocabulary"
)


@dataclass(frozen=True)
class Certificate:
    """What a deletion did, what is claimed for the result, and what is not.

    Attributes
    ----------
    mode : str
        "exact": the learner is a deterministic function of integer statistics, so the result is
        (0, 0)-indistinguishable from the comparator, with no assumption on the data.
    epsilon, delta : float
        The claim; both 0 for exact deletion, None where a deletion claims nothing by itself.
    n_documents_removed, n_documents_left : int
        Documents.
    statistics_before, statistics_after, model_before, model_after : str or None
        SHA-256 digests. Anyone with the remaining documents can recompute the later two. Of the
        models those whose topics were up to date: `model_after` is None where a later `refresh`
        learns them again, and `model_before` is then that of before all requests it ends.
    parameters : Mapping
        What the learner was told.
    comparator, covers, not_covered : str
        What the result equals, which objects the claim speaks of, and what it does not speak of.
    capacity_used, capacity_left : int or None
        Documents counted against the budget of the model's releases, this deletion included; None
        where there is none, and for exact deletion, which needs none.
    topic_alignment : Mapping
        Which topic became which: `before` and `after` pair their numbers, `overlap` is the sum of
        min(p, q) of their words, 1 for equal topics. Numbers follow the learner, which knows no
        history, so they may move. `overlap` is None where all anchor words stayed, and it is empty
        where topics of before or after are missing.
    dependents : Mapping
        Heads and indexes that were brought up to date with the model, by name, with their digests
        before and after; in a store all that it has.
    path : Mapping
        How the result was reached, for information: words touched, time of the stages in seconds.
    """

    mode: str
    epsilon: float | None
    delta: float | None
    n_documents_removed: int
    n_documents_left: int
    statistics_before: str
    statistics_after: str
    model_before: str | None
    model_after: str | None
    parameters: Mapping[str, Any]
    comparator: str = EXACT_COMPARATOR
    covers: str = "the statistics and the topics of this model"
    not_covered: str = EXACT_NOT_COVERED
    capacity_used: int | None = None
    capacity_left: int | None = None
    topic_alignment: Mapping[str, Any] = field(default_factory=dict)
    dependents: Mapping[str, Any] = field(default_factory=dict)
    path: Mapping[str, Any] = field(default_factory=dict)
    algorithm: str = "exact deletion from integer co-occurrence statistics"
    version: str = __version__
    format: str = FORMAT

    def to_json(self) -> str:
        """One line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        """The certificate that `to_json` wrote.

        Raises
        ------
        CorruptStateError
            Not a certificate, or one of another format.
        """
        return cls(**certificate_values(text, {one.name for one in fields(cls)}, FORMAT))


def certificate_values(text: str, names: Set[str], format: str) -> dict[str, Any]:
    """The fields of a certificate from its JSON; CorruptStateError for anything else."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise CorruptStateError(f"not a certificate: {error}") from None
    if not isinstance(values, dict) or set(values) != names:
        raise CorruptStateError("not a certificate: its fields are not those of this version")
    if values["format"] != format:
        raise CorruptStateError(
            f"certificate of format {values['format']!r}; this version reads {format!r}"
        )
    return values
