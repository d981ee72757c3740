"""Anchor-word topic models that forget documents exactly."""

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._version import __version__
from pyunlearn.certificates import Certificate
from pyunlearn.errors import (
    AnchorVanishedError,
    CapacityExceededError,
    CorruptStateError,
    DocumentTooLongError,
    DowngradedCertificateWarning,
    DuplicateDocumentError,
    FewerClassesWarning,
    FewerTopicsWarning,
    FloorsError,
    InvalidInputError,
    InvalidParameterError,
    MissingExtraError,
    NoisyReleaseWarning,
    NotANumberError,
    NotInModelError,
    PyUnlearnError,
    RecordError,
    StaleHeadError,
    StaleHeadWarning,
    StaleModelError,
    StatisticsOverflowError,
    StoreBusyError,
    StoreError,
    TooFewAnchorsError,
    UnknownDocumentError,
)
from pyunlearn.heads import LinearHeadClassifier, LinearHeadRegressor
from pyunlearn.io import load
from pyunlearn.model import AnchorTopicModel
from pyunlearn.privacy import Release, deletion_capacity
from pyunlearn.retrieval import TopicRetriever
from pyunlearn.store import Store
from pyunlearn.text import TextRules

__all__ = [
    "AnchorTopicModel",
    "AnchorVanishedError",
    "CapacityExceededError",
    "Certificate",
    "CooccurrenceStatistics",
    "CorruptStateError",
    "DocumentTooLongError",
    "DowngradedCertificateWarning",
    "DuplicateDocumentError",
    "FewerClassesWarning",
    "FewerTopicsWarning",
    "FloorsError",
    "InvalidInputError",
    "InvalidParameterError",
    "LinearHeadClassifier",
    "LinearHeadRegressor",
    "MissingExtraError",
    "NoisyReleaseWarning",
    "NotANumberError",
    "NotInModelError",
    "PyUnlearnError",
    "RecordError",
    "Release",
    "StaleHeadError",
    "StaleHeadWarning",
    "StaleModelError",
    "StatisticsOverflowError",
    "Store",
    "StoreBusyError",
    "StoreError",
    "TextRules",
    "TooFewAnchorsError",
    "TopicRetriever",
    "UnknownDocumentError",
    "__version__",
    "deletion_capacity",
    "load",
]
