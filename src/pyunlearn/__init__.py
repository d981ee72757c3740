"""Anchor-word topic models that forget documents exactly."""

from pyunlearn._version import __version__
from pyunlearn.certificate import Certificate
from pyunlearn.dictionary import TextRules
from pyunlearn.errors import (
    CorruptStateError,
    DocumentTooLongError,
    DowngradedCertificateWarning,
    DuplicateDocumentError,
    FewerClassesWarning,
    FewerTopicsWarning,
    InvalidInputError,
    InvalidParameterError,
    NotANumberError,
    NotInModelError,
    PyUnlearnError,
    RecordError,
    StaleHeadError,
    StaleHeadWarning,
    StatisticsOverflowError,
    StoreBusyError,
    StoreError,
    TooFewAnchorsError,
    UnknownDocumentError,
)
from pyunlearn.heads import HeadCertificate, LinearHead
from pyunlearn.io import load
from pyunlearn.model import AnchorTopicModel
from pyunlearn.retrieval import TopicRetriever
from pyunlearn.statistics import CooccurrenceStatistics
from pyunlearn.store import Store

__all__ = [
    "AnchorTopicModel",
    "Certificate",
    "CooccurrenceStatistics",
    "CorruptStateError",
    "DocumentTooLongError",
    "DowngradedCertificateWarning",
    "DuplicateDocumentError",
    "FewerClassesWarning",
    "FewerTopicsWarning",
    "HeadCertificate",
    "InvalidInputError",
    "InvalidParameterError",
    "LinearHead",
    "NotANumberError",
    "NotInModelError",
    "PyUnlearnError",
    "RecordError",
    "StaleHeadError",
    "StaleHeadWarning",
    "StatisticsOverflowError",
    "Store",
    "StoreBusyError",
    "StoreError",
    "TextRules",
    "TooFewAnchorsError",
    "TopicRetriever",
    "UnknownDocumentError",
    "__version__",
    "load",
]
