"""(epsilon, delta)-unlearning: mechanism, bound, capacity, releases of models and heads.

For exact deletion none of this is needed.
"""

from pyunlearn.certificates import HeadReleaseCertificate, ReleaseCertificate
from pyunlearn.privacy._capacity import (
    Budget,
    Capacity,
    deletion_capacity,
    head_sensitivity,
    paper_rate,
    stopping_sensitivity,
)
from pyunlearn.privacy._constants import Constants, measure
from pyunlearn.privacy._head_capacity import head_capacity, smallest_topic_used
from pyunlearn.privacy._head_release import HeadRelease, release_head
from pyunlearn.privacy._mechanism import (
    composed_mu,
    gaussian_delta,
    gaussian_epsilon,
    gaussian_mu,
    gaussian_sigma,
)
from pyunlearn.privacy._release import Release, release
from pyunlearn.privacy._sensitivity import Sensitivity, removal_bound, sensitivity_bound, worst_case

__all__ = [
    "Budget",
    "Capacity",
    "Constants",
    "HeadRelease",
    "HeadReleaseCertificate",
    "Release",
    "ReleaseCertificate",
    "Sensitivity",
    "composed_mu",
    "deletion_capacity",
    "gaussian_delta",
    "gaussian_epsilon",
    "gaussian_mu",
    "gaussian_sigma",
    "head_capacity",
    "head_sensitivity",
    "measure",
    "paper_rate",
    "release",
    "release_head",
    "removal_bound",
    "sensitivity_bound",
    "smallest_topic_used",
    "stopping_sensitivity",
    "worst_case",
]
