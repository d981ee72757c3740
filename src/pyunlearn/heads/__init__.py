"""Linear heads: downstream tasks on a topic model, and deletion that reaches them."""

from pyunlearn.heads.certificate import HeadCertificate
from pyunlearn.heads.head import LinearHead
from pyunlearn.privacy._head_capacity import head_capacity, smallest_topic_used
from pyunlearn.privacy._head_release import HeadRelease, HeadReleaseCertificate

__all__ = [
    "HeadCertificate",
    "HeadRelease",
    "HeadReleaseCertificate",
    "LinearHead",
    "head_capacity",
    "smallest_topic_used",
]
