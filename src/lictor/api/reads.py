"""Reads: run once, kept ready while their cells stand still, and held open for those who wait for a change.

The key of a ready answer is the request without what only says how long to wait. A thousand watchers of one service
that wake together share one run, one encoding and the very bytes that are sent. A wake-up that finds the same as before
is not one: the watcher goes on waiting.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict

from lictor import limits
from lictor.api.context import Context
from lictor.api.heads import Dates
from lictor.api.http import JSON, Request, Response
from lictor.api.options import ReadOptions, check_datacenter, read_options
from lictor.api.ready import Packet, Ready, ReadyKey
from lictor.api.router import Reply, Route
from lictor.errors import LictorError, TooBusy
from lictor.server.watch import Watch
from lictor.state.cells import DROPPED
from lictor.types.gojson import encode, pretty

_WAITING = re.compile(r"(?:^|&)(?:index|wait)=[^&]*")
_RUNS = 3
"""How often a read is run when cells are swept away under it."""


def ready_key(authorizer_key: str, path: str, query_string: str) -> ReadyKey:
    """What tells one ready answer from another."""
    if "index=" in query_string or "wait=" in query_string:
        query_string = _WAITING.sub("", query_string).lstrip("&")
    return authorizer_key, path, query_string


class Reads:
    """The ready answers of an agent and those who wait for new ones."""

    def __init__(self, context: Context, dates: Dates) -> None:
        self._context = context
        self._dates = dates
        self._ready: OrderedDict[ReadyKey, Ready] = OrderedDict()
        self._hot: OrderedDict[bytes, Packet] = OrderedDict()
        self._seen: OrderedDict[ReadyKey, None] = OrderedDict()
        self.bytes = 0
        """What the ready answers hold, in all their forms."""
        self.watching = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._ready)

    def clear(self) -> None:
        """Forgets every ready answer, when what they were made with has changed."""
        self._ready.clear()
        self._hot.clear()
        self.bytes = 0

    # what is ready

    def find(self, key: ReadyKey) -> Ready | None:
        """The ready answer of that key, if it still holds."""
        ready = self._ready.get(key)
        return ready if ready is not None and ready.fresh() else None

    def find_hot(self, data: bytes, now: float) -> bytes | None:
        """The whole answer to a request of exactly these bytes, if it still holds. `now` is the loop's time."""
        packet = self._hot.get(data)
        if packet is None:
            return None
        if not packet.ready.fresh():
            del self._hot[data]
            packet.ready.hot.discard(data)
            return None
        return packet.wire if now < packet.until else packet.renew(self._dates, now)

    def packet(self, ready: Ready, packed: bool, ending: bytes, now: float) -> Packet:
        """A ready answer as it is sent: compressed or not, its head ended as the connection has it."""
        packet = ready.packets.get((packed, ending))
        if packet is None:
            before = ready.weight
            packet = ready.add_packet(packed, ending)
            self._weigh(ready, before)
        if now >= packet.until:
            packet.renew(self._dates, now)
        return packet

    def make_hot(self, data: bytes, packet: Packet) -> None:
        """From now on, a request of exactly these bytes gets this answer while it holds."""
        ready = packet.ready
        if len(data) > limits.HOT_REQUEST_BYTES or self._ready.get(ready.key) is not ready:
            return
        if len(self._hot) >= limits.HOT_ANSWERS:
            oldest, other = self._hot.popitem(last=False)
            other.ready.hot.discard(oldest)
        self._hot[data] = packet
        ready.hot.add(data)

    def get(self, route: Route, request: Request) -> Ready:
        """A ready answer, made now if there is none that holds."""
        key = ready_key(request.authorizer.key, request.path, request.query_string)
        ready = self.find(key)
        if ready is None:
            ready = self._run(key, route, request)
            if not ready.once:
                self._keep(ready)
        return ready

    def _keep(self, ready: Ready) -> None:
        self._drop(ready.key)
        if ready.weight > limits.READY_ANSWER_BYTES // 4:
            return  # it would push out all others
        self._ready[ready.key] = ready
        self._weigh(ready, 0)
        while len(self._ready) > limits.READY_ANSWERS:
            self._drop(next(iter(self._ready)))

    def _weigh(self, ready: Ready, before: int) -> None:
        """Counts what a kept answer has grown by. The oldest make room, which may be itself."""
        if self._ready.get(ready.key) is ready:
            self.bytes += ready.weight - before
            while self.bytes > limits.READY_ANSWER_BYTES:
                self._drop(next(iter(self._ready)))

    def _drop(self, key: ReadyKey) -> None:
        ready = self._ready.pop(key, None)
        if ready is not None:
            self.bytes -= ready.weight
            for data in ready.hot:
                self._hot.pop(data, None)

    # running and waiting

    async def answer(self, route: Route, request: Request, options: ReadOptions) -> Ready | Response:
        """Answers a read, waiting for a change if it was asked to."""
        context = self._context
        try:
            check_datacenter(request, context.config.datacenter)
            if options.consistent or (not options.stale and context.server.shared):
                await context.server.barrier()
            ready = self.get(route, request)
            if options.index and not ready.once and not ready.newer(options.index):
                ready = await self._wait(route, request, options, ready)
        except LictorError as error:
            if route.error_meta:
                error.add_note("meta")
            raise
        if options.cached and route.cacheable:
            return Response(ready.status, ready.body, ready.headers + self._cache_headers(ready.key), complete=True)
        return ready

    async def _wait(self, route: Route, request: Request, options: ReadOptions, first: Ready) -> Ready:
        """Waits until the answer differs and is newer than `options.index`, the time is up, or the client leaves."""
        if self.watching >= self._context.config.limits.watches:
            self.refused += 1
            raise TooBusy(
                f"{self.watching} blocking queries are held already; try again or raise limits.http_max_watches"
            )
        seconds = options.wait + self._context.entropy.jitter(options.wait / limits.WAIT_JITTER_FRACTION)
        watch = Watch(asyncio.get_running_loop(), seconds)
        self.watching += 1
        try:
            request.when_gone(watch.end)
            ready = first
            while not watch.over and (not ready.newer(options.index) or ready.same(first)):
                await watch.moved(ready.cells)
                ready = self.get(route, request)
        finally:
            self.watching -= 1
            watch.end()
        return ready

    def _run(self, key: ReadyKey, route: Route, request: Request) -> Ready:
        """Runs a read and encodes what it found."""
        context = self._context
        for _ in range(_RUNS):
            reply = route.reads["GET"](context, request)
            if all(cell.index != DROPPED for cell in reply.cells):
                break  # else some were swept away to make room for others: what they tell of would be missed
        options = read_options(request)
        headers = [("Vary", "Accept-Encoding"), *reply.headers]
        body = _encoded(reply, request, context.config.json_tail)
        if not reply.empty and not reply.raw:
            headers.append(("Content-Type", JSON))
        ready = Ready(key, reply, body, headers)
        if reply.meta:
            headers += context.meta_headers(ready.index)
        if options.consistency:
            headers.append(("X-Consul-Effective-Consistency", options.consistency))
        headers += context.common_headers
        ready.plain = not options.cached and (options.stale or not context.server.shared)
        return ready

    def _cache_headers(self, key: ReadyKey) -> list[tuple[str, str]]:
        """X-Cache as the reference's agent cache would say; our answers are never older than the state."""
        if key in self._seen:
            return [("X-Cache", "HIT"), ("Age", "0")]
        if sum(map(len, key)) <= limits.CACHED_KEY_BYTES:
            self._seen[key] = None
            if len(self._seen) > limits.CACHED_KEYS:
                self._seen.popitem(last=False)
        return [("X-Cache", "MISS")]


def _encoded(reply: Reply, request: Request, tail: bytes) -> bytes:
    if reply.empty:
        return b""
    if reply.raw:
        body: bytes = reply.value
        return body
    body = encode(reply.value)
    return pretty(body) if request.has("pretty") else body + tail
