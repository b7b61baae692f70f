"""Ready answers: an encoded read with the cells that it stands on, and the forms in which it goes out."""

from __future__ import annotations

import asyncio
import gzip

from lictor import limits
from lictor.api import heads
from lictor.api.heads import Dates, Header, Heads
from lictor.api.router import Reply
from lictor.state import unmoved

GZIP_FROM = 1024
"""Shorter bodies are not worth compressing."""

GZIP = ("Content-Encoding", "gzip")

ReadyKey = tuple[str, str, str]
"""Whose eyes it is for, path, query string."""


class Ready:
    """An encoded answer. A `plain` one may be sent to whoever asks the same, without a look."""

    __slots__ = (
        "_own_index",
        "_packed",
        "_packing",
        "body",
        "cells",
        "headers",
        "hot",
        "index",
        "key",
        "once",
        "packets",
        "plain",
        "stamp",
        "status",
        "weight",
    )

    def __init__(self, key: ReadyKey, reply: Reply, body: bytes, headers: list[Header]) -> None:
        self.key = key
        self.cells = reply.cells
        self.stamp = tuple((cell, cell.index) for cell in reply.cells)
        self._own_index = reply.index is not None
        self.index = reply.index or max((cell.index for cell in reply.cells), default=1) or 1
        self.once = reply.once
        self.status = reply.status
        self.body = body
        self.headers = headers
        self.plain = True
        self._packed: bytes | None = None
        self._packing: asyncio.Future[bytes] | None = None
        self.packets: dict[tuple[bool, bytes], Packet] = {}
        self.hot: set[bytes] = set()
        """The requests that get this answer by their very bytes."""
        self.weight = len(body) + sum(map(len, key))
        """About how many bytes of memory it holds."""

    def fresh(self) -> bool:
        """True while nothing that it stands on has moved."""
        return unmoved(self.stamp)

    def newer(self, index: int) -> bool:
        """True when it is news to who has the answer of that index."""
        return self.index != index if self._own_index else self.index > index

    def same(self, other: Ready) -> bool:
        """True when it says what the other says."""
        return self.status == other.status and self.body == other.body

    def add_packet(self, packed: bool, ending: bytes) -> Packet:
        """Makes the form that is compressed or not and whose head ends so."""
        body, headers = self.body, self.headers
        if packed:
            if self._packed is None:
                self._packed = compressed(body)
            self.weight += len(self._packed)
            body, headers = self._packed, [*headers, GZIP]
        start = Heads().start(self.status, headers, complete=True) + heads.length(body)
        packet = self.packets[packed, ending] = Packet(self, start, ending, body)
        self.weight += len(start) + len(body)
        return packet

    async def pack_aside(self) -> None:
        """Compresses a long body in a thread, once for all who wait for it."""
        if self._packed is None:
            if self._packing is None:
                self._packing = asyncio.get_running_loop().run_in_executor(None, compressed, self.body)
            packed = await asyncio.shield(self._packing)
            if self._packed is None:
                self._packed = packed

    @property
    def packed(self) -> bool:
        """True when it is compressed, or would be at once."""
        return self._packed is not None or len(self.body) < limits.PACK_INLINE_BYTES


class Packet:
    """One form of a ready answer, whole, with the date of the moment in it."""

    __slots__ = ("_body", "_ending", "_start", "ready", "until", "wire")

    def __init__(self, ready: Ready, start: bytes, ending: bytes, body: bytes) -> None:
        self.ready = ready
        self._start, self._ending, self._body = start, ending, body
        self.wire = b""
        self.until = float("-inf")
        """When, on the loop's clock, the date in it is no longer true."""

    @property
    def head(self) -> bytes:
        """The same without the body."""
        return self.wire[: len(self.wire) - len(self._body)]

    def renew(self, dates: Dates, now: float) -> bytes:
        """The bytes with the date of now."""
        self.wire = b"".join((self._start, dates.line(now), self._ending, self._body))
        self.until = dates.until
        return self.wire


def compressed(body: bytes) -> bytes:
    """A body for `Content-Encoding: gzip`."""
    return gzip.compress(body, compresslevel=1, mtime=0)


def accepts_gzip(accepted: str) -> bool:
    """What a client's Accept-Encoding says of gzip."""
    for part in accepted.lower().split(","):
        name, _, parameters = part.partition(";")
        if name.strip() == "gzip":
            quality = parameters.replace(" ", "").removeprefix("q=")
            return not quality or quality.strip("0.") != ""
    return False
