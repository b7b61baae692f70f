"""Waiting for cells: a watch wakes when one of them moves, when its time is up, or when it is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice

from lictor import limits
from lictor.state import State
from lictor.state.cells import Cell, Waker


class Watch:
    """One who waits. It may wait several times; once `over`, it never waits again."""

    __slots__ = ("_future", "_loop", "_timer", "over")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float | None = None) -> None:
        self._loop = loop
        self._future: asyncio.Future[None] | None = None
        self._timer = None if seconds is None else loop.call_later(seconds, self.end)
        self.over = False

    async def moved(self, cells: Iterable[Cell]) -> None:
        """Returns when one of the cells moves or the watch is over."""
        if self.over:
            return
        self._future = self._loop.create_future()
        wake = self.wake
        waited = tuple(cells)
        for cell in waited:
            cell.wakers.add(wake)
        try:
            await self._future
        finally:
            for cell in waited:
                cell.wakers.discard(wake)

    def end(self, _: object = None) -> None:
        """Ends the watch, whoever waits."""
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        self.wake()

    def wake(self) -> None:
        """Wakes who waits."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


def wake_in_turns(wakers: Iterator[Waker]) -> None:
    """Wakes some now and the others after the event loop had its turn, so that thousands do not hold everyone up."""
    turn = list(islice(wakers, limits.WAKES_A_TURN))
    for wake in turn:
        wake()
    if len(turn) == limits.WAKES_A_TURN:
        asyncio.get_running_loop().call_soon(wake_in_turns, wakers)


async def reached(state: State, revision: int) -> None:
    """Waits until a state has applied a revision."""
    if state.revision >= revision:
        return
    watch = Watch(asyncio.get_running_loop())
    while state.revision < revision:
        await watch.moved((state.cells.get(("revision",)),))
