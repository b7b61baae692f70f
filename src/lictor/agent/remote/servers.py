"""The servers that a client agent knows, and requests to one of them over HTTP (mutual TLS where configured).

One server is used for everything until it fails; then the next one is tried at once. The list grows by joining and by
what servers tell; it is never emptied by a server that knows none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from random import Random

import aiohttp
import msgspec
from yarl import URL

from lictor.agent.tls import Outgoing
from lictor.errors import Unavailable
from lictor.runtime.handshake import explained
from lictor.runtime.log import get_logger

CONNECT_SECONDS = 1.0
"""How long a server may take to accept a connection before the next one is tried."""
log = get_logger("agent.servers")

AGENT_HEADER = "x-lictor-agent"
"""Tells a server which agent's client is asking, for what is meant by "this node" there."""
_PASSED_ON = ("content-type", "x-consul-token", "cache-control")


class RemoteResponse(msgspec.Struct):
    """A server's whole answer; header names as the server wrote them."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def index(self) -> int:
        """The answer's index; 0 when it has none."""
        return next((int(v) for k, v in self.headers if k.lower() == "x-consul-index" and v.isdigit()), 0)


class Servers:
    """Known servers as "host:port", the one in use, and how to ask it."""

    def __init__(self, random: Random, node: str, tls: Callable[[], Outgoing | None] = lambda: None) -> None:
        self._random, self._node = random, node
        self._tls = tls
        self._known: list[str] = []
        self._current: str | None = None
        self._session: aiohttp.ClientSession | None = None
        self._came = asyncio.Event()
        self.moved: Callable[[], None] = lambda: None
        """Called when another server than before is used."""

    @property
    def known(self) -> list[str]:
        """All servers known, the one in use first."""
        rest = [server for server in self._known if server != self._current]
        return ([self._current] if self._current else []) + rest

    @property
    def current(self) -> str:
        """The server in use; empty while there is none."""
        return self._current or ""

    def learn(self, servers: Iterable[str], *, whole: bool = False) -> None:
        """Adds servers; with `whole` forgets those that are not among them (unless there are none)."""
        fresh = list(dict.fromkeys(servers))
        if not fresh:
            return
        self._known = fresh if whole else list(dict.fromkeys([*self._known, *fresh]))
        if self._current not in self._known:
            self._choose()

    async def wait(self) -> None:
        """Returns once a server is known."""
        await self._came.wait()

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    def lost(self, server: str) -> None:
        """A server did not answer: another one is used from now on."""
        if server == self._current:
            log.warning("server %s does not answer", server)
            self._choose(avoid=server)

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = 30.0,
    ) -> RemoteResponse:
        """Asks servers until one answers, each once. A write is not repeated once it may have been taken.

        `path` holds the query string. Raises Unavailable when none answers.
        """
        reasons = []
        for server in self.known or [""]:
            if not server:
                break
            try:
                async with self._open(server, method, path, headers, body, seconds) as response:
                    return RemoteResponse(response.status, _headers(response), await response.read())
            except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError, ConnectionRefusedError) as error:
                reasons.append(f"{server}: {explained(error)}")
                self.lost(server)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                reasons.append(f"{server}: {explained(error)}")
                self.lost(server)
                if method != "GET":
                    break
        raise Unavailable("No known Consul servers" if not reasons else f"no server answers: {'; '.join(reasons)}")

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer of the server in use, to be read piece by piece and without a time limit."""
        if not self._current:
            raise Unavailable("No known Consul servers")
        server = self._current
        try:
            async with self._open(server, method, path, headers, b"", None) as response:
                yield response
        except (aiohttp.ClientError, OSError) as error:
            self.lost(server)
            raise Unavailable(f"server {server}: {explained(error)}") from None

    @asynccontextmanager
    async def _open(
        self, server: str, method: str, path: str, headers: Mapping[str, str] | None, body: bytes, seconds: float | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=True)
        sent = {k: v for k, v in (headers or {}).items() if k.lower() in _PASSED_ON}
        sent[AGENT_HEADER] = self._node
        tls = self._tls()  # asked anew: certificates change while connections from before go on
        scheme = "https" if tls else "http"
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        url = f"{scheme}://{server}{path}"
        async with self._session.request(
            method,
            _verbatim(url),
            headers=sent,
            data=body or None,
            timeout=timeout,
            allow_redirects=False,
            ssl=tls.context if tls else False,
            server_hostname=(tls.name or None) if tls else None,
        ) as response:
            yield response

    def _choose(self, avoid: str = "") -> None:
        options = [server for server in self._known if server != avoid] or self._known
        before, self._current = self._current, self._random.choice(options) if options else None
        if self._current:
            self._came.set()
        if self._current != before:
            log.info("using server %s", self._current)
            self.moved()


def _headers(response: aiohttp.ClientResponse) -> list[tuple[str, str]]:
    skipped = ("content-length", "transfer-encoding", "connection", "content-encoding", "date")
    return [(k, v) for k, v in response.headers.items() if k.lower() not in skipped]


def _verbatim(url: str) -> URL:
    """The URL as it stands: the client's own escapes must reach the server."""
    return URL(url, encoded=True)
