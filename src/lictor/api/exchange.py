"""One request on a connection while it arrives: its body within bounds, and whether the client is still there.

The connection feeds it; a handler takes the body whole or piece by piece. It never reads ahead of what somebody asked
for beyond a bound, and an answer may come before the body's end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from lictor import limits
from lictor.api import heads
from lictor.api.http import Headers, Request
from lictor.errors import BadRequest, TooLarge

LEFT = "the client left before its request was complete"


class Carrier(Protocol):
    """What an exchange needs of its connection."""

    remote: str

    def write(self, data: bytes) -> None:
        """Writes bytes as they are."""

    def hold(self, held: bool) -> None:
        """Takes nothing more from the client, or goes on taking."""


class Exchange(Request):
    """A request and its body as it arrives. `old`: of HTTP/1.0; `expects`: its client sends the body when told to."""

    __slots__ = (
        "_carrier",
        "_chunks",
        "_fault",
        "_holds",
        "_limit",
        "_on_left",
        "_piecewise",
        "_waiting",
        "answered",
        "complete",
        "expects",
        "keep_alive",
        "left",
        "old",
        "queued",
        "size",
    )

    def __init__(
        self,
        carrier: Carrier,
        method: str,
        path: str,
        query_string: str,
        headers: Headers,
    ) -> None:
        super().__init__(method, path, query_string, headers, carrier.remote)
        self.keep_alive = True
        self.old = self.expects = False
        self.complete = False
        """True once the whole request has arrived."""
        self.queued = False
        self.answered = False
        self.size = 0
        """Bytes of the body that have arrived."""
        self._carrier = carrier
        self._chunks: list[bytes] = []
        self._limit: int | None = None
        self._holds = self._piecewise = self.left = False
        self._fault = ""
        self._waiting: asyncio.Future[None] | None = None
        self._on_left: list[Callable[[], None]] | None = None

    # the connection's side

    def feed(self, chunk: bytes) -> None:
        """A piece of the body. What is over the limit, and all that comes after the answer, is thrown away."""
        self.size += len(chunk)
        if self.answered:
            return
        self._chunks.append(chunk)
        limit = self._limit
        if limit is None:
            if self.size > limits.BODY_UNASKED_BYTES:
                self._hold(True)
        elif self.size > limit:
            self._chunks.clear()
            self._wake()
        elif self._piecewise:
            self._hold(True)  # until these are taken
            self._wake()

    def finish(self) -> None:
        """The body is complete."""
        self.complete = True
        if self._holds:
            self._hold(False)
        self._wake()

    def fail(self, fault: str) -> None:
        """The rest of the request will never come, or cannot be read."""
        self._fault = fault
        self._wake()

    def lost(self) -> None:
        """The client has left: whoever works on the answer is told."""
        if self.left:
            return
        self.left = True
        if not self.complete:
            self.fail(LEFT)
        for callback in self._on_left or ():
            callback()

    @property
    def over(self) -> bool:
        """True when nothing more of it will come."""
        return self.complete or bool(self._fault)

    def end(self) -> bytes:
        """Decides, as the answer begins, whether the connection outlives it, and returns the ending of its head.

        It does when the request is complete or so little of it is still to come that it can be read off.
        """
        if self.keep_alive and not self.complete:
            length = self.headers.get("content-length", "")
            rest = int(length) - self.size if length else -1
            self.keep_alive = 0 <= rest <= limits.BODY_UNASKED_BYTES and not self.expects and not self._fault
        self.answered = True
        self._chunks.clear()
        if not self.keep_alive:
            return heads.CLOSE
        return heads.KEEP_OLD if self.old else heads.KEEP

    # the handler's side

    async def body(self, limit: int) -> bytes:
        """See Request. One that says by itself that it is too large is refused before it is taken."""
        self._limit = limit
        declared = self.headers.get("content-length", "") if not self.complete else ""
        if declared and int(declared) > limit:
            raise _too_large(int(declared), limit)
        while not self.complete and self.size <= limit:
            await self._arrival()
        if self.size > limit:
            raise _too_large(self.size, limit)
        if len(self._chunks) > 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0] if self._chunks else b""

    async def pieces(self, limit: int) -> AsyncIterator[bytes]:
        """See Request. The client is held back while nobody takes what it has sent."""
        self._limit, self._piecewise = limit, True
        while self.size <= limit and (self._chunks or not self.complete):
            if self._chunks:
                piece = b"".join(self._chunks)
                self._chunks.clear()
                yield piece
            else:
                await self._arrival()
        if self.size > limit:
            raise _too_large(self.size, limit)

    def when_gone(self, callback: Callable[[], None]) -> None:
        """See Request. Called at once when the client has left already."""
        if self.left:
            callback()
        elif self._on_left is None:
            self._on_left = [callback]
        else:
            self._on_left.append(callback)

    async def _arrival(self) -> None:
        """Waits for more of the body. Raises BadRequest when there will be no more."""
        if self._fault:
            raise BadRequest(self._fault)
        if self.expects:
            self.expects = False
            if not self.size:
                self._carrier.write(heads.CONTINUE)
        self._waiting = asyncio.get_running_loop().create_future()
        self._hold(False)
        await self._waiting

    def _hold(self, held: bool) -> None:
        self._holds = held
        self._carrier.hold(held)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _too_large(size: int, limit: int) -> TooLarge:
    return TooLarge(f"Request body({size} bytes) too large, max size: {limit} bytes.")
