"""Documents by id, statistics, topics, certificates and ledger, in one SQLite file."""

from pyunlearn.store._answers import Found, HeadInfo, StoreInfo, Topic, Verification
from pyunlearn.store._ledger import LedgerEntry
from pyunlearn.store._store import Store

__all__ = ["Found", "HeadInfo", "LedgerEntry", "Store", "StoreInfo", "Topic", "Verification"]
