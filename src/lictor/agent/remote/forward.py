"""A client agent's HTTP API: requests for catalog data go on to a server, and those that wait share one question.

A read without an index is asked anew, so that it sees every write acknowledged before it. A blocking read waits on a
feed. `?cached` is answered from a feed, with its age; while servers are away that is what still works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from lictor import limits
from lictor.agent.remote.feeds import Feed, Feeds
from lictor.agent.remote.servers import RemoteResponse, Servers
from lictor.api.http import Request, Response, StreamResponse
from lictor.api.options import read_options, waiting_removed
from lictor.runtime.clock import Clock, Entropy

SNAPSHOT = "/v1/snapshot"
_PATH_SAFE = "/:@!$&'()*+,;=~"


class Forwarder:
    """Answers what this agent cannot answer itself."""

    def __init__(self, servers: Servers, feeds: Feeds, clock: Clock, entropy: Entropy) -> None:
        self._servers, self._feeds, self._clock, self._entropy = servers, feeds, clock, entropy

    async def handle(self, request: Request, *, read: bool, cacheable: bool) -> Response | StreamResponse:
        """The servers' answer. Raises Unavailable when there is none to be had."""
        path = quote(request.path, safe=_PATH_SAFE)
        if read:
            options = read_options(request)
            if options.cached and cacheable:
                return await self._cached(request, path)
            if options.index:
                return await self._wait(request, path, options.index, options.wait)
        if request.path == SNAPSHOT and request.method == "GET":
            return await self._snapshot(request, path)
        body = b"" if request.method in ("GET", "HEAD", "OPTIONS") else await request.body(self._body_limit(request))
        target = f"{path}?{request.query_string}" if request.query_string else path
        return _response(await self._servers.send(request.method, target, headers=request.headers, body=body))

    async def _wait(self, request: Request, path: str, index: int, wait: float) -> Response:
        feed = self._feed(request, path)
        seconds = wait + self._entropy.jitter(wait / limits.WAIT_JITTER_FRACTION)
        if feed.cell.index <= index:
            await self._feeds.changed(feed, index, seconds, request.when_gone)
        return _response(await self._feeds.first(feed, 0.0))

    async def _cached(self, request: Request, path: str) -> Response:
        feed = self._feed(request, path)
        hit = feed.response is not None
        response = _response(await self._feeds.first(feed, 10.0))
        age = int(self._clock.monotonic() - feed.fetched) if not feed.cell.wakers else 0
        response.headers = [
            *response.headers,
            ("X-Cache", "HIT" if hit else "MISS"),
            *([("Age", str(age))] if hit else []),
        ]
        return response

    def _feed(self, request: Request, path: str) -> Feed:
        query = waiting_removed(request.query_string)
        return self._feeds.get(f"{path}?{query}" if query else path, request.headers.get("x-consul-token", ""))

    async def _snapshot(self, request: Request, path: str) -> StreamResponse:
        async def pieces() -> AsyncIterator[bytes]:
            async with self._servers.stream("GET", f"{path}?{request.query_string}", request.headers) as response:
                async for piece in response.content.iter_chunked(limits.BODY_UNASKED_BYTES):
                    yield piece

        return StreamResponse(pieces(), headers=[("Content-Type", "application/octet-stream")])

    @staticmethod
    def _body_limit(request: Request) -> int:
        if request.path == SNAPSHOT:
            return limits.SNAPSHOT_BODY_BYTES
        return limits.BODY_BYTES


def _response(remote: RemoteResponse) -> Response:
    return Response(remote.status, remote.body, remote.headers, complete=True)
