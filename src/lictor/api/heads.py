"""The heads of responses as bytes: what is the same for many is made once, and the date once a second.

A response is `start`, `Dates.line`, `length` (or `CHUNKED`), one of the endings, and its body. This module knows no
requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from email.utils import formatdate
from http import HTTPStatus

from lictor import limits
from lictor.runtime.clock import Clock

KEEP = b"\r\n"
"""Ends the head of an answer after which the connection stays open."""
KEEP_OLD = b"Connection: keep-alive\r\n\r\n"
"""The same for a client that speaks HTTP/1.0 and has asked for it."""
CLOSE = b"Connection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REASONS = {status.value: status.phrase for status in HTTPStatus}
Header = tuple[str, str]


class Dates:
    """The `Date` header of now, renewed when the second turns. `now` is the event loop's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._line = b""
        self.until = float("-inf")

    def line(self, now: float) -> bytes:
        """The header's line; it holds until the loop's time is `until`."""
        if now >= self.until:
            date = self._clock.time()
            self._line = f"Date: {formatdate(date, usegmt=True)}\r\n".encode()
            self.until = now + 1.0 - date % 1.0
        return self._line


class Heads:
    """Beginnings of responses, with the headers that every answer has. Those with few headers of their own are kept."""

    def __init__(self, common: Sequence[Header] = ()) -> None:
        self._common = tuple(common)
        self._kept: dict[tuple[object, ...], bytes] = {}

    def start(self, status: int, headers: Sequence[Header], complete: bool = False) -> bytes:
        """The status line and all headers but the date, the length and `Connection`; `complete`: add no common ones."""
        if len(headers) > 1:
            return _start(status, headers if complete else (*headers, *self._common))
        key = (status, complete, *headers)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= limits.HEADS_KEPT:
                self._kept.clear()
            found = self._kept[key] = _start(status, headers if complete else (*headers, *self._common))
        return found


def length(body: bytes) -> bytes:
    """The line that says how long a body is."""
    return b"Content-Length: %d\r\n" % len(body)


def _start(status: int, headers: Iterable[Header]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}", *(f"{n}: {v}" for n, v in headers)]
    # What came from outside (a check's output, a configured header) must not begin a line of its own.
    clean = (line if line.isprintable() else "".join(c if c.isprintable() else " " for c in line) for line in lines)
    return "\r\n".join((*clean, "")).encode("latin-1", "replace")
