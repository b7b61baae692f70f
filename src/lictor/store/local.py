"""What the stores of a single process share: their life, leases, listeners, and jobs in one order.

A backend says how a job is run (`_run`); this class says what a caller may ask for and what an outcome sets in motion
on the event loop. It knows neither tables nor files.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable
from operator import attrgetter

from lictor import limits
from lictor.runtime.clock import Clock, SystemClock
from lictor.store.base import Entry, Listener, Txn
from lictor.store.checks import check_entries, check_ttl, check_txn
from lictor.store.jobs import EndLease, Grant, Job, Load, Outcome, Restore
from lictor.store.leases import Leases
from lictor.store.life import Life
from lictor.store.subscription import Subscription


class LocalStore(Life, ABC):
    """A store whose only writer is this process: it leads whatever it campaigns for."""

    max_changes: int = limits.STORE_CHANGES
    shared: bool = False

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self._revision = 0
        self._last_lease = 0
        self._listeners: list[Listener] = []
        self._leases = Leases(clock or SystemClock(), lambda lease: self._run(EndLease(lease)))
        self._ended = asyncio.Event()

    @abstractmethod
    def _run(self, job: Job) -> Awaitable[Outcome]:
        """Runs a job after all those before it; what it led to has been through `_settle` when this is done."""

    async def load(self, listener: Listener) -> tuple[int, list[Entry]]:
        subscription = Subscription(listener)
        try:
            found = await self._run(Load(subscription))
        except asyncio.CancelledError:
            subscription.cancel()
            raise
        subscription.loaded()
        return found.revision, found.entries

    async def commit(self, txn: Txn) -> int:
        check_txn(txn, self.max_changes)
        return (await self._run(txn)).revision

    async def barrier(self) -> int:
        self._require_open()
        return self._revision

    async def grant(self, ttl: float) -> int:
        check_ttl(ttl)
        self._require_open()
        self._last_lease += 1
        lease = self._last_lease
        await self._run(Grant(lease, ttl))
        return lease

    async def keep_alive(self, lease: int) -> bool:
        self._require_open()
        return self._leases.keep_alive(lease)

    async def revoke(self, lease: int) -> None:
        await self._run(EndLease(lease))

    async def campaign(self, name: str, ttl: float) -> int:
        self._require_open()
        return self._revision

    async def lost(self, term: int) -> None:
        await self._ended.wait()

    async def restore(self, entries: AsyncIterator[Entry]) -> int:
        self._require_open()
        ordered = sorted([entry async for entry in entries], key=attrgetter("key"))
        check_entries(ordered)
        return (await self._run(Restore(ordered))).revision

    def _begin(self, revision: int) -> None:
        """From now on the store may be used, unless it was closed while it opened."""
        self._live()
        self._revision = revision

    def _end(self, reason: str) -> None:
        """From now on every call is refused for `reason`, no lease ends any more, and what was led is led no more."""
        self._die(reason)
        self._leases.close()
        self._ended.set()

    def _settle(self, job: Job, outcome: Outcome) -> None:
        """What follows from a job that is done, on the event loop and in the order of the jobs."""
        if outcome.events:
            self._revision = outcome.revision
            for listener in self._listeners:
                listener(outcome.revision, outcome.events)
        if isinstance(job, Grant):
            self._leases.start(job.lease, job.ttl)
        elif isinstance(job, EndLease):
            self._leases.drop(job.lease)
        elif isinstance(job, Load):
            self._listeners.append(job.listener)
