"""What a store does to its table, one job after the other: the one meaning of a transaction, a lease's end, a restore.

A `Table` is a backend's own map of entries and its set of leases; a `Job` is what a caller asked for. `execute` runs a
job against a table; it looks before it changes anything, so a job that raises has changed nothing. Pure: durability,
threads and time belong to the stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from lictor.errors import StoreConflict, StoreError
from lictor.store.base import Delete, Entry, Event, Listener, Put, Txn

FIRST_REVISION = 1
"""The revision of a store in which nothing was written yet; etcd's is the same."""


class Grant(msgspec.Struct, frozen=True):
    """A new lease of `ttl` seconds; `lease` was never used before."""

    lease: int
    ttl: float


class EndLease(msgspec.Struct, frozen=True):
    """The lease goes and its keys with it, because it expired or was revoked."""

    lease: int


class Load(msgspec.Struct, frozen=True):
    """Every entry; from the next revision on `listener` hears of all changes."""

    listener: Listener


class Restore(msgspec.Struct, frozen=True):
    """Everything is replaced by `entries`, which are in key order."""

    entries: list[Entry]


Job = Txn | Grant | EndLease | Load | Restore


class Outcome(msgspec.Struct):
    """What a job led to: the revision after it, the events of that revision, and what `Load` found."""

    revision: int
    events: Sequence[Event] = ()
    entries: list[Entry] = []


class Table(Protocol):
    """A backend's entries and leases, changed only through `execute`."""

    revision: int

    def revisions(self, key: bytes) -> tuple[int, int] | None:
        """When `key` was created and last changed."""

    def keys(self, start: bytes, end: bytes | None) -> Sequence[bytes]:
        """The keys in `[start, end)` in order; without an end, all from `start` on."""

    def entries(self) -> list[Entry]:
        """Everything, in key order."""

    def put(self, entry: Entry) -> None:
        """Sets an entry, which takes it from its former lease."""

    def remove(self, key: bytes) -> None:
        """Removes an entry that is there."""

    def has_lease(self, lease: int) -> bool: ...

    def add_lease(self, lease: int, ttl: float) -> None: ...

    def drop_lease(self, lease: int) -> None:
        """Forgets a lease that is there and whose keys are gone."""

    def keys_of(self, lease: int) -> Sequence[bytes]:
        """The keys that hang on a lease, in order."""


def execute(table: Table, job: Job) -> Outcome:
    """Runs one job. Raises StoreConflict or StoreError with nothing changed."""
    if isinstance(job, Txn):
        return _transact(table, job)
    if isinstance(job, Grant):
        table.add_lease(job.lease, job.ttl)
    elif isinstance(job, EndLease):
        if table.has_lease(job.lease):
            return _end_lease(table, job.lease)
    elif isinstance(job, Load):
        return Outcome(table.revision, entries=table.entries())
    else:
        return _restore(table, job.entries)
    return Outcome(table.revision)


def _transact(table: Table, txn: Txn) -> Outcome:
    for compare in txn.compares:
        known = table.revisions(compare.key)
        modified = known[1] if known else 0
        if modified != compare.revision:
            raise StoreConflict(f"key {compare.key!r} was last changed at {modified}, not at {compare.revision}")
    _require_leases(table, (change.lease for change in txn.changes if isinstance(change, Put)))
    revision = table.revision + 1
    events: list[Event] = []
    for change in txn.changes:
        if isinstance(change, Put):
            known = table.revisions(change.key)
            created = known[0] if known else revision
            table.put(Entry(change.key, change.value, created, revision, change.lease))
            events.append(Event(change.key, change.value, created, revision))
        else:
            _remove(table, _deleted_keys(table, change), revision, events)
    return _outcome(table, revision, events)


def _deleted_keys(table: Table, change: Delete) -> Sequence[bytes]:
    if change.end:
        return table.keys(change.key, change.end)
    return (change.key,) if table.revisions(change.key) else ()


def _end_lease(table: Table, lease: int) -> Outcome:
    revision = table.revision + 1
    events: list[Event] = []
    _remove(table, table.keys_of(lease), revision, events)
    table.drop_lease(lease)
    return _outcome(table, revision, events)


def _restore(table: Table, entries: list[Entry]) -> Outcome:
    _require_leases(table, (entry.lease for entry in entries))
    revision = table.revision + 1
    events: list[Event] = []
    kept = {entry.key for entry in entries}
    _remove(table, [key for key in table.keys(b"", None) if key not in kept], revision, events)
    for entry in entries:
        table.put(Entry(entry.key, entry.value, revision, revision, entry.lease))
        events.append(Event(entry.key, entry.value, revision, revision))
    return _outcome(table, revision, events)


def _require_leases(table: Table, leases: Iterable[int]) -> None:
    for lease in leases:
        if lease and not table.has_lease(lease):
            raise StoreError(f"lease {lease} has ended or never was")


def _remove(table: Table, keys: Sequence[bytes], revision: int, events: list[Event]) -> None:
    for key in keys:
        table.remove(key)
        events.append(Event(key, None, 0, revision))


def _outcome(table: Table, revision: int, events: list[Event]) -> Outcome:
    if events:
        table.revision = revision
    return Outcome(table.revision, events)
