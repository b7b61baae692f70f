"""The store's interface: what every backend can do, and nothing that etcd cannot.

A store is an ordered map from byte keys to byte values. A *transaction* is compares and changes; it commits as a whole
at a new *revision*, a positive number that only grows and becomes the API's index. Every key carries the revision that
created it and the one that last changed it. This module must not know what the keys mean.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import msgspec


class Compare(msgspec.Struct, frozen=True, array_like=True):
    """Holds while `key` was last changed at `revision`; 0 means that the key must not exist."""

    key: bytes
    revision: int


class Put(msgspec.Struct, frozen=True, array_like=True):
    """Sets `key`. With a lease the key vanishes when the lease ends."""

    key: bytes
    value: bytes
    lease: int = 0


class Delete(msgspec.Struct, frozen=True, array_like=True):
    """Removes `key`, or every key in `[key, end)` when `end` is given. Removing what is not there is no change."""

    key: bytes
    end: bytes = b""


class Txn(msgspec.Struct, frozen=True, array_like=True):
    """Compares and changes that happen together or not at all. No key may be changed twice in one transaction."""

    compares: tuple[Compare, ...] = ()
    changes: tuple[Put | Delete, ...] = ()


class Event(msgspec.Struct, frozen=True, array_like=True):
    """One key's change at a revision. A deletion has `value` None and `created` 0."""

    key: bytes
    value: bytes | None
    created: int
    modified: int


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One key as it stands, for loading a view and for snapshots."""

    key: bytes
    value: bytes
    created: int
    modified: int
    lease: int = 0


Listener = Callable[[int, Sequence[Event]], None]
"""Called on the event loop with every revision in order and the events of it."""


class Store(Protocol):
    """A durable ordered map with revisions, leases and a stream of its changes.

    All coroutines run on one event loop; none blocks it. After `close`, everything raises StoreClosed.
    """

    max_changes: int
    """How many changes one transaction may hold, and as many compares (etcd's --max-txn-ops sets its bound)."""

    shared: bool
    """Whether other servers write to the same store, so that only a barrier tells how far they are."""

    async def open(self) -> None:
        """Connects or creates the files. Raises StoreError with what to do about it."""

    async def close(self) -> None:
        """Writes out what is pending, then lets go of everything."""

    async def load(self, listener: Listener) -> tuple[int, list[Entry]]:
        """The whole content at a revision; from the next revision on, `listener` gets every change, none missed.

        It is first called after this has returned.
        """

    async def commit(self, txn: Txn) -> int:
        """Commits durably and returns the revision, or raises StoreConflict with nothing written.

        The listener has been called with the revision before this returns. A transaction whose changes change
        nothing (only deletions of what is not there) commits at the current revision.
        """

    async def barrier(self) -> int:
        """The newest revision at the time of the call: a read that has seen it is linearizable."""

    async def grant(self, ttl: float) -> int:
        """A new lease of `ttl` seconds, as an id to be used in Put."""

    async def keep_alive(self, lease: int) -> bool:
        """Starts the lease's time again; False when it has ended already."""

    async def revoke(self, lease: int) -> None:
        """Ends the lease now; its keys are deleted at a new revision. Ending one that is gone is no error."""

    async def campaign(self, name: str, ttl: float) -> int:
        """Waits until this process leads `name`; returns the term's fencing revision, which grows from term to term.

        The term is over when the store closes, or when this process gives no sign of life for `ttl` seconds.
        """

    async def lost(self, term: int) -> None:
        """Returns once the term that `campaign` gave is over, or may be: from then on another may lead."""

    def snapshot(self) -> AsyncIterator[Entry]:
        """Every entry of one revision, in key order."""

    async def restore(self, entries: AsyncIterator[Entry]) -> int:
        """Replaces everything by `entries` at one new revision, all or nothing, and returns that revision.

        Revisions never go back: restored keys are created and changed at the new one. The listener gets a deletion
        for every key that went and a put for every key that is there. The leases that live go on; an entry may name
        one of them, and no other.
        """
