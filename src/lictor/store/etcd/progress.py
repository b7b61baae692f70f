"""How far this store has heard of what happens in etcd, and those who wait for it to come further.

Revisions that others make in the same etcd, outside our prefix, never come by. When somebody waits for one of those, a
key of ours is written, and what is heard of that is newer.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from lictor.errors import StoreClosed, StoreError
from lictor.runtime.log import get_logger
from lictor.store.etcd.cluster import Cluster
from lictor.store.etcd.keys import Layout
from lictor.store.etcd.rpc import TXN
from lictor.store.etcd.schema import PutRequest, RequestOp, TxnRequest
from lictor.store.etcd.tasks import end, start

NUDGE_SECONDS = 0.05
"""How long somebody waits for a revision before it is taken for one that is not ours."""
STALL_SECONDS = 2.0
"""After this time without what must have come, the watch is begun anew."""
REFUSED_SECONDS = 1.0
"""The pause after etcd has refused that key."""

log = get_logger("store.etcd")


class Progress:
    """`seen` is the revision up to which everything was heard. `stalled` is called when the watch stands still."""

    def __init__(self, cluster: Cluster, layout: Layout, stalled: Callable[[], None]) -> None:
        self._cluster = cluster
        self._layout = layout
        self._stalled = stalled
        self.seen = 0
        self._waiting: list[tuple[int, int, asyncio.Future[int]]] = []
        self._order = count()
        self._wanted = self._nudged = 0
        self._nudging: asyncio.Task[None] | None = None
        self._over = False

    async def close(self) -> None:
        """Who waits is refused."""
        self._over = True
        await end(self._nudging)
        for _, _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(StoreClosed("the store is closed"))

    async def reach(self, revision: int) -> int:
        """Waits until everything up to `revision` was heard; returns what was told to `release` then."""
        if self._over:
            raise StoreClosed("the store is closed")
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (revision, next(self._order), waiter))
        self._wanted = max(self._wanted, revision)
        if self._nudging is None or self._nudging.done():
            self._nudging = start(self._nudge(), "etcd-nudge")
        return await waiter

    def release(self, revision: int, told: int) -> None:
        """Lets those go on, and tells them a number, who wait for revisions up to this one."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= revision:
            waiter = heapq.heappop(waiting)[2]
            if not waiter.done():
                waiter.set_result(told)

    async def _nudge(self) -> None:
        waited = 0.0
        while self.seen < self._wanted:
            await asyncio.sleep(NUDGE_SECONDS)
            if self._nudged < self._wanted and self.seen < self._wanted:
                waited = 0.0
                if not await self._write_nudge():
                    return
            elif (waited := waited + NUDGE_SECONDS) > STALL_SECONDS:
                log.warning("etcd's watch stands still, beginning it anew")
                self._stalled()
                waited = 0.0

    async def _write_nudge(self) -> bool:
        """False when the store is closed."""
        put = RequestOp(request_put=PutRequest(key=self._layout.nudge))
        try:
            response = await self._cluster.ask(TXN, TxnRequest(success=[put]))
            self._nudged = response.header.revision
        except StoreClosed:
            return False
        except StoreError as error:
            log.error("cannot write to etcd to learn how far it is: %s", error)
            await asyncio.sleep(REFUSED_SECONDS)
        return True
