"""`ReleaseCertificate`: what a release claims, serialisable, and its copy for the public."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from pyunlearn._version import __version__
from pyunlearn.certificates import certificate_values

__all__ = ["ReleaseCertificate"]

FORMAT = "pyunlearn-release-1"

COMPARATOR = (
    "the same release of the model trained on the corpus without any set of at most `capacity` of "
    "its documents, with the same anchor words, n_words and declared constants"
)
NOT_COVERED = (
    "the choice of the anchor words and of the vocabulary, which the claim takes as public; the "
    "model and the statistics themselves, which must not be published beside the release; the "
    "digests, sizes and measured values in this certificate (publish `public()`, not this); what "
    "several releases tell together beyond epsilon_composed; copies of the documents elsewhere"
)


@dataclass(frozen=True)
class ReleaseCertificate:
    """What a release claims, and what it does not.

    Attributes
    ----------
    certified : bool
        Whether the claim is made at all. A seeded release makes none.
    mode : {"exact", "newton"}
        "exact": the topics of the learner; "newton": after the finishing Newton step.
    released : tuple of str
        The noised arrays; the claim covers them together.
    comparator, not_covered : str
        What the release is indistinguishable from, and what the claim does not speak of.
    epsilon, delta : float
        The claim: (epsilon, delta)-indistinguishability.
    epsilon_composed : float
        Epsilon at this delta of all releases under this budget together, as continuous
        mechanisms.
    mechanism : {"analytic", "classical"}
        Formula of the noise.
    sensitivity_source : {"bound", "caller"}
        "caller": the sensitivity was given, and is not proved here.
    sensitivity, sigma : Mapping
        For each array: l2 distance that the noise hides, and its standard deviation.
    noise_norm : Mapping
        For each array: expected l2 size of its noise, before projection.
    grid_bits : int
        Values and noise are multiples of 2^-grid_bits; 0 for a seeded release.
    capacity, capacity_used, capacity_left : int
        Documents; the last two None in the public copy.
    n_releases : int
        Releases under this budget, this one included.
    constants : Mapping
        The declared constants, on which the claim rests.
    parameters : Mapping
        What the learner was told.
    n_documents : int or None
        Documents in the model; None in the public copy.
    model_digest, release_digest : str or None
        SHA-256 before (None in the public copy) and after the noise.
    """

    certified: bool
    mode: str
    released: tuple[str, ...]
    epsilon: float
    delta: float
    epsilon_composed: float
    mechanism: str
    sensitivity_source: str
    sensitivity: Mapping[str, float]
    sigma: Mapping[str, float]
    noise_norm: Mapping[str, float]
    grid_bits: int
    capacity: int
    capacity_used: int | None
    capacity_left: int | None
    n_releases: int
    constants: Mapping[str, Any]
    parameters: Mapping[str, Any]
    n_documents: int | None
    model_digest: str | None
    release_digest: str | None
    comparator: str = COMPARATOR
    not_covered: str = NOT_COVERED
    algorithm: str = "Gaussian mechanism on anchor-word topics, explicit sensitivity bound"
    version: str = __version__
    format: str = FORMAT

    def __str__(self) -> str:
        claim = f"({self.epsilon:g}, {self.delta:g})-unlearning for {self.capacity} documents"
        return claim if self.certified else f"not certified (seeded noise): {claim}"

    def public(self) -> ReleaseCertificate:
        """A copy that may go with the release: without what is computed from the exact model."""
        return replace(
            self, n_documents=None, model_digest=None, capacity_used=None, capacity_left=None
        )

    def to_json(self) -> str:
        """One line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ReleaseCertificate:
        """The certificate that `to_json` wrote; CorruptStateError for anything else."""
        values = certificate_values(text, {one.name for one in fields(cls)}, FORMAT)
        return cls(**{**values, "released": tuple(values["released"])})
