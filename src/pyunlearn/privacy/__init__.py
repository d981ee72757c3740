"""(epsilon, delta)-unlearning: the mechanism, the bound, the capacity, the release.

For exact deletion none of this is needed.
"""

from pyunlearn.privacy.capacity import (
    Budget,
    Capacity,
    deletion_capacity,
    head_sensitivity,
    paper_rate,
    stopping_sensitivity,
)
from pyunlearn.privacy.certificate import ReleaseCertificate
from pyunlearn.privacy.constants import Constants, measure
from pyunlearn.privacy.mechanism import (
    composed_mu,
    gaussian_delta,
    gaussian_epsilon,
    gaussian_mu,
    gaussian_sigma,
)
from pyunlearn.privacy.release import Release, release
from pyunlearn.privacy.sensitivity import Sensitivity, removal_bound, sensitivity_bound, worst_case

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
