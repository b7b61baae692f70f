"""Following etcd: one watch over everything below the prefix, whose revisions reach the listeners whole and in order.

The feed says how far it has come. Whoever wrote or read at a revision waits here until everything up to it was heard.
Revisions that others make in the same etcd, outside the prefix, never come by: when somebody waits for one of those,
the feed writes a key of its own, and what it hears of then is newer.

The watch goes on where it stood after a failure, at any endpoint. When etcd has compacted that revision away, the feed
reads everything and tells the listeners the difference. The same happens when a restore has named a new generation.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from itertools import count
from typing import Any

from lictor.errors import StoreClosed, StoreError
from lictor.runtime.log import get_logger
from lictor.store.base import Entry, Event, Listener
from lictor.store.etcd.cluster import RETRY_SECONDS, Cluster
from lictor.store.etcd.content import Found, read_all
from lictor.store.etcd.keys import Content, Generation, Layout
from lictor.store.etcd.resync import difference
from lictor.store.etcd.revisions import Revisions
from lictor.store.etcd.rpc import TXN, WATCH, NoAnswer, Stream
from lictor.store.etcd.schema import PutRequest, RequestOp, TxnRequest, WatchRequest
from lictor.store.etcd.tasks import end, start
from lictor.store.subscription import Subscription

NUDGE_SECONDS = 0.05
"""How long somebody waits for a revision before the feed believes that it is not one of ours."""
STALL_SECONDS = 2.0
"""After this time without what must have come, the watch is begun anew."""
REFUSED_SECONDS = 1.0
"""The pause after etcd has refused that."""

log = get_logger("store.etcd")


class Feed:
    """The stream of changes. `revision` is the newest at which content changed; `content` the current generation."""

    def __init__(self, cluster: Cluster, layout: Layout) -> None:
        self._cluster = cluster
        self._layout = layout
        self.content = Content(layout, Generation())
        self.revision = 0
        self._seen = 0
        self._listeners: list[Subscription] = []
        self._known: dict[bytes, int] | None = None
        self._gaps = 0
        self._waiting: list[tuple[int, int, asyncio.Future[int]]] = []
        self._order = count()
        self._keys: dict[bytes, set[asyncio.Future[None]]] = {}
        self._wanted = self._nudged = 0
        self._stream: Stream | None = None
        self._watching: asyncio.Task[None] | None = None
        self._nudging: asyncio.Task[None] | None = None
        self._over = False

    def begin(self, revision: int, generation: Generation) -> None:
        """Follows everything after `revision`, at which `generation` was the content."""
        self.revision = self._seen = revision
        self.content = Content(self._layout, generation)
        self._watching = start(self._watch(), "etcd-watch")

    async def close(self) -> None:
        """Hears of nothing more. Who waits is refused."""
        self._over = True
        await end(self._watching, self._nudging)
        refused = StoreClosed("the store is closed")
        for _, _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(refused)
        for changed in [waiter for waiters in self._keys.values() for waiter in waiters]:
            if not changed.done():
                changed.set_exception(refused)

    async def reach(self, revision: int) -> int:
        """Waits until everything up to `revision` was heard; returns the newest up to there that changed content."""
        if revision <= self._seen:
            return self.revision
        if self._over:
            raise StoreClosed("the store is closed")
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (revision, next(self._order), waiter))
        self._wanted = max(self._wanted, revision)
        if self._nudging is None or self._nudging.done():
            self._nudging = start(self._nudge(), "etcd-nudge")
        return await waiter

    def changed(self, key: bytes) -> asyncio.Future[None]:
        """Done when one of the keys beside the content has changed, or may have."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keys.setdefault(key, set()).add(waiter)
        waiter.add_done_callback(lambda _: self._keys.get(key, set()).discard(waiter))
        return waiter

    async def load(self, listener: Listener) -> tuple[int, list[Entry]]:
        """Everything, at a revision from which on `listener` misses nothing."""
        subscription = Subscription(listener)
        self._listeners.append(subscription)
        try:
            gaps = -1
            while gaps != self._gaps:  # what was held across a gap does not follow what was read before it
                gaps, revision = self._gaps, self.revision
                found = await read_all(self._cluster, self._layout)
                await self.reach(found.revision)
                heard = subscription.forget(found.revision)
                revision = heard[-1][0] if heard else revision
        except BaseException:
            self._listeners.remove(subscription)
            subscription.cancel()
            raise
        if self._known is None:
            self._know(found, subscription.held)
        subscription.loaded()
        return revision, found.entries

    def _know(self, found: Found, since: Sequence[tuple[int, Sequence[Event]]]) -> None:
        """Begins to remember when each key was last changed, for the day on which the stream has a gap."""
        self._known = {entry.key: entry.modified for entry in found.entries}
        for _, events in since:
            self._remember(self._known, events)

    @staticmethod
    def _remember(known: dict[bytes, int], events: Sequence[Event]) -> None:
        for event in events:
            if event.value is None:
                known.pop(event.key, None)
            else:
                known[event.key] = event.modified

    async def _watch(self) -> None:
        pause = RETRY_SECONDS[0]
        while True:
            before = self._seen
            try:
                await self._follow()
            except NoAnswer as error:
                self._cluster.suspect(str(error) or "the watch ended")
            except StoreClosed:
                return
            except StoreError as error:
                log.warning("cannot follow etcd's changes, trying again: %s", error)
            pause = RETRY_SECONDS[0] if self._seen > before else min(2 * pause, RETRY_SECONDS[1])
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        """Follows by one stream until that ends."""
        revisions = Revisions()
        request = WatchRequest()
        request.create_request.key = self._layout.prefix
        request.create_request.range_end = self._layout.end
        request.create_request.start_revision = self._seen + 1
        request.create_request.progress_notify = True
        request.create_request.fragment = True
        async with self._cluster.stream(WATCH) as stream:
            await stream.send(request)
            self._stream = stream
            try:
                while not (response := await stream.receive()).canceled:
                    for revision, events in revisions.feed(response):
                        await self._hear(revision, events)
                    if not response.events and not response.created:
                        self._advance(response.header.revision)
            finally:
                self._stream = None
        await self._canceled(response)

    async def _canceled(self, response: Any) -> None:
        if not response.compact_revision:
            raise StoreError(f"etcd ended the watch: {response.cancel_reason}")
        log.warning("etcd has compacted revision %d, which was not heard yet: reading everything", self._seen + 1)
        await self._catch_up(await read_all(self._cluster, self._layout))

    async def _hear(self, revision: int, events: list[Any]) -> None:
        if revision <= self._seen:
            return
        self._release(revision - 1)
        content, changes = self.content, []
        for event in events:
            key = event.kv.key
            shown = content.shown(key)
            if shown is not None:
                changes.append(content.event(shown, event))
            elif key == self._layout.generation:
                return await self._catch_up(await read_all(self._cluster, self._layout, revision))
            elif key in self._keys:
                self._wake(key)
        if changes:
            self._deliver(revision, changes)
        self._advance(revision)

    async def _catch_up(self, found: Found) -> None:
        """Goes to what was read in one step."""
        self.content = Content(self._layout, found.generation)
        if self._known is None:
            self.revision = found.revision
        else:
            for revision, events in difference(self._known, found.entries, found.revision):
                self._deliver(revision, events)
        self._gaps += 1
        for key in list(self._keys):
            self._wake(key)
        self._advance(found.revision)

    def _deliver(self, revision: int, events: Sequence[Event]) -> None:
        self.revision = revision
        if self._known is not None:
            self._remember(self._known, events)
        for listener in self._listeners:
            listener(revision, events)

    def _advance(self, revision: int) -> None:
        self._seen = max(self._seen, revision)
        self._release(revision)

    def _release(self, revision: int) -> None:
        """Lets those go on who wait for revisions up to this one."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= revision:
            waiter = heapq.heappop(waiting)[2]
            if not waiter.done():
                waiter.set_result(self.revision)

    def _wake(self, key: bytes) -> None:
        for waiter in self._keys.pop(key, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def _nudge(self) -> None:
        """Makes a revision below the prefix when what is waited for does not come by itself."""
        waited = 0.0
        while self._seen < self._wanted:
            await asyncio.sleep(NUDGE_SECONDS)
            if self._nudged < self._wanted and self._seen < self._wanted:
                waited = 0.0
                if not await self._write_nudge():
                    return
            elif (waited := waited + NUDGE_SECONDS) > STALL_SECONDS and self._stream is not None:
                log.warning("the watch stands still, beginning it anew")
                self._stream.give_up()
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
