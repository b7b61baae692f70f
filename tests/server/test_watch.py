"""Waiting for cells."""

from __future__ import annotations

import asyncio

import pytest

from lictor import limits
from lictor.server.watch import Watch, wake_in_turns
from lictor.state.cells import Cell


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_watch_wakes_when_any_of_its_cells_moves() -> None:
    cells = [Cell(1), Cell(1)]
    watch = Watch(asyncio.get_running_loop())
    for cell in cells:
        task = asyncio.get_running_loop().create_task(watch.moved(cells))
        await settle()
        assert not task.done()
        for wake in list(cell.wakers):
            wake()
        await task
        assert not any(cell.wakers for cell in cells) and not watch.over


async def test_its_time_ends_it_for_good() -> None:
    watch = Watch(asyncio.get_running_loop(), 0.001)
    cell = Cell(1)
    await watch.moved([cell])
    assert watch.over and not cell.wakers
    await watch.moved([cell])


async def test_given_up_it_leaves_no_waker() -> None:
    cell = Cell(1)
    task = asyncio.get_running_loop().create_task(Watch(asyncio.get_running_loop()).moved([cell]))
    await settle()
    task.cancel()
    await settle()
    assert not cell.wakers


async def test_thousands_are_woken_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAKES_A_TURN", 10)
    woken: list[int] = []
    wake_in_turns(iter([lambda number=number: woken.append(number) for number in range(25)]))
    counts = [len(woken)]
    for _ in range(4):
        await asyncio.sleep(0)
        counts.append(len(woken))
    assert counts == [10, 20, 25, 25, 25] and woken == list(range(25))
