"""From the bytes that a client sends to its requests. httptools parses; this module bounds what it may take.

What a client sends ahead is parsed only once there is room for its requests. At the first thing that cannot be
understood parsing ends for good, with a refusal that is said after the answers to all that came before it. No I/O.
"""

from __future__ import annotations

from collections import deque
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import httptools

from lictor import limits
from lictor.api.exchange import Carrier, Exchange
from lictor.api.http import Headers
from lictor.errors import BadRequest

_ASCII = bytes(range(128))
_TELLING = (b"expect", b"connection", b"transfer-encoding")


class RequestParser:
    """Parses for one connection, the carrier. `header_bytes` is what the headers of a request may have together."""

    def __init__(self, carrier: Carrier, header_bytes: int) -> None:
        self.requests: deque[Exchange] = deque()
        """Those that may begin: whole ones, and ones that a handler has to wait for or ask for the rest."""
        self.reading: Exchange | None = None
        """The one whose body is arriving."""
        self.inside = False
        """True between the first and the last byte of a request."""
        self.backlog = b""
        """What has come and is not parsed yet."""
        self.begun = 0
        """Requests that have begun since this was last set to 0."""
        self.refusal: tuple[int, str] | None = None
        """The status and text for what cannot be understood."""
        self._carrier = carrier
        self._header_bytes = header_bytes
        self._unchecked = min(header_bytes, limits.URL_BYTES)
        self._parser: Any = httptools.HttpRequestParser(self)
        self._url = b""
        self._lines: list[tuple[bytes, bytes]] = []
        self._framing = b""
        self._part = self._taken = 0
        self._problem: tuple[int, str] | None = None

    def take(self, data: bytes) -> None:
        """Parses what has come."""
        self.backlog += data
        self.parse()

    def parse(self) -> None:
        """Parses the backlog until it is used up, enough requests wait, or it turns out to be malformed."""
        data, at = self.backlog, 0
        while at < len(data) and len(self.requests) < limits.PIPELINED_REQUESTS and self.refusal is None:
            part = data[at : at + limits.PARSE_BYTES]
            self._part = len(part)
            self._taken += self._part
            try:
                self._parser.feed_data(part)
                at += len(part)
            except httptools.HttpParserUpgrade as upgrade:  # nothing else is spoken here: the request counts as it is
                at += upgrade.args[0]
                self._go_on_with_body()
            except httptools.HttpParserError as error:
                self._refuse(*(self._problem or (400, f"malformed request: {error}")))
            if self.inside and self.refusal is None:
                self._check_size()
        self.backlog = data[at:] if self.refusal is None else b""

    @property
    def alone(self) -> bool:
        """True when what came since `begun` was set to 0 is one whole request, no more and no less."""
        return self.begun == 1 and not self.inside and not self.backlog and self.refusal is None

    def close(self) -> None:
        """Lets go of everything."""
        self.requests.clear()
        self.backlog, self.reading = b"", None
        self._parser = None

    def _check_size(self) -> None:
        """Refuses what the callbacks cannot see growing: one endless header, chunk extension or trailer."""
        most = self._header_bytes + limits.URL_BYTES
        if self.reading is None:
            if self._taken > most:
                self._refuse(431, f"the headers are larger than {self._header_bytes} bytes")
        elif self._taken > most + 2 * self.reading.size + limits.CHUNK_OVERHEAD_BYTES:
            self._refuse(400, "malformed request: chunks, their extensions or trailers outweigh the body")

    def _refuse(self, status: int, text: str) -> None:
        self.refusal = status, text
        reading, self.reading = self.reading, None
        if reading is not None:
            reading.fail(text)

    def _give_up(self, status: int, text: str) -> BadRequest:
        """Refuses from within httptools, whose own words for it would not help. To be raised."""
        self._problem = status, text
        return BadRequest(text)

    def _go_on_with_body(self) -> None:
        """Has the body parsed of a request that wishes for another protocol: it would pass for requests otherwise."""
        framing, self._framing = self._framing, b""
        if framing:
            self._parser = httptools.HttpRequestParser(self)
            self._parser.feed_data(b"PUT / HTTP/1.1\r\n" + framing + b"\r\n\r\n")

    # httptools' callbacks; while a request is being read, a beginning is that of `_go_on_with_body`

    def on_message_begin(self) -> None:
        if self.reading is not None:
            return
        self._url, self._lines = b"", []
        self._taken = self._part
        self.inside = True
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.reading is None:  # else it is a trailer, which may not change what the request was taken for
            self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        if self.reading is not None:
            return
        if self._taken > self._unchecked:
            self._check_head()
        path, query = self._target()
        keep_alive = self._parser.should_keep_alive()
        plain = keep_alive  # HTTP/1.1 without a header that changes how it is read or answered
        for name, _ in self._lines:
            size = len(name)
            if (size == 6 or size == 10 or size == 17) and name.lower() in _TELLING:
                plain = False
        method = self._parser.get_method().decode("latin-1")
        if method == "CONNECT":  # after it, httptools would take everything for another protocol's
            raise self._give_up(405, "method CONNECT not allowed")
        exchange = Exchange(self._carrier, method, path, query, Headers(self._lines))
        if not plain:
            self._look_closer(exchange, keep_alive)
        self.reading = exchange

    def _check_head(self) -> None:
        """Refuses a head over one of its limits."""
        if len(self._url) > limits.URL_BYTES:
            raise self._give_up(414, f"the URL is longer than {limits.URL_BYTES} bytes")
        size = sum(len(name) + len(value) + 4 for name, value in self._lines)
        if size > self._header_bytes:
            raise self._give_up(431, f"the headers are larger than {self._header_bytes} bytes")

    def _look_closer(self, exchange: Exchange, keep_alive: bool) -> None:
        """Takes up the version and the headers that change how a request is read or answered."""
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise self._give_up(505, f"HTTP/{version} is not spoken here")
        exchange.keep_alive, exchange.old = keep_alive, version == "1.0"
        coding = [value.strip().lower() for name, value in self._lines if name.lower() == b"transfer-encoding"]
        if coding and exchange.old:
            raise self._give_up(400, "malformed request: HTTP/1.0 knows no chunks")
        if coding not in ([], [b"chunked"]):
            raise self._give_up(501, "no transfer encoding but chunked is understood")
        if self._parser.should_upgrade():
            length = exchange.headers.get("content-length", "0")
            self._framing = b"Transfer-Encoding: chunked" if coding else f"Content-Length: {length}".encode()
        if not exchange.old and exchange.headers.get("expect", "").strip().lower() == "100-continue":
            exchange.expects = True
            self._let_begin(exchange)

    def _target(self) -> tuple[str, str]:
        """The path, decoded, and the query, as it is."""
        url = self._url
        if not url.startswith(b"/") and url != b"*":
            _, scheme, rest = url.partition(b"://")
            if not scheme:
                raise self._give_up(400, "malformed request: the target is neither a path nor a URL")
            url = b"/" + rest.partition(b"/")[2]
        raw, _, query = url.partition(b"?")
        try:
            return (unquote_to_bytes(raw) if b"%" in raw else raw).decode(), query.decode()
        except UnicodeDecodeError:
            raise self._give_up(400, "malformed request: the URL is not valid UTF-8") from None

    def on_body(self, body: bytes) -> None:
        reading = self.reading
        if reading is not None:
            reading.feed(body)
            if reading.size > limits.BODY_UNASKED_BYTES:
                self._let_begin(reading)

    def on_message_complete(self) -> None:
        if self._framing:
            return
        self.inside = False
        reading, self.reading = self.reading, None
        if reading is not None:
            reading.finish()
            self._let_begin(reading)

    def _let_begin(self, exchange: Exchange) -> None:
        """Lets a request begin, if it has not: when it is whole, or when that is what it takes to get the rest."""
        if not exchange.queued:
            exchange.queued = True
            self.requests.append(exchange)


def with_plain_url(data: bytes) -> bytes:
    """The beginning of a request with its target percent-encoded, which some clients forget."""
    line, end, rest = data.partition(b"\r\n")
    return quote_from_bytes(line, safe=_ASCII).encode() + end + rest
