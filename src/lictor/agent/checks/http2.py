"""One HTTP/2 connection for one check: a PING, or a gRPC call with one message each way. Nothing more of HTTP/2."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from lictor import limits
from lictor.agent.checks.dial import dial, hang_up, split_target
from lictor.agent.checks.kit import USER_AGENT

if TYPE_CHECKING:
    from h2.connection import H2Connection
    from h2.events import Event

_MESSAGE = struct.Struct(">?I")


class HTTP2Error(Exception):
    """The other side does not speak HTTP/2 or ended the connection."""


class CallError(Exception):
    """A gRPC call ended with another status than OK."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Connection:
    """A client's side of a connection. Every method may raise HTTP2Error; the time is the caller's to bound."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from h2.config import H2Configuration
        from h2.connection import H2Connection

        self._reader, self._writer = reader, writer
        self._h2: H2Connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._send()

    async def ping(self) -> None:
        """Sends a PING and waits until it is acknowledged."""
        from h2.events import PingAckReceived

        self._h2.ping(b"lictor??")
        self._send()
        while not any(isinstance(event, PingAckReceived) for event in await self._events()):
            pass

    async def call(self, scheme: str, authority: str, path: str, message: bytes) -> bytes:
        """A gRPC call: the answer's message. Raises CallError with the call's status."""
        from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived

        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(
            stream,
            [
                (":method", "POST"),
                (":scheme", scheme),
                (":authority", authority),
                (":path", path),
                ("te", "trailers"),
                ("content-type", "application/grpc"),
                ("user-agent", USER_AGENT),
            ],
        )
        self._h2.send_data(stream, _MESSAGE.pack(False, len(message)) + message, end_stream=True)
        self._send()
        headers: dict[str, str] = {}
        body = b""
        while True:
            for event in await self._events():
                if isinstance(event, (ResponseReceived, TrailersReceived)):
                    headers.update(_texts(event.headers))
                elif isinstance(event, DataReceived):
                    body += event.data
                    if len(body) > limits.CHECK_BODY_BYTES:
                        raise HTTP2Error("the answer is too long")
                elif isinstance(event, StreamReset):
                    raise HTTP2Error(f"stream reset with error code {int(event.error_code)}")
                elif isinstance(event, StreamEnded):
                    return _message(headers, body)

    async def _events(self) -> list[Event]:
        """What the other side sends next, answered where HTTP/2 wants it."""
        from h2.events import ConnectionTerminated
        from h2.exceptions import ProtocolError

        try:
            data = await self._reader.read(65_536)
            if not data:
                raise HTTP2Error("unexpected EOF")
            events = self._h2.receive_data(data)
            self._send()
        except ProtocolError as error:
            raise HTTP2Error(f"http2: {error}") from None
        except OSError as error:
            raise HTTP2Error(str(error)) from None
        if any(isinstance(event, ConnectionTerminated) for event in events):
            raise HTTP2Error("http2: the server sent GOAWAY and closed the connection")
        return events

    def _send(self) -> None:
        self._writer.write(self._h2.data_to_send())


@asynccontextmanager
async def connect(target: str, tls: SSLContext | None, server_name: str) -> AsyncIterator[Connection]:
    """A connection to `host:port` for as long as the block lasts. Raises DialError."""
    split_target(target)
    reader, writer = await dial(target, tls, server_name)
    try:
        yield Connection(reader, writer)
    finally:
        hang_up(writer)


def _texts(headers: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in headers or ()}


def _message(headers: dict[str, str], body: bytes) -> bytes:
    """The one message of a finished call."""
    if headers.get(":status") != "200":
        raise HTTP2Error(f"unexpected HTTP status code received from server: {headers.get(':status')}")
    code = headers.get("grpc-status", "")
    if not code.isdigit():
        raise HTTP2Error("malformed answer: no grpc-status")
    if int(code):
        raise CallError(int(code), headers.get("grpc-message", ""))
    if len(body) < _MESSAGE.size:
        raise HTTP2Error("malformed answer: no message")
    compressed, length = _MESSAGE.unpack_from(body)
    if compressed or len(body) != _MESSAGE.size + length:
        raise HTTP2Error("malformed answer: not one plain message")
    return body[_MESSAGE.size :]
