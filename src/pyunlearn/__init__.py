"""Anchor-word topic models that forget documents exactly."""

from pyunlearn._version import __version__
from pyunlearn.certificate import Certificate
from pyunlearn.dictionary import TextRules
from pyunlearn.errors import (
    CorruptStateError,
    DocumentTooLongError,
    DuplicateDocumentError,
    FewerTopicsWarning,
    InvalidInputError,
    InvalidParameterError,
    NotANumberError,
    NotInModelError,
    PyUnlearnError,
    RecordError,
    StatisticsOverflowError,
    StoreBusyError,
    StoreError,
    TooFewAnchorsError,
    UnknownDocumentError,
)
from pyunlearn.io import load
from pyunlearn.model import AnchorTopicModel
from pyunlearn.statistics import CooccurrenceStatistics
from pyunlearn.store import Store

__all__ = [
    "AnchorTopicModel",
    "Certificate",
    "CooccurrenceStatistics",
    "CorruptStateError",
    "DocumentTooLongError",
    "DuplicateDocumentError",
    "FewerTopicsWarning",
    "InvalidInputError",
    "InvalidParameterError",
    "NotANumberError",
    "NotInModelError",
    "PyUnlearnError",
    "RecordError",
    "StatisticsOverflowError",
    "Store",
    "StoreBusyError",
    "StoreError",
    "TextRules",
    "TooFewAnchorsError",
    "UnknownDocumentError",
    "__version__",
    "load",
]
