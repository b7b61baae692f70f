"""Writes on their way into etcd, each done once and only once, whatever happens to connections, members and leaders.

When no answer comes, the write may have happened, may never happen, or may happen yet. Its slot (see `requests`) tells:
a fence is written there, which succeeds only where the write has not happened and keeps it from happening later; then
it is sent again. A caller is told a fate, except when etcd stays away for longer than the caller can wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Set
from itertools import count
from typing import Any

from lictor import limits
from lictor.errors import StoreClosed, StoreConflict, StoreError
from lictor.store.base import Delete, Put, Txn
from lictor.store.etcd.cluster import RETRY_SECONDS, Cluster
from lictor.store.etcd.feed import Feed
from lictor.store.etcd.keys import Layout
from lictor.store.etcd.order import ALONE, Order
from lictor.store.etcd.requests import Outcome, Slot, fence, outcome, transaction
from lictor.store.etcd.rpc import RANGE, TXN, EtcdError, NoAnswer
from lictor.store.etcd.schema import RangeRequest

_UNKNOWN = "whether it was written is not known"


class _Work:
    """One write. `sent` says that it may have happened, `abandoned` that nobody waits for it any more."""

    __slots__ = ("abandoned", "sent")

    def __init__(self) -> None:
        self.sent = self.abandoned = False


class Commits:
    """The writes of one store. `instance` differs from that of every other process that ever uses the same slots."""

    def __init__(self, cluster: Cluster, feed: Feed, layout: Layout, server: str, instance: str, wait: float) -> None:
        self._cluster = cluster
        self._feed = feed
        self._prefix = layout.slots(server)
        self._instance = instance.encode()
        self._wait_seconds = wait
        self._numbers = count(1)
        self._order = Order(limits.ETCD_WRITES)
        self._slots: list[Slot] = []
        self._tasks: set[asyncio.Task[int]] = set()

    async def open(self) -> None:
        """Reads what the slots were left with."""
        end = self._prefix[:-1] + b"0"
        found = await self._cluster.ask(RANGE, RangeRequest(key=self._prefix, range_end=end))
        modified = {kv.key: kv.mod_revision for kv in found.kvs}
        keys = [self._prefix + b"%d" % number for number in range(limits.ETCD_WRITES)]
        self._slots = [Slot(key, modified.get(key, 0)) for key in reversed(keys)]

    async def close(self) -> None:
        """Waits for what is under way, for as long as callers would."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._wait_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def commit(self, txn: Txn) -> int:
        """Writes a transaction that was checked. Raises StoreConflict, or StoreError with its fate."""
        return await self._run(lambda work: self._carry_out(txn, work))

    async def alone(self, act: Callable[[], Awaitable[int]]) -> int:
        """Does something after all writes before it and before those after it."""

        async def carry_out(work: _Work) -> int:
            await self._order.enter(ALONE)
            try:
                work.sent = True
                return await act()
            finally:
                self._order.leave(ALONE)

        return await self._run(carry_out)

    async def _run(self, carry_out: Callable[[_Work], Coroutine[Any, Any, int]]) -> int:
        work = _Work()
        task = asyncio.get_running_loop().create_task(carry_out(work))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await asyncio.shield(task)
        except TimeoutError:
            work.abandoned = True
            fate = _UNKNOWN if work.sent else "nothing was written"
            raise StoreError(f"{self._cluster.trouble()}: {fate}") from None
        except asyncio.CancelledError:
            if task.cancelled():
                raise StoreClosed(f"the store is closed: {_UNKNOWN}") from None
            raise

    def _ended(self, task: asyncio.Task[int]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen, though its caller may have gone

    async def _carry_out(self, txn: Txn, work: _Work) -> int:
        keys = _keys(txn)
        await self._order.enter(keys)
        slot = self._slots.pop()
        try:
            if work.abandoned:
                raise StoreError("nobody waits for it any more: nothing was written")
            done = await self._write(txn, slot, work)
        finally:
            self._slots.append(slot)
            self._order.leave(keys)
        if done.changed:
            self._feed.wrote(done.revision, txn.changes)
        heard = await self._feed.reach(done.revision)
        if not done.done:
            raise StoreConflict("what the transaction builds on has changed meanwhile")
        return done.revision if done.changed else heard

    async def _write(self, txn: Txn, slot: Slot, work: _Work) -> Outcome:
        """Sends a transaction until it has happened once, or cannot happen."""
        while True:
            content = self._feed.content
            if any(0 < compare.revision < content.base for compare in txn.compares):
                raise StoreConflict(f"everything was restored at revision {content.base}")
            mark = self._mark()
            work.sent = True
            try:
                found = outcome(await self._cluster.attempt(TXN, transaction(txn, content, slot, mark)))
            except NoAnswer:
                landed = await self._find_out(slot, mark)
                if landed:
                    return Outcome(landed, done=True, changed=True)
                continue
            except EtcdError as error:
                raise _refused(txn, error) from None
            if found.done:
                slot.modified = found.revision if found.changed else slot.modified
                return found
            if found.slot != slot.modified:
                slot.modified = found.slot  # a former process of this server has written here after it was read
            elif found.base != content.base:
                await self._feed.reach(found.base)
            else:
                return found

    async def _find_out(self, slot: Slot, mark: bytes) -> int:
        """The revision at which a write happened that was not answered; 0 when it has not and never will."""
        fences: set[bytes] = set()
        pause, longest = RETRY_SECONDS
        while True:
            fences.add(attempt := self._mark())
            try:
                found = outcome(await self._cluster.attempt(TXN, fence(slot, attempt)))
            except NoAnswer:
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
                continue
            except EtcdError as error:
                raise StoreError(f"{error}: {_UNKNOWN}") from None
            slot.modified = found.revision if found.done else found.slot
            if found.done or found.mark in fences:
                return 0
            if found.mark == mark:
                return found.slot
            raise StoreError(f"another process writes as this server: {_UNKNOWN}")

    def _mark(self) -> bytes:
        return b"%s.%d" % (self._instance, next(self._numbers))


def _keys(txn: Txn) -> Set[bytes] | None:
    keys = {compare.key for compare in txn.compares}
    for change in txn.changes:
        if isinstance(change, Delete) and change.end:
            return ALONE
        keys.add(change.key)
    return keys


def _refused(txn: Txn, error: EtcdError) -> StoreError:
    if "lease not found" not in str(error):
        return error
    leases = sorted({change.lease for change in txn.changes if isinstance(change, Put) and change.lease})
    if len(leases) == 1:
        return StoreError(f"lease {leases[0]} has ended or never was")
    return StoreError(f"one of the leases {', '.join(map(str, leases))} has ended or never was")
