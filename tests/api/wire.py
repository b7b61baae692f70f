"""The HTTP server under test, with routes that show what it does: through a transport of straw, or over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec

from lictor.api.app import Application
from lictor.api.context import APIConfig, Context
from lictor.api.http import JSON, Request, Response, StreamResponse, json_response, text_response
from lictor.api.protocol import Connection
from lictor.api.router import Reply, Router
from lictor.limits import Limits
from lictor.runtime.clock import Entropy, SystemClock
from lictor.server.server import Server
from lictor.state.cells import Cell
from lictor.store.memory import MemoryStore

BODY_LIMIT = 100_000


class Answer(msgspec.Struct):
    """One answer as it came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Site:
    """An application with routes of its own. `cell` moves with `move`, which wakes those who wait at /read."""

    def __init__(self, **config: Any) -> None:
        self.server = Server(MemoryStore())
        self.config = APIConfig("dc1", "n1", config.pop("limits", Limits()), **config)
        context = Context(SimpleNamespace(), self.server, self.config, SystemClock(), Entropy(1))  # type: ignore[arg-type]
        self.cell = Cell(5)
        self.value: Any = "first"
        self.runs = 0
        self.bodies: list[bytes] = []
        self.gate = asyncio.Event()
        self.ended: list[str] = []
        self.app = Application(context, self._routes())

    def move(self, value: Any) -> None:
        """Changes what /read answers."""
        self.value = value
        self.cell.index += 1
        for wake in list(self.cell.wakers):
            wake()

    def _routes(self) -> Router:
        router = Router()

        @router.read("/read", cacheable=True)
        def read(context: Context, request: Request) -> Reply:
            self.runs += 1
            return Reply(self.value, (self.cell,))

        @router.action("PUT", "/body")
        async def body(context: Context, request: Request) -> Response:
            self.bodies.append(await request.body(BODY_LIMIT))
            return json_response(len(self.bodies[-1]))

        @router.action("PUT", "/pieces")
        async def pieces(context: Context, request: Request) -> Response:
            count = 0
            async for piece in request.pieces(10 * BODY_LIMIT):
                count += len(piece)
                await asyncio.sleep(0)
            return json_response(count)

        @router.action("PUT", "/unread")
        async def unread(context: Context, request: Request) -> Response:
            return text_response("done")

        @router.action("GET", "/slow/")
        async def slow(context: Context, request: Request) -> Response:
            await self.gate.wait()
            return text_response(request.rest)

        @router.action("GET", "/echo/")
        async def echo(context: Context, request: Request) -> Response:
            return text_response(f"{request.rest}?{request.query_string}")

        @router.action("GET", "/large")
        async def large(context: Context, request: Request) -> Response:
            return Response(200, b"[" + b"0," * 200_000 + b"0]", [("Content-Type", JSON)])

        @router.action("GET", "/stream")
        async def stream(context: Context, request: Request) -> StreamResponse:
            return StreamResponse(self._pieces(request.param("fail") == "yes"))

        @router.action("GET", "/broken")
        async def broken(context: Context, request: Request) -> Response:
            raise RuntimeError("a fault of ours")

        return router

    async def _pieces(self, fail: bool) -> AsyncIterator[bytes]:
        try:
            yield b"one"
            yield b""
            await self.gate.wait()
            if fail:
                raise RuntimeError("the source failed")
            yield b"two"
        finally:
            self.ended.append("stream")


class Straw:
    """A transport without a socket, and the client at its other end."""

    def __init__(
        self, site: Site, connections: set[Connection] | None = None, peer: object = ("10.0.0.1", 4000)
    ) -> None:
        self.connection = Connection(site.app, set() if connections is None else connections)
        self.peer = peer
        self.sent = b""
        self.buffered = 0
        self.closing = self.closed = self.eof = self.paused = False
        self.connection.connection_made(self)

    # the client's side

    def send(self, data: bytes) -> None:
        """Bytes arrive. Nothing does while reading is paused, nor once the connection is closing."""
        assert not self.paused
        if not self.closing:
            self.connection.data_received(data)

    def leave(self) -> None:
        """The client closes its side."""
        if not self.closing and not self.connection.eof_received():
            self.close()

    @property
    def answers(self) -> list[Answer]:
        """What has come back, which must be whole answers."""
        return answers(self.sent)

    async def settle(self) -> None:
        """Lets everything happen that can happen now."""
        for _ in range(12):
            await asyncio.sleep(0)

    # the transport's

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self.peer if name == "peername" else default

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes) -> None:
        assert not self.closing and not self.eof
        self.sent += data

    def write_eof(self) -> None:
        assert not self.closing
        self.eof = True

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def pause_reading(self) -> None:
        assert not self.paused and not self.closing
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused and not self.closing
        self.paused = False

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self._gone)

    def abort(self) -> None:
        self.close()

    def _gone(self) -> None:
        self.closed = True
        self.connection.connection_lost(None)


def answers(data: bytes) -> list[Answer]:
    """The answers in these bytes, one behind the other and nothing else; none of them may be one to HEAD."""
    found = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, f"a head without an end: {head!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {}
        for line in lines:
            name, colon, value = line.partition(": ")
            assert colon and name.lower() not in headers, line
            headers[name.lower()] = value
        if status == "100":
            found.append(Answer(100, headers, b""))
            continue
        if headers.get("transfer-encoding") == "chunked":
            body, data = _chunks(data)
        else:
            length = int(headers["content-length"])
            body, data = data[:length], data[length:]
            assert len(body) == length, f"{length - len(body)} bytes are missing"
        found.append(Answer(int(status), headers, body))
    return found


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, end, data = data.partition(b"\r\n")
        assert end, "the end of the chunks is missing"
        count = int(size, 16)
        chunk, tail, data = data[:count], data[count : count + 2], data[count + 2 :]
        assert len(chunk) == count and tail == b"\r\n"
        if not count:
            return body, data
        body += chunk


def get(path: str, *headers: str, version: str = "1.1", method: str = "GET") -> bytes:
    """A request without a body."""
    return "\r\n".join((f"{method} {path} HTTP/{version}", "Host: h", *headers, "", "")).encode()


def put(path: str, body: bytes, *headers: str) -> bytes:
    """A request with one."""
    return get(path, f"Content-Length: {len(body)}", *headers, method="PUT") + body


def chunked(path: str, *chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A request whose body comes in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return get(path, "Transfer-Encoding: chunked", method="PUT") + body + end
