"""Sends requests over aiohttp: many at once on one event loop, connections kept open between them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from lictor.client.config import Config
from lictor.client.errors import TimedOut, Unreachable, Unreadable, api_error
from lictor.client.request import Request, Response, headers, target

CHUNK = 1 << 16


class AsyncTransport:
    """One pool of connections to one agent. Blocking queries hold theirs, so their number is not bounded here."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._session: aiohttp.ClientSession | None = None
        address = config.address
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._base = f"{address.scheme}://{host}:{address.port}"

    async def send(self, request: Request[Any]) -> Response:
        """The whole answer. Raises Unreachable, TimedOut, or Unreadable when it is longer than is accepted."""
        seconds = self.config.timeout + request.holds
        body = bytearray()
        async with self._asked(request, seconds) as response:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > self.config.max_answer_bytes:
                    raise Unreadable(f"{request}: an answer of more than {self.config.max_answer_bytes} bytes")
            return Response(response.status, {k.lower(): v for k, v in response.headers.items()}, bytes(body))

    async def stream(self, request: Request[Any]) -> AsyncIterator[bytes]:
        """The body as it comes, for as long as the agent sends. Raises ApiError for a status that says no."""
        async with self._asked(request, None) as response:
            if not 200 <= response.status < 300:
                raise api_error(response.status, await response.content.read(CHUNK))
            async for chunk in response.content.iter_any():
                yield chunk

    async def close(self) -> None:
        """Closes the connections. What is still asked ends with Unreachable."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def _asked(self, request: Request[Any], seconds: float | None) -> AsyncIterator[aiohttp.ClientResponse]:
        """A request that was sent and whose status has come; every failure becomes one of ours."""
        address = self.config.address
        # A unix socket's host is only a name, and without a name of its own TLS checks the address's.
        name = self.config.tls.server_name or None
        try:
            async with self._open().request(
                request.method,
                URL(self._base + target(request, self.config), encoded=True),
                data=request.body,
                headers=headers(request, self.config),
                skip_auto_headers=("Content-Type",),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=self.config.connect_timeout),
                server_hostname=name if address.scheme == "https" else None,
            ) as response:
                yield response
        except aiohttp.ConnectionTimeoutError as error:
            raise Unreachable(str(address), f"no connection within {self.config.connect_timeout:g} s") from error
        except TimeoutError as error:
            raise TimedOut(str(request), seconds or 0.0) from error
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(str(address), _why(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(str(address), f"the connection broke: {error}") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            ssl: Any = True
            if self.config.address.scheme == "https":
                from lictor.client.tls import context

                ssl = context(self.config.tls)
            connector: aiohttp.BaseConnector
            if self.config.address.unix:
                connector = aiohttp.UnixConnector(self.config.address.unix, limit=0)
            else:
                connector = aiohttp.TCPConnector(limit=0, ssl=ssl)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        return self._session


def _why(error: aiohttp.ClientConnectorError) -> str:
    """What is wrong, without the address, which asyncio repeats."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorSSLError) or not error.errno:
        return str(error.os_error)
    return os.strerror(error.errno)
