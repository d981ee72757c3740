"""(epsilon, delta)-unlearning: the mechanism, the bound, the capacity, the release.

For exact deletion none of this is needed. The names here are those of `mechanism`, `constants`,
`sensitivity`, `capacity` and `release`, in one place.
"""

from pyunlearn.capacity import (
    Budget,
    Capacity,
    deletion_capacity,
    head_sensitivity,
    paper_rate,
    stopping_sensitivity,
)
from pyunlearn.constants import Constants, measure
from pyunlearn.mechanism import (
    composed_mu,
    gaussian_delta,
    gaussian_epsilon,
    gaussian_mu,
    gaussian_sigma,
)
from pyunlearn.release import Release, release
from pyunlearn.release_certificate import ReleaseCertificate
from pyunlearn.sensitivity import Sensitivity, removal_bound, sensitivity_bound, worst_case

__all__ = [
    "Budget",
    "Capacity",
    "Constants",
    "Release",
    "ReleaseCertificate",
    "Sensitivity",
    "composed_mu",
    "deletion_capacity",
    "gaussian_delta",
    "gaussian_epsilon",
    "gaussian_mu",
    "gaussian_sigma",
    "head_sensitivity",
    "measure",
    "paper_rate",
    "release",
    "removal_bound",
    "sensitivity_bound",
    "stopping_sensitivity",
    "worst_case",
]
