"""Members of etcd that are killed and stopped, under commits: nothing that was acknowledged is lost or done twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from lictor.errors import StoreError
from lictor.store.base import Compare, Put, Txn
from lictor.store.etcd.member import EtcdMember
from lictor.store.etcd.member_config import MemberConfig
from lictor.store.etcd.store import EtcdStore
from tests.store.backends import Follower, content_of
from tests.store.etcd_process import HAVE_ETCD, members

pytestmark = pytest.mark.skipif(not HAVE_ETCD, reason="etcd is not installed")


@asynccontextmanager
async def running(configs: list[MemberConfig]) -> AsyncIterator[list[EtcdMember]]:
    """The members of a cluster, formed."""
    started = [EtcdMember(config) for config in configs]
    try:
        for member in started:
            await member.start()
        await asyncio.gather(*(member.ready(20) for member in started))
        yield started
    finally:
        for member in started:
            if member.pid is not None:
                os.kill(member.pid, signal.SIGKILL)
        await asyncio.gather(*(member.stop() for member in started))


class Counters:
    """Writers that each step one key of their own by compare-and-set, and remember what was acknowledged."""

    def __init__(self, store: EtcdStore, count: int) -> None:
        self._store = store
        self.acknowledged = [(-1, 0)] * count
        self._stop = False
        self._tasks = [asyncio.ensure_future(self._step(number)) for number in range(count)]

    async def _step(self, number: int) -> None:
        while not self._stop:
            value, modified = self.acknowledged[number]
            txn = Txn((Compare(b"%d" % number, modified),), (Put(b"%d" % number, b"%d" % (value + 1)),))
            # A conflict would be wrong: nobody else writes here.
            revision = await self._store.commit(txn)
            self.acknowledged[number] = value + 1, revision

    def total(self) -> int:
        return sum(value for value, _ in self.acknowledged)

    async def progress(self, steps: int = 20) -> None:
        """Waits until there were so many more steps."""
        goal = self.total() + steps
        async with asyncio.timeout(30):
            while self.total() < goal:
                await asyncio.sleep(0.01)
                for task in self._tasks:
                    if task.done():
                        await task

    async def end(self) -> None:
        self._stop = True
        await asyncio.gather(*self._tasks)


async def check(counters: Counters, store: EtcdStore, followers: list[Follower]) -> None:
    """Everything that was acknowledged is there, once, and every listener has heard of all of it in order."""
    found = await content_of(store)
    for number, (value, revision) in enumerate(counters.acknowledged):
        entry = found[b"%d" % number]
        assert (entry.value, entry.modified) == (b"%d" % value, revision)
    await store.barrier()
    for follower in followers:
        for number, (value, _) in enumerate(counters.acknowledged):
            heard = [event.value for _, events in follower.history for event in events if event.key == b"%d" % number]
            assert heard == [b"%d" % step for step in range(value + 1)]


async def test_one_member_killed_again_and_again(tmp_path: Path) -> None:
    configs = members(tmp_path, 1)
    async with running(configs) as (member,), AsyncExitStack() as stack:
        store = EtcdStore(msgspec.structs.replace(configs[0].store_config(), wait_seconds=30), "s1")
        stack.push_async_callback(store.close)
        await store.open()
        follower = await Follower().follow(store)
        counters = Counters(store, 8)
        for _ in range(3):
            await counters.progress()
            assert member.pid is not None
            os.kill(member.pid, signal.SIGKILL)
        await counters.progress()
        await counters.end()
        await check(counters, store, [follower])


async def test_three_members_of_which_one_is_killed_or_stands_still(tmp_path: Path) -> None:
    configs = members(tmp_path, 3)
    async with running(configs) as started, AsyncExitStack() as stack:
        stores = [EtcdStore(config.store_config(), config.name) for config in configs]
        followers = []
        for store in stores:
            stack.push_async_callback(store.close)
            await store.open()
            followers.append(await Follower().follow(store))
        counters = Counters(stores[0], 8)
        await counters.progress()

        async def hurt(number: int, how: signal.Signals) -> None:
            """Hurts a member, whose server goes on through another one."""
            pid = started[number].pid
            assert pid is not None
            os.kill(pid, how)
            await counters.progress()
            async with asyncio.timeout(5):
                assert await stores[number].barrier()
            await counters.progress()
            if how is signal.SIGSTOP:
                os.kill(pid, signal.SIGCONT)
            await started[number].ready(20)

        for number, how in ((0, signal.SIGKILL), (1, signal.SIGSTOP), (2, signal.SIGKILL), (0, signal.SIGSTOP)):
            await hurt(number, how)
        await counters.end()
        for store in stores:
            await store.barrier()
        await check(counters, stores[0], followers)


async def test_without_a_majority_nothing_is_acknowledged(tmp_path: Path) -> None:
    configs = members(tmp_path, 3)
    async with running(configs) as started, AsyncExitStack() as stack:
        store = EtcdStore(msgspec.structs.replace(configs[0].store_config(), wait_seconds=2), "s1")
        stack.push_async_callback(store.close)
        await store.open()
        await store.commit(Txn((), (Put(b"a", b"1"),)))
        await asyncio.gather(*(member.stop() for member in started[1:]))
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: store.commit(Txn((), (Put(b"a", b"2"),))),
            store.barrier,
        ]
        for call in calls:
            with pytest.raises(StoreError, match="does not answer"):
                await call()
        for member in started[1:]:
            await member.start()
        await asyncio.gather(*(member.ready(20) for member in started))
        revision = await store.commit(Txn((), (Put(b"b", b""),)))
        assert await store.barrier() >= revision  # what was not known to be written may have been written after that
