"""Typed errors. Each derives from `PyUnlearnError` and from the builtin that fits."""

from __future__ import annotations

__all__ = [
    "AnchorVanishedError",
    "CapacityExceededError",
    "CorruptStateError",
    "DocumentTooLongError",
    "DowngradedCertificateWarning",
    "DuplicateDocumentError",
    "FewerClassesWarning",
    "FewerTopicsWarning",
    "FloorsError",
    "ForkedError",
    "InvalidInputError",
    "InvalidParameterError",
    "MissingExtraError",
    "NoisyReleaseWarning",
    "NotANumberError",
    "NotInModelError",
    "PyUnlearnError",
    "RecordError",
    "StaleHeadError",
    "StaleHeadWarning",
    "StaleModelError",
    "StatisticsOverflowError",
    "StoreBusyError",
    "StoreError",
    "TooFewAnchorsError",
    "UnknownDocumentError",
]


class PyUnlearnError(Exception):
    """Base of every error this library raises on purpose."""


class InvalidInputError(PyUnlearnError, ValueError):
    """Counts, lengths or shapes that are not what a method takes."""


class NotANumberError(InvalidInputError, TypeError):
    """Values among the counts that are no numbers at all."""


class InvalidParameterError(PyUnlearnError, ValueError):
    """A parameter outside its range or of another type."""


class DocumentTooLongError(PyUnlearnError, ValueError):
    """A document so long that its integer weight would be 0 at this `scale_bits`."""


class StatisticsOverflowError(PyUnlearnError, ValueError):
    """A word's mass, or the number of documents, would reach 2**62."""


class NotInModelError(PyUnlearnError, ValueError):
    """A document to remove was never added, or has been removed already."""


class MissingContextsError(PyUnlearnError, RuntimeError):
    """A change makes contexts of words whose columns of the statistics were not kept."""


class UnknownDocumentError(NotInModelError, KeyError):
    """An id that the store does not hold."""

    # KeyError would print the message in quotes.
    __str__ = Exception.__str__


class DuplicateDocumentError(PyUnlearnError, ValueError):
    """An id that the store holds already, or that stands twice in one request."""


class TooFewAnchorsError(PyUnlearnError, ValueError):
    """Fewer anchor words can be found than topics were asked for."""


class AnchorVanishedError(PyUnlearnError, RuntimeError):
    """A deletion takes away what an update with fixed anchor words stands on."""


class CapacityExceededError(PyUnlearnError, RuntimeError):
    """More documents removed than the noise of a release was made for."""


class FloorsError(PyUnlearnError, RuntimeError):
    """Declared constants of a guarantee that the statistics do not meet, or no longer meet."""


class StaleModelError(PyUnlearnError, RuntimeError, AttributeError):
    """Topics that were not yet learned again after the statistics changed.

    An AttributeError too, since attributes such as `components_` raise it: hasattr() then says
    False, and a notebook can show the model.
    """


class StaleHeadError(PyUnlearnError, RuntimeError):
    """A head or index whose base has changed since it was brought up to date."""


class ForkedError(PyUnlearnError, RuntimeError):
    """An object that another thread was at work in when the process was forked."""


class MissingExtraError(PyUnlearnError, ImportError):
    """An optional dependency that is not installed."""


class RecordError(PyUnlearnError, ValueError):
    """A line of a JSONL file that is not a record."""


class CorruptStateError(PyUnlearnError, RuntimeError):
    """A saved model or store that is damaged, edited, or of another format version."""


class StoreError(PyUnlearnError, RuntimeError):
    """A store that cannot be opened or does not allow the request in its present state."""


class StoreBusyError(StoreError):
    """Another process holds the store."""


class FewerTopicsWarning(UserWarning):
    """What remains after a deletion supports fewer topics than asked for."""


class FewerClassesWarning(UserWarning):
    """After a deletion the task of a head has fewer than two classes."""


class StaleHeadWarning(UserWarning):
    """A head or index is used although its base has changed."""


class DowngradedCertificateWarning(UserWarning):
    """Something is exported with a release that voids its certificate."""


class NoisyReleaseWarning(UserWarning):
    """A release whose noise is larger than what it could say."""
