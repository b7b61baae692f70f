"""Time of leases, held still by a clock of the test's own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lictor.errors import StoreClosed, StoreError
from lictor.store.base import Put, Store, Txn
from lictor.store.leases import Leases
from tests.store.backends import Backend, content_of

TTL = 0.02


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


class Ends:
    """Notes which leases end, after failing as often as told."""

    def __init__(self, *failures: StoreError) -> None:
        self.failures = list(failures)
        self.ended: list[int] = []
        self.seen = asyncio.Event()

    async def __call__(self, lease: int) -> None:
        self.seen.set()
        if self.failures:
            raise self.failures.pop(0)
        self.ended.append(lease)


async def real_time() -> None:
    """Lets every timer of TTL fire a few times."""
    await asyncio.sleep(5 * TTL)


async def test_a_lease_ends_when_the_clock_says_so() -> None:
    clock, ends = Clock(), Ends()
    leases = Leases(clock, ends)
    leases.start(1, TTL)
    await real_time()
    assert ends.ended == []
    clock.now += TTL
    assert not leases.keep_alive(1)
    await real_time()
    assert ends.ended == [1]
    leases.close()


async def test_keeping_alive_gives_the_full_time_again() -> None:
    clock, ends = Clock(), Ends()
    leases = Leases(clock, ends)
    leases.start(1, TTL)
    leases.start(2, TTL)
    for _ in range(3):
        clock.now += TTL * 0.75
        assert leases.keep_alive(1)
        await real_time()
    assert ends.ended == [2]
    leases.close()


async def test_a_dropped_lease_does_not_end_again() -> None:
    clock, ends = Clock(), Ends()
    leases = Leases(clock, ends)
    leases.start(1, TTL)
    leases.drop(1)
    leases.drop(1)
    clock.now += TTL
    assert not leases.keep_alive(1)
    await real_time()
    assert ends.ended == []


async def test_an_end_that_could_not_be_written_is_tried_again() -> None:
    clock, ends = Clock(), Ends(StoreError("the disk is full"))
    leases = Leases(clock, ends)
    leases.start(1, TTL)
    clock.now += TTL
    async with asyncio.timeout(20):
        while not ends.ended:
            await asyncio.sleep(TTL)
    assert ends.ended == [1]


async def test_nothing_ends_once_the_store_is_closed() -> None:
    clock, ends = Clock(), Ends(StoreClosed("closed"))
    leases = Leases(clock, ends)
    leases.start(1, TTL)
    clock.now += TTL
    await asyncio.wait_for(ends.seen.wait(), 20)
    leases.start(2, TTL)
    clock.now += TTL
    leases.close()
    await real_time()
    assert ends.ended == []


async def test_a_lease_has_its_full_time_again_after_a_restart(backend: Backend, tmp_path: Path) -> None:
    if not backend.durable:
        pytest.skip("keeps nothing")
    clock = Clock()
    store: Store = backend.create(tmp_path, clock)
    await store.open()
    lease = await store.grant(TTL)
    await store.commit(Txn((), (Put(b"a", b"", lease), Put(b"b", b""))))
    clock.now += TTL * 0.75
    await store.close()

    store = backend.create(tmp_path, clock)
    await store.open()
    clock.now += TTL * 0.75
    await real_time()
    assert sorted(await content_of(store)) == [b"a", b"b"]
    clock.now += TTL
    async with asyncio.timeout(20):
        while len((await store.load(lambda revision, events: None))[1]) != 1:
            await asyncio.sleep(TTL)
    assert not await store.keep_alive(lease)
    await store.close()
