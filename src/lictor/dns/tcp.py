"""DNS over TCP: messages with their length before them, as many in a row as a client likes.

Connections are bounded: the one that was silent for longest makes room for a new one, and one that stays silent is
closed. A connection with many questions in work is read no further until they are answered, and so is one that does
not take its answers.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from lictor import limits
from lictor.dns.ready import Shelf

Send = Callable[[bytes], None]
_SWEEP_SECONDS = 1.0


class TCPListener:
    """What the connections of one listening socket share. `answer(message, host, send)` is called for every question
    without a ready packet; `send` takes the answer, or empty bytes for none, once."""

    def __init__(self, shelf: Shelf, answer: Callable[[bytes, str, Send], None]) -> None:
        self.shelf, self.answer = shelf, answer
        self.loop = asyncio.get_running_loop()
        self.queries = 0
        self.ready = 0
        self._open: dict[Connection, float] = {}  # and when each last spoke, the longest silent first
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    async def start(self, sock: socket.socket) -> None:
        """Accepts connections on a bound socket."""
        self._server = await self.loop.create_server(lambda: Connection(self), sock=sock, backlog=1024)
        self._sweep()

    def close(self) -> None:
        """Closes the socket and every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._open):
            connection.abort()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def spoke(self, connection: Connection) -> None:
        """Notes that a connection is new or has asked something."""
        if self._open.pop(connection, None) is None and len(self._open) >= limits.DNS_TCP_CONNECTIONS:
            next(iter(self._open)).abort()
        self._open[connection] = self.loop.time()

    def gone(self, connection: Connection) -> None:
        """Forgets a closed connection."""
        self._open.pop(connection, None)

    def _sweep(self) -> None:
        silent_since = self.loop.time() - limits.DNS_TCP_IDLE_SECONDS
        for connection, spoke in list(self._open.items()):
            if spoke > silent_since:
                break
            connection.abort()
        self._sweeper = self.loop.call_later(_SWEEP_SECONDS, self._sweep)


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, listener: TCPListener) -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._host = ""
        self._received = bytearray()
        self._working = 0
        self._clogged = False
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._host = peer[0] if peer else ""
        self._listener.spoke(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._listener.gone(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._proceed()

    def eof_received(self) -> bool:
        """The client asks nothing more; it still gets what it asked for."""
        self._ended = True
        return self._working > 0

    def pause_writing(self) -> None:
        self._clogged = True

    def resume_writing(self) -> None:
        self._clogged = False
        self._proceed()

    def abort(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()
        self._listener.gone(self)

    def _proceed(self) -> None:
        """Takes up questions that have arrived whole, a bounded number a turn, and reads on only if there is room."""
        received, at, taken = self._received, 0, 0
        while taken < limits.DNS_TCP_PIPELINE and self._has_room():
            end = at + 2 + int.from_bytes(received[at : at + 2])
            if len(received) < at + 2 or len(received) < end:
                break
            self._question(bytes(received[at + 2 : end]))
            at, taken = end, taken + 1
        del received[:at]
        if self._transport is None:
            return
        if taken == limits.DNS_TCP_PIPELINE:
            self._listener.loop.call_soon(self._proceed)
        if not self._ended:
            if self._has_room() and taken < limits.DNS_TCP_PIPELINE:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _has_room(self) -> bool:
        return self._transport is not None and not self._clogged and self._working < limits.DNS_TCP_PIPELINE

    def _question(self, message: bytes) -> None:
        listener = self._listener
        listener.spoke(self)
        listener.queries += 1
        entry = listener.shelf.entries.get(message[2:])
        packet = entry.packet() if entry is not None else None
        if packet is not None:
            listener.ready += 1
            self._write(message[:2] + packet)
            return
        listener.shelf.drop(message[2:])
        self._working += 1
        listener.answer(message, self._host, self._answered)

    def _answered(self, packet: bytes) -> None:
        stalled = self._working >= limits.DNS_TCP_PIPELINE
        self._working -= 1
        if packet:
            self._write(packet)
        if self._ended and not self._working and self._transport is not None:
            self._transport.close()
        elif stalled:
            self._listener.loop.call_soon(self._proceed)

    def _write(self, packet: bytes) -> None:
        if self._transport is not None:
            self._transport.write(len(packet).to_bytes(2) + packet)
