"""The store of `agent -dev` and of tests: nothing is durable, everything else is as the interface says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from sortedcontainers import SortedDict, SortedSet

from lictor.runtime.clock import Clock
from lictor.store.base import Entry
from lictor.store.jobs import FIRST_REVISION, Job, Outcome, execute
from lictor.store.local import LocalStore


class MemoryTable:
    """Entries in a sorted map and the keys of each lease beside it."""

    def __init__(self) -> None:
        self.revision = FIRST_REVISION
        self._entries: SortedDict = SortedDict()
        self._leases: dict[int, SortedSet] = {}

    def revisions(self, key: bytes) -> tuple[int, int] | None:
        entry = self._entries.get(key)
        return None if entry is None else (entry.created, entry.modified)

    def keys(self, start: bytes, end: bytes | None) -> Sequence[bytes]:
        return list(self._entries.irange(start, end, (True, False)))

    def entries(self) -> list[Entry]:
        return list(self._entries.values())

    def put(self, entry: Entry) -> None:
        self._detach(entry.key)
        self._entries[entry.key] = entry
        if entry.lease:
            self._leases[entry.lease].add(entry.key)

    def remove(self, key: bytes) -> None:
        self._detach(key)
        del self._entries[key]

    def has_lease(self, lease: int) -> bool:
        return lease in self._leases

    def add_lease(self, lease: int, ttl: float) -> None:
        self._leases[lease] = SortedSet()

    def drop_lease(self, lease: int) -> None:
        del self._leases[lease]

    def keys_of(self, lease: int) -> Sequence[bytes]:
        return list(self._leases[lease])

    def _detach(self, key: bytes) -> None:
        entry = self._entries.get(key)
        if entry is not None and entry.lease:
            self._leases[entry.lease].discard(key)


class MemoryStore(LocalStore):
    """Keeps everything in this process; a commit is done before the call that made it gives way to anything."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self._table = MemoryTable()

    async def open(self) -> None:
        self._claim()
        self._begin(self._table.revision)

    async def close(self) -> None:
        self._end("the store is closed")
        self._table = MemoryTable()

    async def _run(self, job: Job) -> Outcome:
        self._require_open()
        outcome = execute(self._table, job)
        self._settle(job, outcome)
        return outcome

    async def snapshot(self) -> AsyncIterator[Entry]:
        self._require_open()
        for entry in self._table.entries():
            self._require_open()
            yield entry
