"""How long each lease has left, in the monotonic time of this process. What hangs on a lease is the table's matter.

A timer is armed once and looks at the deadline when it fires, so that keeping a lease alive costs one assignment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lictor.errors import StoreClosed, StoreError
from lictor.runtime.clock import Clock

RETRY_SECONDS = 1.0
"""After this time an end that the store could not write, its disk being full, is tried again."""


class _Running:
    __slots__ = ("deadline", "timer", "ttl")

    def __init__(self, ttl: float, deadline: float, timer: asyncio.TimerHandle) -> None:
        self.ttl = ttl
        self.deadline = deadline
        self.timer = timer


class Leases:
    """The leases that live, each with a deadline. `end` writes a lease's end; it is called when a deadline passes."""

    def __init__(self, clock: Clock, end: Callable[[int], Awaitable[object]]) -> None:
        self._clock = clock
        self._end = end
        self._running: dict[int, _Running] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def start(self, lease: int, ttl: float) -> None:
        """Gives a new lease its full time, in seconds."""
        timer = asyncio.get_running_loop().call_later(ttl, self._look, lease)
        self._running[lease] = _Running(ttl, self._clock.monotonic() + ttl, timer)

    def keep_alive(self, lease: int) -> bool:
        """Starts the time again; False when there is no such lease or its time is over."""
        running = self._running.get(lease)
        now = self._clock.monotonic()
        if running is None or running.deadline <= now:
            return False
        running.deadline = now + running.ttl
        return True

    def drop(self, lease: int) -> None:
        """Forgets a lease that ended."""
        running = self._running.pop(lease, None)
        if running is not None:
            running.timer.cancel()

    def close(self) -> None:
        """Lets no lease end any more."""
        for lease in list(self._running):
            self.drop(lease)
        for task in self._ending:
            task.cancel()

    def _look(self, lease: int) -> None:
        running = self._running[lease]
        left = running.deadline - self._clock.monotonic()
        loop = asyncio.get_running_loop()
        if left > 0:
            running.timer = loop.call_later(left, self._look, lease)
            return
        del self._running[lease]
        task = loop.create_task(self._expire(lease))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _expire(self, lease: int) -> None:
        while True:
            try:
                await self._end(lease)
                return
            except StoreClosed:
                return
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)
