"""What every store refuses before it looks at its content: malformed transactions, entries and lease times.

Pure, and the same for all backends, so that what one takes the others take.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lictor.errors import StoreError
from lictor.store.base import Delete, Entry, Put, Txn


def check_txn(txn: Txn, max_changes: int) -> None:
    """Raises StoreError when `txn` is too long, has an empty key or range, or could change a key twice."""
    changes = txn.changes
    if len(changes) > max_changes or len(txn.compares) > max_changes:
        raise StoreError(f"a transaction may hold {max_changes} changes and as many compares")
    for compare in txn.compares:
        if not compare.key:
            raise StoreError("compares: a key must not be empty")
    for change in changes:
        if not change.key:
            raise StoreError("changes: a key must not be empty")
    if len(changes) > 1 or (changes and isinstance(changes[0], Delete)):
        _check_overlap(changes)


def _check_overlap(changes: Sequence[Put | Delete]) -> None:
    spans = sorted(_span(change) for change in changes)
    reached = b""
    for start, end in spans:
        if end <= start:
            raise StoreError(f"changes: the range from {start!r} to {end!r} is empty")
        if start < reached:
            raise StoreError(f"changes: {start!r} is changed twice")
        reached = end


def _span(change: Put | Delete) -> tuple[bytes, bytes]:
    if isinstance(change, Delete) and change.end:
        return change.key, change.end
    return change.key, change.key + b"\0"


def check_entries(entries: Sequence[Entry]) -> None:
    """Raises StoreError unless `entries`, in key order, have keys that are not empty and differ."""
    before = b""
    for entry in entries:
        if entry.key == before:
            raise StoreError(f"entries: key {entry.key!r} is there twice" if before else "entries: a key is empty")
        before = entry.key


def check_ttl(ttl: float) -> None:
    """Raises StoreError unless `ttl` is a positive number of seconds."""
    if not (math.isfinite(ttl) and ttl > 0):
        raise StoreError(f"ttl: must be a positive number of seconds, not {ttl}")
