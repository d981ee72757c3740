"""Documents by id, statistics, topics, certificates and ledger, in one SQLite file."""

from pyunlearn.store.answers import Found, HeadInfo, StoreInfo, Topic, Verification
from pyunlearn.store.ledger import LedgerEntry
from pyunlearn.store.store import Store

__all__ = ["Found", "HeadInfo", "LedgerEntry", "Store", "StoreInfo", "Topic", "Verification"]
