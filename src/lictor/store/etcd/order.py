"""Which writes may be under way together. Pure bookkeeping.

Writes that name different keys go at once, as many as there are slots; one that names a key of another waits for it,
and those that came later wait behind it. So writes of one caller to the same keys happen in the order of the calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Set
from contextlib import suppress

ALONE = None
"""Instead of keys: nothing else may be under way."""


class Order:
    """Lets at most `most` writes be under way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._busy: set[bytes] = set()
        self._under_way = 0
        self._alone = False
        self._waiting: deque[tuple[Set[bytes] | None, asyncio.Future[None]]] = deque()

    async def enter(self, keys: Set[bytes] | None) -> None:
        """Waits for its turn. Each `enter` that returned is followed by one `leave` with the same keys."""
        if not self._waiting and self._may_start(keys):
            return self._start(keys)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(keys)
            else:
                with suppress(ValueError):  # passed over already
                    self._waiting.remove((keys, turn))
                self._next()
            raise

    def leave(self, keys: Set[bytes] | None) -> None:
        """The write is done, or its fate is known at last."""
        self._under_way -= 1
        self._alone = False
        if keys:
            self._busy -= keys
        self._next()

    def _next(self) -> None:
        while self._waiting and self._may_start(self._waiting[0][0]):
            keys, turn = self._waiting.popleft()
            if not turn.done():
                self._start(keys)
                turn.set_result(None)

    def _may_start(self, keys: Set[bytes] | None) -> bool:
        if keys is ALONE:
            return not self._under_way
        return not self._alone and self._under_way < self._most and self._busy.isdisjoint(keys)

    def _start(self, keys: Set[bytes] | None) -> None:
        self._under_way += 1
        self._alone = keys is ALONE
        if keys:
            self._busy |= keys
