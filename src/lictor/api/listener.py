"""Where the API is served: TCP addresses with or without TLS, and unix sockets; and who is cut off for being slow."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import socket
import ssl
import stat
from collections.abc import Callable
from contextlib import suppress

from lictor import limits
from lictor.api.app import Application
from lictor.api.protocol import Connection
from lictor.api.tls_server import TLSServer, listening_socket
from lictor.errors import ConfigError

BACKLOG = 4096


class Listener:
    """One address that the API is served on: `host` and `port`, or the socket at `unix`; with TLS where `tls` is given,
    which is asked for the context of each new connection.

    `mode` (octal), `user` and `group` (names or numbers) are the socket's; what is empty is left as the system has it.
    """

    def __init__(
        self,
        app: Application,
        host: str = "",
        port: int = 0,
        *,
        unix: str = "",
        mode: str = "",
        user: str = "",
        group: str = "",
        tls: Callable[[], ssl.SSLContext] | None = None,
        handshake_seconds: float = 5.0,
    ) -> None:
        self._app, self._host, self._port = app, host, port
        self._unix, self._mode, self._owner = unix, mode, (user, group)
        self._tls, self._handshake_seconds = tls, handshake_seconds
        self.address = f"unix://{unix}" if unix else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server: asyncio.Server | TLSServer | None = None
        self._inode = 0
        self._connections: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def port(self) -> int:
        """The TCP port that is listened on; where 0 was asked for, the system's choice."""
        return self._port

    async def start(self) -> None:
        """Listens. Raises ConfigError when the address cannot be had."""
        try:
            self._server = await self._listen()
        except (OSError, LookupError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise ConfigError(f"cannot serve HTTP on {self.address}: {reason or error}") from None
        self._sweep()

    async def stop(self) -> None:
        """Stops listening. Requests under way have a moment to be answered; who waits for a change is answered now."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is None:
            return
        self._server.close()
        await asyncio.gather(*(connection.close() for connection in self._connections))
        await self._server.wait_closed()
        if self._unix:
            _remove_socket(self._unix, self._inode)

    async def _listen(self) -> asyncio.Server | TLSServer:
        loop = asyncio.get_running_loop()

        def connect() -> Connection:
            return Connection(self._app, self._connections)

        if self._unix:
            sock = _bind(self._unix, self._mode, *self._owner)
            self._inode = os.stat(self._unix).st_ino
            if self._tls is not None:
                sock.listen(BACKLOG)
                return TLSServer(sock, self._tls, connect, self._handshake_seconds)
            return await loop.create_unix_server(connect, sock=sock, backlog=BACKLOG)
        server: asyncio.Server | TLSServer
        if self._tls is not None:
            sock = await listening_socket(self._host, self._port, BACKLOG)
            server = TLSServer(sock, self._tls, connect, self._handshake_seconds)
        else:
            server = await loop.create_server(connect, self._host, self._port, backlog=BACKLOG, reuse_address=True)
        self._port = server.sockets[0].getsockname()[1]
        return server

    def _sweep(self) -> None:
        """Cuts off connections whose time is up."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in [c for c in self._connections if c.deadline < now]:
            connection.expire()
        self._sweeper = loop.call_later(limits.SWEEP_SECONDS, self._sweep)


def _bind(path: str, mode: str, user: str, group: str) -> socket.socket:
    """A socket at the path to which nobody can connect before it has its mode and owner."""
    _remove_stale_socket(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.bind(path)
        if mode:
            os.chmod(path, int(mode, 8))
        if user or group:
            uid = pwd.getpwnam(user).pw_uid if user and not user.isdigit() else int(user or -1)
            gid = grp.getgrnam(group).gr_gid if group and not group.isdigit() else int(group or -1)
            os.chown(path, uid, gid)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale_socket(path: str) -> None:
    """Removes the socket that a dead agent left. Anything else at the path is left alone and an error follows."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.setblocking(False)
                with suppress(ConnectionRefusedError):
                    probe.connect(path)
                    return
            os.unlink(path)


def _remove_socket(path: str, inode: int) -> None:
    """Removes our socket, not one that another agent has put in its place."""
    with suppress(OSError):
        if os.stat(path).st_ino == inode:
            os.unlink(path)
