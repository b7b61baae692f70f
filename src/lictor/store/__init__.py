"""The store: where writes become durable and get their revision. Interface in `base`; memory and SQLite beside it.

A store keeps bytes under ordered keys and knows nothing of services or sessions; `state` follows it and gives them
meaning. All implementations pass one suite of tests (tests/store/).
"""

from lictor.store.base import Compare, Delete, Entry, Event, Listener, Put, Store, Txn

__all__ = ["Compare", "Delete", "Entry", "Event", "Listener", "Put", "Store", "Txn"]
