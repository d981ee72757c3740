"""Linear heads: downstream tasks on a topic model, and deletion that reaches them."""

from pyunlearn.heads.certificate import HeadCertificate
from pyunlearn.heads.head import LinearHead

__all__ = ["HeadCertificate", "LinearHead"]
