"""Certificates: frozen, serialisable records of what a deletion or a release did and claims."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import UnionType
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

from pyunlearn._digest import (
    CERTIFICATE_FORMAT,
    HEAD_CERTIFICATE_FORMAT,
    HEAD_RELEASE_FORMAT,
    RELEASE_FORMAT,
)
from pyunlearn._json import read_json
from pyunlearn._version import __version__
from pyunlearn.errors import CorruptStateError, InvalidInputError

__all__ = ["Certificate", "HeadCertificate", "HeadReleaseCertificate", "ReleaseCertificate"]


@dataclass(frozen=True)
class BaseCertificate:
    """What all certificates can do; their fields stand in the classes below."""

    PRIVATE: ClassVar[Mapping[str, Any]]  # fields that are no public matter, and what replaces them

    def public(self) -> Self:
        """A copy that may be published: without what is computed from exact data."""
        return replace(self, **self.PRIVATE)

    def to_json(self) -> str:
        """One line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The certificate that `to_json` wrote.

        Raises
        ------
        CorruptStateError
            Not a certificate of this kind, or one of another format; or a value that no
            certificate has, such as a negative number of documents.
        """
        declared = {one.name: one for one in fields(cls)}
        try:
            values = read_json(text)
        except ValueError as error:
            raise CorruptStateError(f"not a certificate: {error}") from None
        if not isinstance(values, dict) or set(values) != set(declared):
            raise CorruptStateError("not a certificate: its fields are not those of this version")
        if values["format"] != declared["format"].default:
            raise CorruptStateError(
                f"certificate of format {str(values['format'])[:60]!r}; this version reads "
                f"{declared['format'].default!r}"
            )
        types = get_type_hints(cls)
        for name, value in sorted(values.items()):
            withheld = name in cls.PRIVATE and value == cls.PRIVATE[name]
            if not (withheld or _is_of(types[name], value)) or _has_negative(value):
                raise CorruptStateError(f"not a certificate: {name} has a value that cannot be")
        # JSON has no tuples.
        return cls(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
            }
        )


def _is_of(kind: Any, value: Any) -> bool:
    """Whether a value of JSON can be that of a field."""
    inner = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return any(_is_of(one, value) for one in inner)
    if get_origin(kind) is tuple:
        return isinstance(value, list) and all(_is_of(inner[0], one) for one in value)
    if get_origin(kind) is Mapping:
        return isinstance(value, dict) and all(_is_of(inner[1], one) for one in value.values())
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    # A boolean is an integer to Python.
    return kind is Any or type(value) is kind


def _has_negative(value: Any) -> bool:
    """Whether a number below 0 is in a value: counts, times, sizes and claims have none."""
    if isinstance(value, dict | list):
        return any(map(_has_negative, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int | float) and value < 0


COMMITMENT_SHOWS = (
    "until the next change, to whoever has the model, head or store that gave this certificate, "
    "that it is of their state (`confirms`); from then on nothing, to nobody: neither that it was "
    "of some state nor that it was not"
)

# ---- deletion -----------------------------------------------------------------------------------

EXACT_COMPARATOR = (
    "the model that the same version and parameters give when trained once on the remaining "
    "documents: every byte is equal"
)
STATISTICS_COMPARATOR = (
    "the statistics that the same version and parameters give when counted once on the remaining "
    "documents: every byte is equal"
)
STATISTICS_COVER = "the statistics of this model; its topics cannot be used until `refresh`"
EXACT_NOT_COVERED = (
    "that documents were deleted, how many and when; copies of the model or of the documents made "
    "elsewhere; what someone holding the model from before and the model from after can tell by "
    "comparing them; requests that others make because of what a model showed"
)
VOCABULARY_NOT_COVERED = "; which words were chosen as the vocabulary"


@dataclass(frozen=True)
class Certificate(BaseCertificate):
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
    commitment : str or None
        HMAC-SHA256, hexadecimal, of the digest of the state after the deletion, under a secret of
        this certificate that model or store keeps until their next change. Until then `confirms` of
        either tells whether the certificate is of their state; from then on nobody can tell
        anything from it, not even whether a guess of the state is right. None in a public copy.
    parameters : Mapping
        What the learner was told.
    comparator, covers, not_covered : str
        What the result equals, which objects the claim speaks of, and what it does not speak of.
    capacity_used, capacity_left : int or None
        Documents counted against the budget of the model's releases, this deletion included; None
        where there is none, and for exact deletion, which needs none.
    commitment_shows : str
        What the commitment shows, and what it does not.
    dependents : tuple of str
        Heads and index that were brought up to date with the model; in a store all that it has.

    Notes
    -----
    No digest of a state, no list of what became of which topic and no count of touched words is in
    a certificate: each would confirm guesses about the deleted documents. `digest` gives the digest
    of the state of now, and `pyunlearn.metrics.align_topics` pairs topics of before and after, for
    those who have both.
    """

    PRIVATE: ClassVar = {"commitment": None, "dependents": ()}

    mode: str
    epsilon: float | None
    delta: float | None
    n_documents_removed: int
    n_documents_left: int
    commitment: str | None
    parameters: Mapping[str, Any]
    comparator: str = EXACT_COMPARATOR
    covers: str = "the statistics and the topics of this model"
    not_covered: str = EXACT_NOT_COVERED + VOCABULARY_NOT_COVERED
    capacity_used: int | None = None
    capacity_left: int | None = None
    commitment_shows: str = COMMITMENT_SHOWS
    dependents: tuple[str, ...] = ()
    algorithm: str = "exact deletion from integer co-occurrence statistics"
    version: str = __version__
    format: str = CERTIFICATE_FORMAT


# ---- heads --------------------------------------------------------------------------------------

HEAD_COMPARATORS = {
    "exact": (
        "the head that the same version and parameters give when base and head are trained once "
        "on the remaining documents: every byte is equal"
    ),
    "newton": (
        "the optimum of the head's objective on the remaining documents over the base retrained "
        "without the deleted ones; the weights are within `distance` of it. They are not equal to "
        "it: publish them through `release_head`, which adds noise"
    ),
}
HEAD_NOT_COVERED = (
    "that task documents were deleted, how many and when; copies of the head, of the base or of "
    "the documents made elsewhere; what someone holding the head from before and the head from "
    "after can tell by comparing them; requests that others make because of what a head showed; "
    "which words were chosen as the vocabulary"
)


@dataclass(frozen=True)
class HeadCertificate(BaseCertificate):
    """A deletion that reached a head.

    Attributes
    ----------
    action : {"refresh", "forget", "relabel"}
        Brought up to date with its base, or task documents removed or relabelled.
    mode : {"exact", "newton"}
        How the head was brought to its present weights.
    retrained : bool
        Whether "newton" gave way to exact training, because the step left more than the budget
        allows, or the number of topics or classes changed.
    n_task_removed, n_task_left : int
        Task documents.
    commitment, commitment_shows : str
        As in `Certificate`, of the head's digest.
    gradient_norm, distance : float
        Norm of the objective's gradient at the weights, and gradient_norm / alpha, a bound of the
        distance to the optimum (the objective is strongly convex). These two and the residuals
        below are rounded up to powers of two: bounds they stay, but no guess of a document can be
        tried on them.
    residual_bound, residual_spent, residual_budget : float
        For "newton" removals: a-priori bound on the gradient that this step left, the sum of these
        since the last exact training, and the sum at which training is repeated.
    parameters : Mapping
        Of the head.
    """

    PRIVATE: ClassVar = {"commitment": None}

    action: str
    mode: str
    retrained: bool
    n_task_removed: int
    n_task_left: int
    commitment: str | None
    gradient_norm: float
    distance: float
    residual_bound: float
    residual_spent: float
    residual_budget: float
    parameters: Mapping[str, Any]
    comparator: str = HEAD_COMPARATORS["exact"]
    covers: str = "the weights and word scores of this head, and what it keeps of its task"
    not_covered: str = HEAD_NOT_COVERED
    commitment_shows: str = COMMITMENT_SHOWS
    version: str = __version__
    format: str = HEAD_CERTIFICATE_FORMAT


def commitment_in(certificate: Any) -> str | None:
    """The commitment of a deletion's certificate; InvalidInputError for anything else."""
    if not isinstance(certificate, Certificate | HeadCertificate):
        raise InvalidInputError(
            "confirms takes the certificate of a deletion, got " + type(certificate).__name__
        )
    return certificate.commitment


# ---- releases -----------------------------------------------------------------------------------

RELEASE_COMPARATOR = (
    "the same release of the model trained on the corpus without any set of at most `capacity` of "
    "its documents, with the same anchor words, n_words and declared constants"
)
RELEASE_NOT_COVERED = (
    "the choice of the anchor words and of the vocabulary, which the claim takes as public; the "
    "model and the statistics themselves, which must not be published beside the release; the "
    "digests, sizes and measured values in this certificate (publish `public()`, not this); what "
    "several releases tell together beyond epsilon_composed; copies of the documents elsewhere"
)


@dataclass(frozen=True)
class ReleaseCertificate(BaseCertificate):
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

    PRIVATE: ClassVar = dict.fromkeys(
        ("n_documents", "model_digest", "capacity_used", "capacity_left")
    )

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
    comparator: str = RELEASE_COMPARATOR
    not_covered: str = RELEASE_NOT_COVERED
    algorithm: str = "Gaussian mechanism on anchor-word topics, explicit sensitivity bound"
    version: str = __version__
    format: str = RELEASE_FORMAT

    def __str__(self) -> str:
        claim = f"({self.epsilon:g}, {self.delta:g})-unlearning for {self.capacity} documents"
        return claim if self.certified else f"not certified (seeded noise): {claim}"


HEAD_RELEASE_COMPARATOR = (
    "the same release of a head with the same parameters, trained to `tol` on the remaining task "
    "documents over the base trained on the remaining documents"
)
HEAD_RELEASE_NOT_COVERED = (
    "the choice of the vocabulary; a base from before the deletions, which voids this certificate "
    "when it is exported with the release; earlier releases of head or base; copies of the "
    "documents elsewhere; the digests in this certificate (publish `public()`, not this)"
)


@dataclass(frozen=True)
class HeadReleaseCertificate(BaseCertificate):
    """What a release of a head claims, and what it does not.

    Attributes
    ----------
    certified : bool
        Whether a claim is made at all: not for seeded noise, and not after a downgrade.
    kind : {"composed", "head", "full"}
        What is released.
    mode : {"exact", "newton"}
        How the head was trained last. Exact heads need no noise.
    released : tuple of str
        Names of the arrays.
    epsilon, delta : float
        The claim; both 0 for an exact head.
    tolerance : float
        tau, the declared bound of the gradient norm, the larger of `residual_budget` and `tol`; 0
        for an exact head.
    sensitivity, sigma : float
        2 tau / alpha with the charge for rounding, and the noise on each entry of W.
    score_noise : float
        Root mean square of the noise on the score of a token of the base's corpus.
    grid_bits : int
        Noise is on multiples of 2^-grid_bits; 0 without noise, or with seeded noise.
    residual, relative_residual : float or None
        kind="head": |A_S V - B|, root mean square over the tokens of the base's corpus, and its
        share of that of B.
    parameters : Mapping
        Of the head.
    base_components : str or None
        SHA-256 of A after the deletions.
    head_digest, release_digest : str or None
        SHA-256 of the head and of what is released.
    downgraded : str or None
        Why nothing is certified any more.
    """

    PRIVATE: ClassVar = dict.fromkeys(("base_components", "head_digest"))

    certified: bool
    kind: str
    mode: str
    released: tuple[str, ...]
    epsilon: float
    delta: float
    tolerance: float
    sensitivity: float
    sigma: float
    score_noise: float
    grid_bits: int
    residual: float | None
    relative_residual: float | None
    parameters: Mapping[str, Any]
    base_components: str | None
    head_digest: str | None
    release_digest: str | None
    covers: str
    comparator: str = HEAD_RELEASE_COMPARATOR
    not_covered: str = HEAD_RELEASE_NOT_COVERED
    downgraded: str | None = None
    version: str = __version__
    format: str = HEAD_RELEASE_FORMAT

    def __str__(self) -> str:
        if self.downgraded:
            return f"not certified: {self.downgraded}"
        claim = f"({self.epsilon:g}, {self.delta:g})-unlearning of {self.kind} release"
        return claim if self.certified else f"not certified (seeded noise): {claim}"
