"""Documents by id, statistics, topics, certificates and ledger, in one SQLite file."""

from pyunlearn.store.store import Store, StoreInfo, Topic, Verification

__all__ = ["Store", "StoreInfo", "Topic", "Verification"]
