"""The RSGI application: from granian's scope and protocol to a handler and back.

`handle` is the whole path of a request. `quick` is the short one: a GET whose answer is ready is sent without a task.
Nothing a client sends ends in a traceback: what nobody foresaw is a 500 with an id that the log explains.
"""

from __future__ import annotations

from typing import Any

from lictor.acl import ALLOW_ALL
from lictor.api.context import Context
from lictor.api.http import TEXT, Request, Response, StreamResponse
from lictor.api.options import read_options, refuse_enterprise
from lictor.api.reads import GZIP_FROM, Reads, Ready
from lictor.api.router import Router
from lictor.errors import MethodNotAllowed, PermissionDenied, TooLarge, http_status
from lictor.limits import BODY_BYTES
from lictor.runtime.log import get_logger

log = get_logger("http")


class Application:
    """One agent's HTTP API."""

    def __init__(self, context: Context, router: Router) -> None:
        self.context = context
        self.reads = Reads(context)
        self._router = router
        self.requests = 0

    def quick(self, scope: Any, proto: Any) -> bool:
        """Answers a GET whose answer is ready; False leaves the request untouched."""
        if scope.method != "GET":
            return False
        ready = self.reads.find(f"{scope.path}?{scope.query_string}")
        if ready is None or not ready.plain:
            return False
        self.requests += 1
        self._send(ready, scope.headers, proto)
        return True

    async def handle(self, scope: Any, proto: Any) -> None:
        """Answers any request."""
        self.requests += 1
        headers = scope.headers
        request = Request(
            scope.method, scope.path, scope.query_string, headers, scope.client, lambda n: self._body(headers, proto, n)
        )
        try:
            answer = await self._dispatch(request, proto)
        except Exception as error:
            answer = self._error(request, error)
        if isinstance(answer, StreamResponse):
            await self._stream(answer, proto)
        else:
            self._send(answer, headers, proto)

    async def _dispatch(self, request: Request, proto: Any) -> Response | StreamResponse | Ready:
        config = self.context.config
        if config.blocked and request.path.startswith(config.blocked):
            raise PermissionDenied("Endpoint is blocked by agent configuration")
        found = self._router.match(request.path)
        if found is None:
            return Response(404, b"", [])
        route, request.rest = found
        method = request.method
        if method == "OPTIONS":
            return Response(200, b"", [("allow", _allow(route.allowed))])
        if method == "HEAD" and "GET" in route.allowed:
            method = "GET"
        request.authorizer = ALLOW_ALL
        if method in route.reads:
            options = read_options(request)
            return await self.reads.answer(route, request, options, proto.client_disconnect)
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
                500, f"internal error, id {incident}: see this agent's log".encode(), [("content-type", TEXT)]
            )
        headers = [("content-type", TEXT)]
        if isinstance(error, MethodNotAllowed):
            headers.append(("allow", _allow(error.allowed)))
        if "meta" in getattr(error, "__notes__", ()):
            headers += self.context.meta_headers(self.context.server.state.revision)
        if status >= 500:
            log.warning("%s %s: %s", request.method, request.path, error)
        return Response(status, str(error).encode(), headers)

    def _send(self, answer: Response | Ready, headers: Any, proto: Any) -> None:
        if isinstance(answer, Ready):
            body, all_headers = answer.body, answer.headers
            if len(body) >= GZIP_FROM and "gzip" in headers.get("accept-encoding", ""):
                body, all_headers = answer.gzipped()
        else:
            body, all_headers = answer.body, answer.headers
            if not answer.complete:
                all_headers = all_headers + self.context.common_headers
        proto.response_bytes(answer.status, all_headers, body)

    async def _stream(self, answer: StreamResponse, proto: Any) -> None:
        transport = proto.response_stream(answer.status, answer.headers + self.context.common_headers)
        try:
            async for piece in answer.pieces:
                await transport.send_bytes(piece)
        except Exception as error:  # the client has gone, or the source failed: the stream just ends
            log.debug("stream ended: %s", error)
        finally:
            close = getattr(answer.pieces, "aclose", None)
            if close is not None:
                await close()

    async def _body(self, headers: Any, proto: Any, limit: int) -> bytes:
        """The body within a limit. What is longer is read off (up to a bound) so that the client hears the answer."""
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) <= limit:
            body: bytes = await proto()
            return body
        pieces: list[bytes] = []
        size = 0
        async for piece in proto:
            size += len(piece)
            if size <= limit:
                pieces.append(piece)
            else:
                pieces.clear()
                if size > limit + BODY_BYTES:
                    break
        if size > limit:
            raise TooLarge(f"Request body({declared or size} bytes) too large, max size: {limit} bytes.")
        return b"".join(pieces)


def _allow(methods: tuple[str, ...]) -> str:
    return ",".join(("OPTIONS", *methods))
