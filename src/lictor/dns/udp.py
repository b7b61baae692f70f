"""DNS over UDP: a socket read by hand, many datagrams a wake-up, ready packets sent straight back.

This is the hot path: no transport, no protocol object and no task stands between a question whose packet is ready and
the answer. What is not ready goes to `answer`, given at birth, which may wait for recursors.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from lictor import limits
from lictor.dns.ready import Shelf

Peer = Any
"""An address as the socket module gives it."""
Send = Callable[[bytes], None]


class UDPListener:
    """Reads one bound, non-blocking datagram socket until closed.

    `answer(message, host, send)` is called for every question without a ready packet.
    """

    def __init__(self, sock: socket.socket, shelf: Shelf, answer: Callable[[bytes, str, Send], None]) -> None:
        self._sock, self._shelf, self._answer = sock, shelf, answer
        self._loop = asyncio.get_running_loop()
        self.queries = 0
        self.ready = 0
        self.dropped = 0
        self._loop.add_reader(sock, self._readable)

    def close(self) -> None:
        """Stops reading and closes the socket."""
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _readable(self) -> None:
        """Answers what has come, up to a burst, so that others get their turn."""
        receive, send, entries = self._sock.recvfrom, self._sock.sendto, self._shelf.entries
        queries = ready = 0
        try:
            for _ in range(limits.DNS_UDP_BURST):
                data, peer = receive(limits.DNS_QUERY_BYTES)
                queries += 1
                entry = entries.get(data[2:])
                packet = entry.packet() if entry is not None else None
                if packet is None:
                    self._unready(data, peer)
                else:
                    ready += 1
                    send(data[:2] + packet, peer)
        except BlockingIOError:
            pass  # all read, or no room to send: the client asks again
        except OSError:
            self.dropped += 1  # an answer the network refused, or an earlier one's refusal reported here
        self.queries += queries
        self.ready += ready

    def _unready(self, data: bytes, peer: Peer) -> None:
        def send(packet: bytes) -> None:
            try:
                self._sock.sendto(packet, peer)
            except OSError:
                self.dropped += 1

        self._shelf.drop(data[2:])
        self._answer(data, peer[0], send)
