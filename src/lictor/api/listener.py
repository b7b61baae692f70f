"""Where the API is served: TCP addresses with or without TLS, and unix sockets; and who is sent away for being idle."""

from __future__ import annotations

import asyncio
import os
import ssl
import stat
from contextlib import suppress

from lictor import limits
from lictor.api.app import Application
from lictor.api.protocol import Protocol
from lictor.errors import ConfigError

BACKLOG = 4096


class Listener:
    """One address that the API is served on."""

    def __init__(
        self,
        app: Application,
        host: str = "",
        port: int = 0,
        *,
        unix: str = "",
        mode: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._app, self._host, self._port, self._unix, self._mode, self._tls = app, host, port, unix, mode, tls
        self.address = f"unix://{unix}" if unix else f"{host}:{port}"
        self._server: asyncio.Server | None = None
        self._connections: set[Protocol] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._connections)

    async def start(self) -> None:
        """Listens. Raises ConfigError when the address cannot be had."""
        loop = asyncio.get_running_loop()

        def connect() -> Protocol:
            return Protocol(self._app, self._connections)

        try:
            if self._unix:
                _remove_stale_socket(self._unix)
                self._server = await loop.create_unix_server(connect, self._unix, backlog=BACKLOG)
                if self._mode:
                    os.chmod(self._unix, int(self._mode, 8))
            else:
                self._server = await loop.create_server(
                    connect, self._host, self._port, backlog=BACKLOG, ssl=self._tls, reuse_address=True
                )
        except OSError as error:
            raise ConfigError(f"cannot serve HTTP on {self.address}: {error.strerror or error}") from None
        self._sweep()

    async def stop(self) -> None:
        """Stops listening; requests under way are cut off."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.close()
            await self._server.wait_closed()
        if self._unix:
            with suppress(OSError):
                os.unlink(self._unix)

    def _sweep(self) -> None:
        """Closes connections that have sent nothing for too long while nothing is being done for them."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - limits.IDLE_CONNECTION_SECONDS
        for connection in [c for c in self._connections if c.idle and c.active < oldest]:
            connection.close()
        self._sweeper = loop.call_later(limits.IDLE_CONNECTION_SECONDS / 4, self._sweep)


def _remove_stale_socket(path: str) -> None:
    """Removes the socket that a dead agent left. Anything else at the path is left alone and an error follows."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
