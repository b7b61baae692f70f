"""The application: from a request to a handler and back, with ready answers on the way.

`hot_answer` and `ready_answer` are the short ways; `handle` is the whole one. Nothing a client sends ends in a
traceback: what nobody foresaw is a 500 with an id that the log explains.
"""

from __future__ import annotations

from lictor import limits
from lictor.acl import ALLOW_ALL
from lictor.api.context import Context
from lictor.api.http import TEXT, Request, Response, StreamResponse
from lictor.api.options import read_options, refuse_enterprise
from lictor.api.protocol import Exchange, head_bytes
from lictor.api.reads import GZIP_FROM, Reads, Ready
from lictor.api.router import Router
from lictor.errors import MethodNotAllowed, PermissionDenied, http_status
from lictor.runtime.log import get_logger

log = get_logger("http")


class Application:
    """One agent's HTTP API."""

    def __init__(self, context: Context, router: Router) -> None:
        self.context = context
        self.reads = Reads(context)
        self._router = router
        self._hot: dict[bytes, tuple[Ready, bytes]] = {}
        self.requests = 0

    def hot_answer(self, data: bytes) -> bytes | None:
        """The whole answer to a request of exactly these bytes, if it is ready."""
        found = self._hot.get(data)
        if found is None:
            return None
        if not found[0].fresh():
            del self._hot[data]
            return None
        self.requests += 1
        return found[1]

    def ready_answer(self, request: Request) -> Ready | None:
        """The ready answer to a request that may have it without a further look."""
        if request.method != "GET":
            return None
        ready = self.reads.find(f"{request.path}?{request.query_string}")
        if ready is None or not ready.plain:
            return None
        self.requests += 1
        return ready

    def wire(self, ready: Ready, request: Exchange, raw: bytes | None) -> bytes:
        """A ready answer as it goes out. `raw`, the request's own bytes, makes it hot: the next one alike is quick."""
        body, headers = ready.body, ready.headers
        if len(body) >= GZIP_FROM and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers = ready.gzipped()
        wire = head_bytes(ready.status, headers, len(body), request.keep_alive) + body
        if raw is not None and len(raw) <= limits.HOT_REQUEST_BYTES and len(wire) <= limits.HOT_ANSWER_BYTES:
            if len(self._hot) >= limits.HOT_ANSWERS:
                self._hot.clear()
            self._hot[raw] = ready, wire
        return wire

    def clear(self) -> None:
        """Forgets every ready answer, when what they were made with has changed."""
        self._hot.clear()
        self.reads.clear()

    async def handle(self, request: Request) -> Response | StreamResponse | Ready:
        """Answers any request; never raises."""
        self.requests += 1
        try:
            return await self._dispatch(request)
        except Exception as error:
            return self._error(request, error)

    def headers_of(self, answer: Response | StreamResponse) -> list[tuple[str, str]]:
        """All headers of an answer, those that every answer has included."""
        if isinstance(answer, Response) and answer.complete:
            return answer.headers
        return answer.headers + self.context.common_headers

    def body_of(self, answer: Response) -> bytes:
        """The body of an answer; in development mode JSON ends its line, as the reference has it."""
        tail = self.context.config.json_tail
        return answer.body + tail if tail and answer.json and not answer.complete else answer.body

    async def _dispatch(self, request: Request) -> Response | StreamResponse | Ready:
        config = self.context.config
        if config.blocked and request.path.startswith(config.blocked):
            raise PermissionDenied("Endpoint is blocked by agent configuration")
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
        if method in route.reads:
            return await self.reads.answer(route, request, read_options(request))
        action = route.actions.get(method)
        if action is None:
            raise MethodNotAllowed(request.method, route.allowed)
        if method != "GET" and not config.may_write(request.remote):
            raise PermissionDenied("Access is denied: writes are not allowed from this address")
        refuse_enterprise(request)
        return await action(self.context, request)

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


def _allow(methods: tuple[str, ...]) -> str:
    return ",".join(("OPTIONS", *methods))
