"""HTTP/1.1 over asyncio: the order of requests and answers on a connection, and how long a client may take.

Three paths, from short to long: a request whose very bytes were seen before and whose answer is still ready is
answered with one dictionary look-up; a GET with a ready answer needs parsing; everything else becomes a task. A
connection handles one request after the other. What a client sends ahead waits, within bounds, and so do clients that
do not read; whoever is too slow has a deadline. Nothing here knows routes or the API.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any

from lictor import limits
from lictor.api import heads
from lictor.api.exchange import Exchange
from lictor.api.http import TEXT, Response, StreamResponse
from lictor.api.parsing import RequestParser, with_plain_url
from lictor.runtime.log import get_logger

if TYPE_CHECKING:
    from lictor.api.app import Application
    from lictor.api.ready import Ready

log = get_logger("http")


# What a connection is at. Each but WORKING must be over within its time.
IDLE = 0  # between requests
HEAD = 1  # a request's head is arriving
BODY = 2  # a body that is wanted is arriving
WORKING = 3  # an answer is being made
WRITING = 4  # the client has more to read than is kept for it
CLOSING = 5  # the last answer is on its way


def seconds(phase: int) -> float:
    """How long a phase may last."""
    if phase == IDLE:
        return limits.IDLE_CONNECTION_SECONDS
    if phase == HEAD:
        return limits.HEAD_SECONDS
    return limits.BODY_STALL_SECONDS if phase == BODY else limits.WRITE_STALL_SECONDS


class Connection(asyncio.Protocol):
    """One connection, from its first request to its last."""

    def __init__(self, app: Application, connections: set[Connection]) -> None:
        self._app = app
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser = RequestParser(self, app.context.config.header_bytes)
        self._tls = self._admitted = False
        self._client = self.remote = ""
        # the request under way; without a task it has its answer and the rest of it is read off
        self._current: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._raw: bytes | None = None
        # the connection
        self._phase = IDLE
        self._calm = False
        self._left = self._held = self._paused = False
        self._blocked: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._progress = 0
        self.deadline = 0.0
        """When the phase must be over, on the loop's clock; see `expire`."""

    # asyncio's callbacks

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._tls = transport.get_extra_info("sslcontext") is not None
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._client, self.remote = peer[0], f"{peer[0]}:{peer[1]}"
        else:
            self.remote = "unix:0"
        self._connections.add(self)
        self._enter(IDLE)
        context = self._app.context  # other agents hold as many connections as their own clients make them
        refusal = self._app.gate.enter(self._client, 0 if context.trusted else context.config.connections_per_client)
        self._admitted = refusal is None
        if refusal is not None:
            self._refuse(*refusal)

    def data_received(self, data: bytes) -> None:
        if self._calm:
            now = self._loop.time()
            wire = self._app.hot_answer(data, now)
            if wire is not None:
                self.deadline = now + limits.IDLE_CONNECTION_SECONDS
                self._transport.write(wire)
                return
        elif self._phase == CLOSING:
            self._throw_away(data)
            return
        self._take(data)

    def eof_received(self) -> bool:
        """The client sends no more. What it has asked for is still answered, what it waits for is answered now."""
        self._finish()
        return not self._tls and self._phase != CLOSING

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        if self._admitted:
            self._app.gate.leave(self._client)
        self._enter(CLOSING)
        self._lost()
        self._parser.close()
        self.resume_writing()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        if self._blocked is None:
            self._blocked = self._loop.create_future()
            self._settle()
            self._progress = self._transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        if self._blocked is not None:
            if not self._blocked.done():
                self._blocked.set_result(None)
            self._blocked = None
            self._advance()

    # requests and answers in order

    def _take(self, data: bytes) -> None:
        """Parses what has come and begins what can begin."""
        parser, fresh, raw = self._parser, self._calm, data
        if fresh:
            if not data.isascii():
                data = with_plain_url(data)
        elif self._phase == BODY:
            self._progress += len(data)
            if self._progress >= limits.BODY_STALL_BYTES:
                self._enter(BODY)
        parser.begun = 0
        parser.take(data)
        if fresh:
            self._raw = raw
        self._advance()
        self._raw = None

    def _advance(self) -> None:
        """Begins the next requests as long as their answers are ready, then lets others have their turn."""
        parser, turns = self._parser, limits.PIPELINED_REQUESTS
        if self._current is not None and self._task is None and self._current.over:
            self._current = None
        while self._current is None and self._blocked is None and self._phase != CLOSING:
            if parser.requests:
                if not turns:
                    self._loop.call_soon(self._advance)
                    break
                turns -= 1
                self._begin(parser.requests.popleft())
            elif parser.backlog:
                parser.parse()
            elif parser.refusal is not None:
                self._refuse(*parser.refusal)
            elif self._left:
                self._close()
            else:
                break
        self._settle()

    def _begin(self, exchange: Exchange) -> None:
        ready = self._app.ready_answer(exchange) if exchange.complete else None
        if ready is not None:
            if self._phase == IDLE:
                self.deadline = self._loop.time() + limits.IDLE_CONNECTION_SECONDS
            self._send_ready(exchange, ready, self._raw)
            self._after(exchange)
        else:
            self._current = exchange
            self._task = self._loop.create_task(self._handle(exchange))

    async def _handle(self, exchange: Exchange) -> None:
        try:
            answer = await self._app.handle(exchange)
            if isinstance(answer, StreamResponse):
                await self._stream(exchange, answer)
            elif isinstance(answer, Response):
                self._send(exchange, answer)
            else:
                self._send_ready(exchange, answer, None)
        except Exception:
            log.exception("the answer to %s %s was cut off", exchange.method, exchange.path)
            self.abort()
        self._current = self._task = None
        self._after(exchange)
        self._advance()

    def _after(self, exchange: Exchange) -> None:
        """What becomes of the connection once the answer is written."""
        self._held = False
        if self._phase == CLOSING:
            return
        if not exchange.keep_alive:
            if exchange.complete and not self._parser.backlog and self._parser.refusal is None:
                self._close()
            else:
                self._linger()
        elif not exchange.complete:
            self._current = exchange  # what little is left of it is read off

    def _send_ready(self, exchange: Exchange, ready: Ready, raw: bytes | None) -> None:
        packet = self._app.packet(ready, exchange, exchange.end(), self._loop.time())
        if raw is not None and exchange.keep_alive and self._parser.alone:
            self._app.reads.make_hot(raw, packet)
        self.write(packet.wire if exchange.method != "HEAD" else packet.head)

    def _send(self, exchange: Exchange, answer: Response) -> None:
        app, body = self._app, self._app.body_of(answer)
        head = app.start(answer) + app.dates.line(self._loop.time()) + heads.length(body) + exchange.end()
        self.write(head if exchange.method == "HEAD" else head + body)

    async def _stream(self, exchange: Exchange, answer: StreamResponse) -> None:
        """Writes pieces as chunks until they end or the client leaves; a failing source cuts the connection off."""
        pieces: Any = answer.pieces
        whole = False
        try:
            if exchange.old:
                exchange.keep_alive = False  # the end of the answer is the connection's
            start = self._app.start(answer) + self._app.dates.line(self._loop.time())
            self.write(start + (b"" if exchange.old else heads.CHUNKED) + exchange.end())
            if exchange.method != "HEAD":
                exchange.when_gone(self._cancel)
                await self._write_pieces(pieces, exchange.old)
            whole = True
        except asyncio.CancelledError:
            if not exchange.left:
                raise
        finally:
            if not whole:
                self.abort()
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    async def _write_pieces(self, pieces: Any, plain: bool) -> None:
        async for piece in pieces:
            if piece:
                self.write(piece if plain else b"%x\r\n%b\r\n" % (len(piece), piece))
            if self._blocked is not None:
                await self._blocked
        if not plain:
            self.write(b"0\r\n\r\n")

    def _refuse(self, status: int, text: str) -> None:
        """Answers what cannot be handled, and closes."""
        body = text.encode()
        start = self._app.heads.start(status, [("Content-Type", TEXT)], complete=True)
        self.write(start + self._app.dates.line(self._loop.time()) + heads.length(body) + heads.CLOSE + body)
        self._linger()

    # the connection

    def _settle(self) -> None:
        """Finds out what the connection is at, until when that may last, and whether to take more from the client."""
        if self._phase == CLOSING:
            return
        parser = self._parser
        if self._blocked is not None:
            phase = WRITING
        elif self._current is not None:
            phase = WORKING if self._current.complete else BODY
        elif parser.requests or parser.backlog:
            phase = WORKING
        elif parser.inside:
            phase = HEAD if parser.reading is None else BODY
        else:
            phase = IDLE
        if phase != self._phase:
            self._enter(phase)
        paused = self._held or self._blocked is not None or bool(parser.backlog)
        if paused is not self._paused:
            self._pause(paused)

    def _enter(self, phase: int) -> None:
        self._phase = phase
        self._calm = phase == IDLE
        self._progress = 0
        self.deadline = self._loop.time() + seconds(phase) if phase != WORKING else inf

    def expire(self) -> None:
        """Called when the deadline is past: cuts the connection off unless its client gets on, or is held up by us."""
        if self._phase == BODY and self._held:
            self._enter(BODY)
        elif self._phase == WRITING and (unsent := self._transport.get_write_buffer_size()) < self._progress:
            self._enter(WRITING)
            self._progress = unsent
        elif self._phase == CLOSING and not self._transport.is_closing():
            self._close()  # it has lingered long enough
        else:
            self._app.gate.expired += 1
            self.abort()

    def hold(self, held: bool) -> None:
        """Takes nothing more from the client for a request's sake, or goes on taking."""
        self._held = held
        self._settle()

    def _pause(self, paused: bool) -> None:
        if not self._transport.is_closing():
            self._paused = paused
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Writes bytes as they are; nothing once the client has left."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def close(self) -> None:
        """Ends the connection: who waits for a change is answered now, what is being done has a moment to be done."""
        gone = self._gone = self._loop.create_future()
        task = self._task
        self._finish()
        if task is not None:
            _, late = await asyncio.wait([task], timeout=limits.GOODBYE_SECONDS)
            if late:
                task.cancel()
        await asyncio.wait([gone], timeout=limits.GOODBYE_SECONDS)
        self.abort()

    def abort(self) -> None:
        """Ends it now, without regard for what is written."""
        self._enter(CLOSING)
        self._transport.abort()

    def _finish(self) -> None:
        """Takes no more requests and closes after the last answer."""
        if self._phase != CLOSING:
            self._left = True
            self._lost()
            self._advance()

    def _lost(self) -> None:
        """Tells everyone who works for the client that it has left."""
        for exchange in (self._current, self._parser.reading, *self._parser.requests):
            if exchange is not None:
                exchange.lost()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _close(self) -> None:
        self._enter(CLOSING)
        self._transport.close()

    def _linger(self) -> None:
        """Sends no more, but lets the client send for a while: to close on it could lose the answer on its way."""
        if self._left or self._transport.is_closing():
            self._close()
            return
        self._enter(CLOSING)
        self.deadline = self._loop.time() + limits.LINGER_SECONDS
        if self._tls:  # the client cannot be told that nothing follows, only that the connection ends
            self.deadline = self._loop.time()
        else:
            self._transport.write_eof()
        if self._paused:
            self._pause(False)

    def _throw_away(self, data: bytes) -> None:
        self._progress += len(data)
        if self._progress > limits.LINGER_BYTES:
            self.abort()
