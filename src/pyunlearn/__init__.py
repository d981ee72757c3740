"""Topic models that forget documents exactly."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyunlearn._version import __version__

if TYPE_CHECKING:
    from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
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

# Where each name is. Imported when first asked for: scikit-learn takes two seconds to import, and
# neither `pyunlearn --help` nor a deletion from a store needs it.
_HOMES = {
    "AnchorTopicModel": "anchor_topic_model",
    "Certificate": "certificates",
    "CooccurrenceStatistics": "_cooccurrence.statistics",
    "LinearHeadClassifier": "heads",
    "LinearHeadRegressor": "heads",
    "Store": "store",
    "TextRules": "text",
    "TopicModel": "topic_model",
    "TopicRetriever": "retrieval",
    "load": "io",
}
# `pyunlearn.metrics` after `import pyunlearn` alone.
_MODULES = {
    *("anchor_topic_model", "certificates", "datasets", "errors", "heads", "io", "metrics"),
    *("privacy", "records", "retrieval", "store", "text", "topic_model"),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})
