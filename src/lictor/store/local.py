"""What the stores of a single process share: their life, leases, listeners, and jobs in one order.

A backend says how a job is run (`_run`); this class says what a caller may ask for and what an outcome sets in motion
on the event loop. It knows neither tables nor files.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Sequence
from operator import attrgetter

from lictor import limits
from lictor.errors import StoreClosed
from lictor.runtime.clock import Clock, SystemClock
from lictor.store.base import Entry, Event, Listener, Txn
from lictor.store.checks import check_entries, check_ttl, check_txn
from lictor.store.jobs import EndLease, Grant, Job, Load, Outcome, Restore
from lictor.store.leases import Leases


class _Subscription:
    """A listener that hears of nothing until its load has returned: before, it has nothing to apply changes to."""

    def __init__(self, listener: Listener) -> None:
        self._listener: Listener | None = listener
        self._held: list[tuple[int, Sequence[Event]]] | None = []

    def __call__(self, revision: int, events: Sequence[Event]) -> None:
        if self._held is not None:
            self._held.append((revision, events))
        elif self._listener is not None:
            try:
                self._listener(revision, events)
            except Exception as error:
                # A listener's fault must not keep others from hearing, nor a commit that is durable from returning.
                context = {"message": f"a store's listener failed at revision {revision}", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)

    def loaded(self) -> None:
        """The load returns now, and what was held meanwhile follows it."""
        if self._held:
            asyncio.get_running_loop().call_soon(self._release)
        else:
            self._held = None

    def cancel(self) -> None:
        self._listener = self._held = None

    def _release(self) -> None:
        held, self._held = self._held, None
        for revision, events in held or ():
            self(revision, events)


class LocalStore(ABC):
    """A store whose only writer is this process: it leads whatever it campaigns for."""

    max_changes: int = limits.STORE_CHANGES

    def __init__(self, clock: Clock | None = None) -> None:
        self._refusal: str | None = "the store is not open yet"
        self._claimed = self._ended = False
        self._revision = 0
        self._last_lease = 0
        self._listeners: list[Listener] = []
        self._leases = Leases(clock or SystemClock(), lambda lease: self._run(EndLease(lease)))

    @abstractmethod
    def _run(self, job: Job) -> Awaitable[Outcome]:
        """Runs a job after all those before it; what it led to has been through `_settle` when this is done."""

    async def load(self, listener: Listener) -> tuple[int, list[Entry]]:
        subscription = _Subscription(listener)
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

    async def restore(self, entries: AsyncIterator[Entry]) -> int:
        self._require_open()
        ordered = sorted([entry async for entry in entries], key=attrgetter("key"))
        check_entries(ordered)
        return (await self._run(Restore(ordered))).revision

    def _claim(self) -> None:
        """To be called first by `open`: a store has one life."""
        if self._claimed or self._ended:
            raise StoreClosed("a store is opened only once")
        self._claimed = True

    def _begin(self, revision: int) -> None:
        """From now on the store may be used, unless it was closed while it opened."""
        if self._ended:
            raise StoreClosed("the store is closed")
        self._revision = revision
        self._refusal = None

    def _end(self, reason: str) -> None:
        """From now on every call is refused for `reason`, and no lease ends any more."""
        self._ended = True
        self._refusal = reason
        self._leases.close()

    def _require_open(self) -> None:
        if self._refusal is not None:
            raise StoreClosed(self._refusal)

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
