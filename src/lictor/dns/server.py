"""The DNS server: sockets, the answers that wait for recursors, settings that change while it runs."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from lictor import limits
from lictor.dns.recursors import Recursors
from lictor.dns.responder import Chase, Forward, Later, Responder
from lictor.dns.settings import DNSSettings
from lictor.dns.source import Source
from lictor.dns.tcp import TCPListener
from lictor.dns.udp import UDPListener
from lictor.errors import LictorError
from lictor.runtime.clock import Clock, Entropy

Send = Callable[[bytes], None]
_PORT_TRIES = 16
_RECEIVE_BYTES = 4 * limits.MIB


class DNSServer:
    """Serves DNS over UDP and TCP on any number of addresses, from one event loop.

    Raises ConfigError for settings that cannot be used, and OSError where an address cannot be bound.
    """

    def __init__(self, source: Source, settings: DNSSettings, clock: Clock, entropy: Entropy) -> None:
        self.responder = Responder(source, settings, clock, entropy)
        self.recursors = Recursors(entropy)
        self.udp: list[UDPListener] = []
        self.tcp: list[TCPListener] = []
        self.addresses: list[tuple[str, int]] = []
        """The addresses served."""
        self._waiting: set[asyncio.Task[None]] = set()
        self._recurse()

    @property
    def queries(self) -> int:
        """Messages received."""
        return sum(each.queries for each in self.udp) + sum(each.queries for each in self.tcp)

    @property
    def ready(self) -> int:
        """Messages answered with a packet that was ready."""
        return sum(each.ready for each in self.udp) + sum(each.ready for each in self.tcp)

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Serves an address too (IPv4 or IPv6; port 0: any free one) and returns it."""
        datagrams, stream = _bind(host, port)
        bound: tuple[str, int] = (host, datagrams.getsockname()[1])
        self.udp.append(UDPListener(datagrams, self.responder.shelves[False], self._answer_udp))
        listener = TCPListener(self.responder.shelves[True], self._answer_tcp)
        self.tcp.append(listener)
        await listener.start(stream)
        self.addresses.append(bound)
        self._recurse()
        return bound

    def configure(self, settings: DNSSettings) -> None:
        """Takes new settings at once; ConfigError leaves the old ones in force."""
        self.responder.configure(settings)
        self._recurse()

    async def close(self) -> None:
        """Stops listening and gives up what waits."""
        for datagrams in self.udp:
            datagrams.close()
        for streams in self.tcp:
            streams.close()
        waiting = list(self._waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self.recursors.close()

    def _recurse(self) -> None:
        """Recursors that are this server itself are left out: a question must not come round again."""
        zone = self.responder.zone
        servers = [server for server in zone.recursors if server not in self.addresses]
        self.recursors.configure(servers, zone.config.recursor_timeout)

    def _answer_udp(self, message: bytes, host: str, send: Send) -> None:
        self._answer(message, host, False, send)

    def _answer_tcp(self, message: bytes, host: str, send: Send) -> None:
        self._answer(message, host, True, send)

    def _answer(self, message: bytes, host: str, tcp: bool, send: Send) -> None:
        """Answers now or, where recursors must be asked first, later."""
        answer = self.responder.respond(message, host, tcp)
        if isinstance(answer, Forward | Chase | Later):
            task = asyncio.get_running_loop().create_task(self._answer_later(answer, message, host, tcp, send))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        elif answer is not None or tcp:
            send(answer or b"")

    async def _answer_later(
        self, first: Forward | Chase | Later, message: bytes, host: str, tcp: bool, send: Send
    ) -> None:
        waits = 0
        while isinstance(first, Later):
            waits += 1
            try:
                await first.wait()
            except LictorError:
                waits = limits.DNS_WAITS
            answer = first.failed if waits >= limits.DNS_WAITS else self.responder.respond(message, host, tcp)
            if not isinstance(answer, Forward | Chase | Later):
                return send(answer or b"")
            first = answer
        if isinstance(first, Forward):
            send(await self.recursors.forward(first.message, tcp) or first.failed)
            return
        found = await asyncio.gather(*(self.recursors.lookup(name, first.rtype) for name in first.hosts))
        answer = self.responder.respond(message, host, tcp, dict(zip(first.hosts, found, strict=True)))
        send(answer if isinstance(answer, bytes) else b"")


def _bind(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A datagram and a listening socket on the same port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for tries in range(_PORT_TRIES):
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        stream = socket.socket(family, socket.SOCK_STREAM)
        try:
            for sock in (datagrams, stream):
                sock.setblocking(False)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            datagrams.bind((host, port))
            stream.bind((host, datagrams.getsockname()[1]))
            return datagrams, stream
        except OSError as error:
            datagrams.close()
            stream.close()
            # A port that is free for UDP may be taken for TCP.
            if port or error.errno != errno.EADDRINUSE or tries == _PORT_TRIES - 1:
                raise
    raise AssertionError("unreachable")
