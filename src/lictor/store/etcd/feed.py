"""Following etcd: one watch over everything below the prefix, whose revisions reach the listeners whole and in order.

What this server writes itself need not come back by the watch first: where nothing is missing before it, the listeners
hear of it with etcd's answer, and the watch's word is passed over when it comes.

The watch goes on where it stood after a failure, at any endpoint. When etcd has compacted that revision away, the feed
reads everything and tells the listeners the difference. The same happens when a restore has named a new generation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from lictor.errors import StoreClosed, StoreError
from lictor.runtime.log import get_logger
from lictor.store.base import Delete, Entry, Event, Listener, Put
from lictor.store.etcd.cluster import RETRY_SECONDS, Cluster
from lictor.store.etcd.content import Found, read_all
from lictor.store.etcd.keys import Content, Generation, Layout
from lictor.store.etcd.known import Known
from lictor.store.etcd.progress import Progress
from lictor.store.etcd.revisions import Revisions
from lictor.store.etcd.rpc import WATCH, NoAnswer, Stream
from lictor.store.etcd.schema import WatchRequest
from lictor.store.etcd.tasks import end, start
from lictor.store.subscription import Subscription

log = get_logger("store.etcd")


class Feed:
    """The stream of changes. `revision` is the newest at which content changed; `content` the current generation."""

    def __init__(self, cluster: Cluster, layout: Layout) -> None:
        self._cluster = cluster
        self._layout = layout
        self.content = Content(layout, Generation())
        self.revision = 0
        self._progress = Progress(cluster, layout, self._stalled)
        self._listeners: list[Subscription] = []
        self._known: Known | None = None
        self._own: dict[int, Sequence[Put | Delete]] = {}
        self._gaps = 0
        self._keys: dict[bytes, set[asyncio.Future[None]]] = {}
        self._stream: Stream | None = None
        self._watching: asyncio.Task[None] | None = None

    def begin(self, revision: int, generation: Generation) -> None:
        """Follows everything after `revision`, at which `generation` was the content."""
        self.revision = self._progress.seen = revision
        self.content = Content(self._layout, generation)
        self._watching = start(self._watch(), "etcd-watch")

    async def close(self) -> None:
        """Hears of nothing more. Who waits is refused."""
        await end(self._watching)
        await self._progress.close()
        for waiter in [waiter for waiters in self._keys.values() for waiter in waiters]:
            if not waiter.done():
                waiter.set_exception(StoreClosed("the store is closed"))

    async def reach(self, revision: int) -> int:
        """Waits until everything up to `revision` was heard; returns the newest up to there that changed content."""
        if revision <= self._progress.seen:
            return self.revision
        return await self._progress.reach(revision)

    def wrote(self, revision: int, changes: Sequence[Put | Delete]) -> None:
        """Takes changes that this server has made at a revision."""
        if revision > self._progress.seen and self._known is not None:
            self._own[revision] = changes
            self._take_own()

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
            self._known = Known(found.entries)
            for _, events in subscription.held:
                self._known.note(events)
        subscription.loaded()
        return revision, found.entries

    async def _watch(self) -> None:
        pause = RETRY_SECONDS[0]
        while True:
            before = self._progress.seen
            try:
                await self._follow()
            except NoAnswer as error:
                self._cluster.suspect(str(error) or "the watch ended")
            except StoreClosed:
                return
            except StoreError as error:
                log.warning("cannot follow etcd's changes, trying again: %s", error)
            pause = RETRY_SECONDS[0] if self._progress.seen > before else min(2 * pause, RETRY_SECONDS[1])
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        """Follows by one stream until that ends."""
        revisions = Revisions()
        request = WatchRequest()
        request.create_request.key = self._layout.prefix
        request.create_request.range_end = self._layout.end
        request.create_request.start_revision = self._progress.seen + 1
        request.create_request.progress_notify = True
        request.create_request.fragment = True
        async with self._cluster.stream(WATCH) as stream:
            await stream.send(request)
            self._stream = stream
            try:
                while not (response := await stream.receive()).canceled:
                    if response.events and response.events[-1].kv.mod_revision <= self._progress.seen:
                        continue  # our own, and told already
                    for revision, events in revisions.feed(response):
                        if revision > self._progress.seen:
                            await self._hear(revision, events)
                    if not response.events and not response.created:
                        self._advance(response.header.revision)
            finally:
                self._stream = None
        await self._canceled(response)

    def _stalled(self) -> None:
        if self._stream is not None:
            self._stream.give_up()

    async def _canceled(self, response: Any) -> None:
        if not response.compact_revision:
            await self._cluster.renew_token()  # an old one is not told apart from a permission that is missing
            raise StoreError(f"etcd ended the watch: {response.cancel_reason}")
        log.warning("etcd has compacted revision %d, not heard yet: reading everything", self._progress.seen + 1)
        await self._catch_up(await read_all(self._cluster, self._layout))

    async def _hear(self, revision: int, events: list[Any]) -> None:
        content, changes = self.content, []
        for event in events:
            key = event.kv.key
            shown = content.shown(key)
            if shown is not None:
                changes.append(content.event(shown, event))
            elif key == self._layout.generation:
                self._progress.release(revision - 1, self.revision)
                return await self._catch_up(await read_all(self._cluster, self._layout, revision))
            elif key in self._keys:
                self._wake(key)
        self._deliver(revision, changes)

    async def _catch_up(self, found: Found) -> None:
        """Goes to what was read in one step."""
        self.content = Content(self._layout, found.generation)
        if self._known is None:
            self.revision = found.revision
        else:
            for revision, events in self._known.difference(found.entries, found.revision):
                self._tell(revision, events)
        self._gaps += 1
        for key in list(self._keys):
            self._wake(key)
        self._advance(found.revision)

    def _take_own(self) -> None:
        """Goes on with what this server wrote, as far as nothing is missing before it."""
        while self._known is not None and (changes := self._own.get(self._progress.seen + 1)) is not None:
            revision = self._progress.seen + 1
            events = self._known.events(changes, revision)
            if events is None:
                return
            del self._own[revision]
            self._deliver(revision, events)

    def _deliver(self, revision: int, events: Sequence[Event]) -> None:
        """Tells the listeners one revision, which may have no events for them."""
        self._progress.release(revision - 1, self.revision)
        if events:
            self._tell(revision, events)
        self._advance(revision)

    def _tell(self, revision: int, events: Sequence[Event]) -> None:
        self.revision = revision
        if self._known is not None:
            self._known.note(events)
        for listener in self._listeners:
            listener(revision, events)

    def _advance(self, revision: int) -> None:
        """Everything up to `revision` was told."""
        if revision > self._progress.seen:
            self._progress.seen = revision
        self._progress.release(revision, self.revision)
        if self._own:
            for stale in [own for own in self._own if own <= self._progress.seen]:
                del self._own[stale]
            self._take_own()

    def _wake(self, key: bytes) -> None:
        for waiter in self._keys.pop(key, ()):
            if not waiter.done():
                waiter.set_result(None)
