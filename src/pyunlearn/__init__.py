"""Topic models that forget documents exactly."""

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._version import __version__
from pyunlearn.anchor_topic_model import AnchorTopicModel
from pyunlearn.certificates import Certificate
from pyunlearn.heads import LinearHeadClassifier, LinearHeadRegressor
from pyunlearn.io import load
from pyunlearn.retrieval import TopicRetriever
from pyunlearn.store import Store
from pyunlearn.text import TextRules
from pyunlearn.topic_model import TopicModel

__all__ = [
    "AnchorTopicModel",
    "Certificate",
    "CooccurrenceStatistics",
    "LinearHeadClassifier",
    "LinearHeadRegressor",
    "Store",
    "TextRules",
    "TopicModel",
    "TopicRetriever",
    "__version__",
    "load",
]
