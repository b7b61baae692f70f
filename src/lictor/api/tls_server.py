"""Accepts connections and speaks TLS on them, with the context that holds when each one comes.

Takes the place of asyncio's own server, which has one context for good and tells nobody why a handshake failed. Knows
nothing of HTTP: what follows a handshake is the protocol's.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

from lictor import limits
from lictor.runtime.handshake import explained
from lictor.runtime.log import get_logger

ACCEPT_AGAIN_SECONDS = 1.0
"""The pause when the system lets no more connections be accepted (too many open files)."""
log = get_logger("http.tls")


class TLSServer:
    """Serves on a socket that listens. `context` is asked for at each connection, `connect` for its protocol."""

    def __init__(
        self,
        sock: socket.socket,
        context: Callable[[], ssl.SSLContext],
        connect: Callable[[], asyncio.Protocol],
        handshake_seconds: float,
    ) -> None:
        sock.setblocking(False)
        self.sockets = (sock,)
        self._context, self._connect, self._seconds = context, connect, handshake_seconds
        self._places = asyncio.Semaphore(limits.TLS_HANDSHAKES)
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.get_running_loop().create_task(self._accept(sock), name="accept")

    def close(self) -> None:
        """Stops accepting and gives up handshakes under way. Connections stay."""
        for task in (self._accepting, *self._tasks):
            task.cancel()
        self.sockets[0].close()

    async def wait_closed(self) -> None:
        """Returns when nothing of it runs any more."""
        await asyncio.gather(self._accepting, *self._tasks, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._places.acquire()
            try:
                sock, _ = await loop.sock_accept(listening)
            except ConnectionError:
                self._places.release()  # the peer has left again already
                continue
            except OSError as error:
                self._places.release()
                log.warning("connections cannot be accepted, trying again: %s", error)
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            task = loop.create_task(self._begin(sock))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._places.release()

    async def _begin(self, sock: socket.socket) -> None:
        """The handshake. Whoever fails is named in the log with the reason."""
        peer = ""
        try:
            peer = _prepare(sock)
            await asyncio.get_running_loop().connect_accepted_socket(
                self._connect, sock, ssl=self._context(), ssl_handshake_timeout=self._seconds
            )
        except ssl.SSLError as error:
            log.warning("refused %s: %s", peer, explained(error))
        except OSError as error:
            # A scan, a probe, or a peer that refuses us and says so in its own log.
            log.debug("%s broke off before TLS began: %s", peer, error or type(error).__name__)
            sock.close()


def _prepare(sock: socket.socket) -> str:
    """Makes small answers leave at once; returns who the peer is. Raises OSError when it has gone already."""
    if sock.family == socket.AF_UNIX:
        return "a local client"
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    host, port = sock.getpeername()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def listening_socket(host: str, port: int, backlog: int) -> socket.socket:
    """A TCP socket that listens. Raises OSError."""
    loop = asyncio.get_running_loop()
    rows = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, address = rows[0][0], rows[0][4]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock
