"""Reads: run once, kept ready while their cells stand still, and held open for those who wait for a change.

The key of a ready answer is the request without what only says how long to wait. A thousand watchers of one service
that wake together share one run and one encoding. A wake-up that finds the same bytes as before is not one: the
watcher goes on waiting.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import OrderedDict

from lictor import limits
from lictor.api.context import Context
from lictor.api.http import JSON, Request, Response
from lictor.api.options import ReadOptions, check_datacenter, read_options
from lictor.api.router import Reply, Route
from lictor.errors import LictorError, TooBusy
from lictor.server.watch import Watch
from lictor.state import unmoved
from lictor.types.gojson import encode, pretty

GZIP_FROM = 1024
_WAITING = re.compile(r"(?:^|&)(?:index|wait)=[^&]*")


class Ready:
    """An encoded answer and what it stands on. A `plain` one may be sent to whoever asks the same, without a look."""

    __slots__ = ("_own_index", "body", "cells", "headers", "index", "once", "packed", "plain", "stamp", "status")

    def __init__(self, reply: Reply, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.cells = reply.cells
        self.stamp = tuple((cell, cell.index) for cell in reply.cells)
        self._own_index = reply.index is not None
        self.index = reply.index or max((cell.index for cell in reply.cells), default=1) or 1
        self.once = reply.once
        self.status = reply.status
        self.body = body
        self.headers = headers
        self.packed: tuple[bytes, list[tuple[str, str]]] | None = None
        self.plain = True

    def fresh(self) -> bool:
        """True while nothing that it stands on has moved."""
        return unmoved(self.stamp)

    def newer(self, index: int) -> bool:
        """True when it is news to who has the answer of that index."""
        return self.index != index if self._own_index else self.index > index

    def gzipped(self) -> tuple[bytes, list[tuple[str, str]]]:
        """The body compressed, once, with its headers."""
        if self.packed is None:
            packed = gzip.compress(self.body, compresslevel=1, mtime=0)
            self.packed = packed, [*self.headers, ("Content-Encoding", "gzip")]
        return self.packed


def ready_key(path: str, query_string: str, authorizer_key: str) -> str:
    """What tells one ready answer from another."""
    if "index=" in query_string or "wait=" in query_string:
        query_string = _WAITING.sub("", query_string).lstrip("&")
    return f"{authorizer_key}{path}?{query_string}"


class Reads:
    """The ready answers of an agent and those who wait for new ones."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._ready: OrderedDict[str, Ready] = OrderedDict()
        self._bytes = 0
        self._seen: OrderedDict[str, float] = OrderedDict()
        self.watching = 0

    def __len__(self) -> int:
        return len(self._ready)

    def clear(self) -> None:
        """Forgets every ready answer, when what they were made with has changed."""
        self._ready.clear()
        self._bytes = 0

    def find(self, key: str) -> Ready | None:
        """The ready answer of that key, if it still holds."""
        ready = self._ready.get(key)
        return ready if ready is not None and ready.fresh() else None

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
            key = ready_key(request.path, request.query_string, request.authorizer.key)
            return Response(ready.status, ready.body, ready.headers + self._cache_headers(key), complete=True)
        return ready

    def get(self, route: Route, request: Request) -> Ready:
        """A ready answer, made now if there is none that holds."""
        return self._get(ready_key(request.path, request.query_string, request.authorizer.key), route, request)

    def _get(self, key: str, route: Route, request: Request) -> Ready:
        ready = self.find(key)
        if ready is None:
            ready = self._make(route, request)
            if not ready.once:
                self._keep(key, ready)
        return ready

    def _make(self, route: Route, request: Request) -> Ready:
        context = self._context
        reply = route.reads["GET"](context, request)
        headers = [("Vary", "Accept-Encoding"), *reply.headers]
        if reply.empty:
            body = b""
        elif reply.raw:
            body = reply.value
        else:
            body = encode(reply.value)
            body = pretty(body) if request.has("pretty") else body + context.config.json_tail
            headers.append(("Content-Type", JSON))
        ready = Ready(reply, body, headers)
        if reply.meta:
            headers += context.meta_headers(ready.index)
        options = read_options(request)
        if options.consistency:
            headers.append(("X-Consul-Effective-Consistency", options.consistency))
        headers += context.common_headers
        ready.plain = not options.cached and not request.has("dc") and (options.stale or not context.server.shared)
        return ready

    async def _wait(self, route: Route, request: Request, options: ReadOptions, ready: Ready) -> Ready:
        """Waits until the answer's bytes change after `options.index`, the time is up, or the client leaves."""
        if self.watching >= self._context.config.limits.watches:
            raise TooBusy(f"{self.watching} blocking queries are held already; try again or raise limits.watches")
        loop = asyncio.get_running_loop()
        seconds = options.wait + self._context.entropy.jitter(options.wait / limits.WAIT_JITTER_FRACTION)
        key = ready_key(request.path, request.query_string, request.authorizer.key)
        first = ready.body
        watch = Watch(loop, seconds)
        request.when_gone(watch.end)
        self.watching += 1
        try:
            while not watch.over and (not ready.newer(options.index) or ready.body == first):
                await watch.moved(ready.cells)
                ready = self._get(key, route, request)
        finally:
            self.watching -= 1
            watch.end()
        return ready

    def _keep(self, key: str, ready: Ready) -> None:
        old = self._ready.pop(key, None)
        if old is not None:
            self._bytes -= len(old.body)
        self._ready[key] = ready
        self._bytes += len(ready.body)
        while len(self._ready) > limits.READY_ANSWERS or self._bytes > limits.READY_ANSWER_BYTES:
            _, oldest = self._ready.popitem(last=False)
            self._bytes -= len(oldest.body)

    def _cache_headers(self, key: str) -> list[tuple[str, str]]:
        """X-Cache as the reference's agent cache would say; our answers are never older than the state."""
        if key in self._seen:
            return [("X-Cache", "HIT"), ("Age", "0")]
        self._seen[key] = 0.0
        if len(self._seen) > limits.READY_ANSWERS:
            self._seen.popitem(last=False)
        return [("X-Cache", "MISS")]
