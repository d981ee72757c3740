"""`HeadCertificate`: what happened to a head, what is claimed for it, and what is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pyunlearn._version import __version__
from pyunlearn.certificates import certificate_values

__all__ = ["HeadCertificate"]

FORMAT = "pyunlearn-head-certificate-1"

COMPARATORS = {
    "exact": (
        "the head that the same version and parameters give when base and head are trained once "
        "on the remaining documents: every byte is equal"
    ),
    "newton": (
        "the optimum of the head's objective on the remaining documents over the base retrained "
        "without the deleted ones; the weights are within `distance` of it. They are not equal to "
        "it: publish them through `release`, which adds noise"
    ),
}
NOT_COVERED = (
    "copies of the head, of the base or of the documents made elsewhere; what someone holding the "
    "head from before and the head from after can tell by comparing them; which words were chosen "
    "as the vocabulary"
)


@dataclass(frozen=True)
class HeadCertificate:
    """A deletion that reached a head.

    Attributes
    ----------
    action : {"unlearn", "forget", "relabel"}
        Brought up to date with its base, or task documents removed or relabelled.
    mode : {"exact", "newton"}
        How the head was brought to its present weights.
    retrained : bool
        Whether "newton" gave way to exact training, because the step left more than the budget
        allows, or the number of topics or classes changed.
    n_task_removed, n_task_left : int
        Task documents.
    base_before, base_after, task_before, task_after, head_before, head_after : str
        SHA-256 digests of the base, the task, and the head.
    gradient_norm, distance : float
        Norm of the objective's gradient at the weights, and gradient_norm / alpha, a bound of the
        distance to the optimum (the objective is strongly convex).
    residual_bound, residual_spent, residual_budget : float
        For "newton" removals: a-priori bound on the gradient that this step left, the sum of these
        since the last exact training, and the sum at which training is repeated.
    parameters : Mapping
        Of the head.
    """

    action: str
    mode: str
    retrained: bool
    n_task_removed: int
    n_task_left: int
    base_before: str
    base_after: str
    task_before: str
    task_after: str
    head_before: str
    head_after: str
    gradient_norm: float
    distance: float
    residual_bound: float
    residual_spent: float
    residual_budget: float
    parameters: Mapping[str, Any]
    comparator: str = COMPARATORS["exact"]
    covers: str = "the weights and word scores of this head, and what it keeps of its task"
    not_covered: str = NOT_COVERED
    path: Mapping[str, Any] = field(default_factory=dict)
    version: str = __version__
    format: str = FORMAT

    def to_json(self) -> str:
        """One line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> HeadCertificate:
        """The certificate that `to_json` wrote; CorruptStateError for anything else."""
        return cls(**certificate_values(text, {one.name for one in fields(cls)}, FORMAT))
