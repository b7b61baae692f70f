"""Sends requests over the standard library's HTTP, a connection each: what the command line starts fast with.

Light on purpose: nothing outside the standard library is imported, `ssl` only for HTTPS.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lictor.client.config import Config
from lictor.client.errors import TimedOut, Unreachable, Unreadable, api_error
from lictor.client.request import Request, Response, headers, target

CHUNK = 1 << 16


class _Connection(http.client.HTTPConnection):
    """A connection to the configured address, over TCP, TLS or a unix socket."""

    def __init__(self, config: Config) -> None:
        super().__init__(config.address.host, config.address.port)
        self._config = config

    def connect(self) -> None:
        config = self._config
        try:
            if config.address.unix:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.settimeout(config.connect_timeout)
                self.sock.connect(config.address.unix)
            else:
                # As bytes, since looking up a text would first import the codec for international names.
                host = config.address.host.encode("ascii" if config.address.host.isascii() else "idna")
                self.sock = socket.create_connection(
                    (host, config.address.port),  # type: ignore[arg-type]  # typeshed knows only texts
                    config.connect_timeout,
                )
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if config.address.scheme == "https":
                from lictor.client.tls import context

                name = config.tls.server_name or config.address.host
                self.sock = context(config.tls).wrap_socket(self.sock, server_hostname=name)
        except TimeoutError as error:
            why = f"no connection within {config.connect_timeout:g} s"
            raise Unreachable(str(config.address), why) from error
        except OSError as error:
            raise Unreachable(str(config.address), error.strerror or str(error)) from error


class SyncTransport:
    """Sends one request at a time from any thread; every request has its own connection."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def send(self, request: Request[Any]) -> Response:
        """The whole answer. Raises Unreachable, TimedOut, or Unreadable when it is longer than is accepted."""
        seconds = self.config.timeout + request.holds
        deadline = time.monotonic() + seconds
        with self._asked(request, seconds) as (connection, response):
            chunks: list[bytes] = []
            total = 0
            while chunk := response.read1(CHUNK):
                total += len(chunk)
                if total > self.config.max_answer_bytes:
                    raise Unreadable(f"{request}: an answer of more than {self.config.max_answer_bytes} bytes")
                chunks.append(chunk)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                if connection.sock is not None:
                    connection.sock.settimeout(left)
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            return Response(response.status, _lower(response), b"".join(chunks))

    def stream(self, request: Request[Any]) -> Iterator[bytes]:
        """The body as it comes, for as long as the agent sends. Raises ApiError for a status that says no."""
        with self._asked(request, None) as (_, response):
            if not 200 <= response.status < 300:
                raise api_error(response.status, response.read(CHUNK))
            while chunk := response.read1(CHUNK):
                yield chunk

    @contextmanager
    def _asked(
        self, request: Request[Any], seconds: float | None
    ) -> Iterator[tuple[_Connection, http.client.HTTPResponse]]:
        """A request that was sent and whose status has come; every failure becomes one of ours."""
        connection = _Connection(self.config)
        fields = headers(request, self.config)
        try:
            connection.connect()
            connection.sock.settimeout(seconds)
            connection.request(request.method, target(request, self.config), request.body, fields)
            yield connection, connection.getresponse()
        except TimeoutError as error:
            raise TimedOut(str(request), seconds or 0.0) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(str(self.config.address), f"the connection broke: {error}") from error
        finally:
            connection.close()


def _lower(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
