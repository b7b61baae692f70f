"""The application: from a request to a handler and back, with ready answers on the way.

`hot_answer` and `ready_answer` are the short ways; `handle` is the whole one. Nothing a client sends ends in a
traceback: what nobody foresaw is a 500 with an id that the log explains.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from lictor import limits
from lictor.acl import ALLOW_ALL
from lictor.api.context import Context
from lictor.api.gate import Gate
from lictor.api.heads import Dates, Heads
from lictor.api.http import TEXT, Request, Response, StreamResponse
from lictor.api.options import read_options, refuse_enterprise
from lictor.api.reads import Reads
from lictor.api.ready import GZIP, GZIP_FROM, Packet, Ready, accepts_gzip, compressed
from lictor.api.router import Router
from lictor.errors import BadRequest, MethodNotAllowed, PermissionDenied, http_status
from lictor.runtime.log import get_logger

log = get_logger("http")
VARY = ("Vary", "Accept-Encoding")


class Application:
    """One agent's HTTP API."""

    def __init__(self, context: Context, router: Router) -> None:
        self.context = context
        self.gate = Gate()
        self.dates = Dates(context.clock)
        self.reads = Reads(context, self.dates)
        self.heads = self._make_heads()
        self._router = router
        self.requests = 0
        self.hot_answers = 0

    def clear(self) -> None:
        """Forgets every ready answer, when what they were made with has changed."""
        self.reads.clear()
        self.heads = self._make_heads()

    def _make_heads(self) -> Heads:
        return Heads([VARY, *self.context.common_headers])

    # ready answers

    def hot_answer(self, data: bytes, now: float) -> bytes | None:
        """The whole answer to a request of exactly these bytes, if it is ready. `now` is the loop's time."""
        wire = self.reads.find_hot(data, now)
        if wire is not None:
            self.requests += 1
            self.hot_answers += 1
        return wire

    def ready_answer(self, request: Request) -> Ready | None:
        """The ready answer to a request that may have it without a further look."""
        if request.method != "GET":
            return None
        ready = self.reads.find((ALLOW_ALL.key, request.path, request.query_string))
        if ready is None or not ready.plain or (not ready.packed and _wants_gzip(request, ready.body)):
            return None
        self.requests += 1
        return ready

    def packet(self, ready: Ready, request: Request, ending: bytes, now: float) -> Packet:
        """A ready answer as it goes out to who asked."""
        return self.reads.packet(ready, _wants_gzip(request, ready.body), ending, now)

    # all answers

    async def handle(self, request: Request) -> Response | StreamResponse | Ready:
        """Answers any request; never raises."""
        self.requests += 1
        try:
            work = self._work(request)
            answer = work if isinstance(work, Response) else await work
        except Exception as error:
            answer = self._error(request, error)
        if isinstance(answer, StreamResponse) or len(answer.body) < GZIP_FROM:
            return answer
        return await self._pack(answer) if _wants_gzip(request, answer.body) else answer

    def start(self, answer: Response | StreamResponse) -> bytes:
        """The beginning of an answer's head, with the headers that every answer has."""
        return self.heads.start(answer.status, answer.headers, answer.complete)

    def body_of(self, answer: Response) -> bytes:
        """The body of an answer; in development mode JSON ends its line, as the reference has it."""
        tail = self.context.config.json_tail
        return answer.body + tail if tail and answer.json and not answer.complete else answer.body

    async def _pack(self, answer: Response | Ready) -> Response | Ready:
        """The answer with its body compressed, which nobody else waits for."""
        if isinstance(answer, Ready):
            if not answer.packed:
                await answer.pack_aside()
            return answer
        if any(name.lower() == "content-encoding" for name, _ in answer.headers):
            return answer
        body = self.body_of(answer)
        if len(body) < limits.PACK_INLINE_BYTES:
            packed = compressed(body)
        else:
            packed = await asyncio.get_running_loop().run_in_executor(None, compressed, body)
        return Response(answer.status, packed, [*answer.headers, GZIP], complete=answer.complete)

    def _work(self, request: Request) -> Response | Awaitable[Response | StreamResponse | Ready]:
        """The answer, or what has to be awaited for it."""
        config = self.context.config
        if config.blocked and request.path.startswith(config.blocked):
            raise PermissionDenied("Endpoint is blocked by agent configuration")
        if not (config.unprintable or request.path.isprintable()):
            raise BadRequest("the path has a character that cannot be printed")
        found = self._router.match(request.path)
        if found is None:
            return Response(404)
        route, request.rest = found
        method = request.method
        if method == "OPTIONS":
            return Response(200, headers=[("Allow", _allow(route.allowed))])
        if method == "HEAD" and "GET" in route.allowed:
            method = "GET"
        request.authorizer = ALLOW_ALL
        forwarder = self.context.forwarder
        if forwarder is not None and not route.local:
            if method not in route.allowed:
                raise MethodNotAllowed(request.method, route.allowed)
            if method != "GET" and not config.may_write(request.remote):
                raise PermissionDenied("Access is denied: writes are not allowed from this address")
            return forwarder.handle(request, read=method in route.reads, cacheable=route.cacheable)
        if method in route.reads:
            return self.reads.answer(route, request, read_options(request))
        action = route.actions.get(method)
        if action is None:
            raise MethodNotAllowed(request.method, route.allowed)
        if method != "GET" and not config.may_write(request.remote):
            raise PermissionDenied("Access is denied: writes are not allowed from this address")
        refuse_enterprise(request)
        return action(self.context, request)

    def _error(self, request: Request, error: Exception) -> Response:
        status = http_status(error)
        if status is None:
            incident = self.context.entropy.uuid()
            log.error("%s %s failed, id %s", request.method, request.path, incident, exc_info=error)
            return Response(
                500, f"internal error, id {incident}: see this agent's log".encode(), [("Content-Type", TEXT)]
            )
        headers = [("Content-Type", TEXT)]
        if isinstance(error, MethodNotAllowed):
            headers.append(("Allow", _allow(error.allowed)))
        notes = getattr(error, "__notes__", ())
        if "meta" in notes:
            headers += self.context.meta_headers(1, known="known" in notes)
        if status >= 500:
            log.warning("%s %s: %s", request.method, request.path, error)
        return Response(status, str(error).encode(), headers)


def _wants_gzip(request: Request, body: bytes) -> bool:
    return len(body) >= GZIP_FROM and accepts_gzip(request.headers.get("accept-encoding", ""))


def _allow(methods: tuple[str, ...]) -> str:
    return ",".join(("OPTIONS", *methods))
