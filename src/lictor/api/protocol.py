"""HTTP/1.1 over asyncio: httptools parses, this module keeps the order of requests and answers on a connection.

Three paths, from short to long: a request whose very bytes were seen before and whose answer is still ready is
answered with one dictionary look-up; a GET with a ready answer needs parsing; everything else becomes a task. A
connection handles one request after the other; what a client pipelines waits, within bounds. Nothing here knows
routes or the API.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import httptools

from lictor import limits
from lictor.api.http import TEXT, Request, Response, StreamResponse
from lictor.errors import BadRequest, TooLarge

if TYPE_CHECKING:
    from lictor.api.app import Application
    from lictor.api.reads import Ready

_REASONS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LEFT = "the client left before its request was complete"


class Exchange(Request):
    """One request on a connection, its body as it arrives, and the way back."""

    __slots__ = (
        "_chunks",
        "_complete",
        "_expects",
        "_gone",
        "_left",
        "_limit",
        "_piecewise",
        "_protocol",
        "_size",
        "_waiting",
        "keep_alive",
    )

    def __init__(
        self, protocol: Protocol, method: str, path: str, query_string: str, headers: dict[str, str], keep_alive: bool
    ) -> None:
        super().__init__(method, path, query_string, headers, protocol.remote)
        self.keep_alive = keep_alive
        self._protocol = protocol
        self._chunks: list[bytes] = []
        self._size = 0
        self._limit: int | None = None
        self._complete = self._piecewise = self._left = False
        self._expects = headers.get("expect", "").lower() == "100-continue"
        self._waiting: asyncio.Future[None] | None = None
        self._gone: list[Callable[[], None]] = []

    def feed(self, chunk: bytes) -> None:
        """A piece of the body. Until someone asks for it only so much is taken; then it is kept within the limit."""
        self._size += len(chunk)
        limit = self._limit
        if limit is None or self._size <= limit:
            self._chunks.append(chunk)
            if self._piecewise:
                self._protocol.pause()  # until these are taken
                self._wake()
            elif limit is None and self._size > limits.BODY_UNASKED_BYTES:
                self._protocol.pause()
        else:
            self._chunks.clear()
            if self._size > limit + limits.BODY_BYTES:
                self.finish(cut_off=True)

    def finish(self, *, cut_off: bool = False) -> None:
        """The body is complete, or no more of it will be read."""
        self._complete = True
        if cut_off:
            self.keep_alive = False
            self._protocol.pause()
        self._wake()

    async def body(self, limit: int) -> bytes:
        """See Request. A body over the limit is read off within bounds, so that the client hears the answer."""
        self._limit = limit
        if not self._complete:
            await self._arrival()
        self._check_size(limit)
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    async def pieces(self, limit: int) -> AsyncIterator[bytes]:
        """See Request. The client is held back while nobody takes what it has sent."""
        self._limit, self._piecewise = limit, True
        while self._chunks or not self._complete:
            if not self._chunks:
                await self._arrival()
            chunks, self._chunks = self._chunks, []
            for chunk in chunks:
                yield chunk
        self._check_size(limit)

    async def _arrival(self) -> None:
        """Waits for the end of the body, or piecewise for more of it."""
        if self._left:
            raise BadRequest(_LEFT)
        if self._expects:
            self._protocol.write(_CONTINUE)
            self._expects = False
        self._protocol.resume()
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _check_size(self, limit: int) -> None:
        if self._size > limit:
            self._chunks.clear()
            size = self.headers.get("content-length") or self._size
            raise TooLarge(f"Request body({size} bytes) too large, max size: {limit} bytes.")

    @property
    def complete(self) -> bool:
        """True once the whole request has arrived."""
        return self._complete

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Has `callback` called when the client leaves before the answer."""
        self._gone.append(callback)

    def lost(self) -> None:
        """The connection is closed: whoever works on the answer is told."""
        self._left = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(BadRequest(_LEFT))
        for callback in self._gone:
            callback()


class Protocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, app: Application, connections: set[Protocol]) -> None:
        self._app = app
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser: Any = None
        self._url = b""
        self._headers: dict[str, str] = {}
        self._headers_size = 0
        self._reading: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._current: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._raw: bytes | None = None
        self._inside = False
        self._begun = 0
        self._drained: asyncio.Future[None] | None = None
        self._paused = False
        self.remote = ""
        self.active = 0.0
        """When the client last sent something, on the loop's clock."""

    # asyncio's callbacks

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)
        peer = transport.get_extra_info("peername")
        self.remote = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "unix:0"
        self.active = self._loop.time()
        self._connections.add(self)
        if len(self._connections) > limits.CONNECTIONS:
            self.refuse(503, "too many connections")

    def data_received(self, data: bytes) -> None:
        self.active = self._loop.time()
        fresh = not self._inside and self._current is None
        if fresh:
            wire = self._app.hot_answer(data)
            if wire is not None:
                self.write(wire)
                return
        self._begun = 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.refuse(400, "upgrades are not offered here")
        except (httptools.HttpParserError, BadRequest) as error:
            self.refuse(400, f"malformed request: {error}")
        # Only bytes that are one whole request, no more and no less, may stand for it later.
        self._raw = data if fresh and self._begun == 1 and not self._inside else None
        self._next()
        self._raw = None

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self.resume_writing()
        for exchange in (self._current, self._reading, *self._queue):
            if exchange is not None:
                exchange.lost()
        self._queue.clear()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        if self._drained is None:
            self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    # httptools' callbacks

    def on_message_begin(self) -> None:
        self._url, self._headers, self._headers_size = b"", {}, 0
        self._inside = True
        self._begun += 1

    def on_url(self, url: bytes) -> None:
        self._url += url
        if len(self._url) > limits.URL_BYTES:
            raise BadRequest(f"the URL is longer than {limits.URL_BYTES} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers_size += len(name) + len(value)
        if self._headers_size > limits.HEADER_BYTES:
            raise BadRequest(f"the headers are larger than {limits.HEADER_BYTES} bytes")
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        parser = self._parser
        try:
            url = httptools.parse_url(self._url)
            path = unquote_to_bytes(url.path or b"/").decode()
            query = (url.query or b"").decode()
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            raise BadRequest("the URL is not valid UTF-8") from None
        method = parser.get_method().decode("latin-1")
        self._reading = Exchange(self, method, path, query, self._headers, parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        if self._reading is not None:
            self._reading.feed(body)
            self._enqueue(self._reading)

    def on_message_complete(self) -> None:
        self._inside = False
        exchange, self._reading = self._reading, None
        if exchange is not None:
            exchange.finish()
            self._enqueue(exchange)

    # requests and answers in order

    def _enqueue(self, exchange: Exchange) -> None:
        if exchange is not self._current and (not self._queue or self._queue[-1] is not exchange):
            self._queue.append(exchange)
            if len(self._queue) > limits.PIPELINED_REQUESTS:
                self.pause()

    def _next(self) -> None:
        """Begins the next request if none is under way. One with a ready answer needs no task."""
        while self._current is None and self._queue and not self._transport.is_closing():
            exchange = self._queue.popleft()
            ready = self._app.ready_answer(exchange) if exchange.complete else None
            if ready is not None:
                self._send_ready(exchange, ready, self._raw if exchange.keep_alive else None)
                continue
            self._current = exchange
            self._task = self._loop.create_task(self._handle(exchange))
        if len(self._queue) <= limits.PIPELINED_REQUESTS:
            self.resume()

    async def _handle(self, exchange: Exchange) -> None:
        try:
            answer = await self._app.handle(exchange)
            if isinstance(answer, StreamResponse):
                await self._stream(exchange, answer)
            elif isinstance(answer, Response):
                self._send(exchange, answer)
            else:
                self._send_ready(exchange, answer, None)
            if self._drained is not None:  # a slow reader gets nothing more to buffer
                await self._drained
        finally:
            self._current = None
            if not exchange.complete or not exchange.keep_alive:
                self._transport.close()
        self._next()

    def _send_ready(self, exchange: Exchange, ready: Ready, raw: bytes | None) -> None:
        wire = self._app.wire(ready, exchange, raw)
        self.write(wire if exchange.method != "HEAD" else wire[: wire.index(b"\r\n\r\n") + 4])
        if not exchange.keep_alive:
            self._transport.close()

    def _send(self, exchange: Exchange, answer: Response) -> None:
        body = self._app.body_of(answer)
        head = head_bytes(answer.status, self._app.headers_of(answer), len(body), exchange.keep_alive)
        self.write(head if exchange.method == "HEAD" else head + body)

    async def _stream(self, exchange: Exchange, answer: StreamResponse) -> None:
        """Writes pieces as chunks until they end or the client leaves; a failing source cuts the connection off."""
        self.write(head_bytes(answer.status, self._app.headers_of(answer), None, exchange.keep_alive))
        exchange.when_gone(self._cancel)
        pieces: AsyncIterator[bytes] = answer.pieces
        whole = False
        try:
            async for piece in pieces:
                if piece:
                    self.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                if self._drained is not None:
                    await self._drained
            self.write(b"0\r\n\r\n")
            whole = True
        except asyncio.CancelledError:
            if not self._transport.is_closing():
                raise
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()
            if not whole:
                self._transport.abort()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def refuse(self, status: int, text: str) -> None:
        """Answers what cannot be handled and closes."""
        if not self._transport.is_closing():
            body = text.encode()
            self.write(head_bytes(status, [("Content-Type", TEXT)], len(body), False) + body)
            self._transport.close()

    @property
    def idle(self) -> bool:
        """True while the client has not sent a whole request and nothing is being done for it."""
        return self._current is None

    def close(self) -> None:
        """Closes at once."""
        self._transport.abort()
        self._cancel()

    def write(self, data: bytes) -> None:
        """Writes bytes as they are; nothing once the client has left."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def pause(self) -> None:
        """Takes nothing more from the client for now."""
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Takes from the client again."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


def head_bytes(status: int, headers: list[tuple[str, str]], length: int | None, keep_alive: bool) -> bytes:
    """A response's head. Without a length the body comes in chunks."""
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    lines.append("Transfer-Encoding: chunked\r\n" if length is None else f"Content-Length: {length}\r\n")
    if not keep_alive:
        lines.append("Connection: close\r\n")
    lines.append("\r\n")
    reason = _REASONS.get(status) or f"HTTP/1.1 {status} Unknown\r\n".encode()
    return reason + "".join(lines).encode("latin-1", "replace")
