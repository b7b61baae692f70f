from __future__ import annotations

import asyncio
import json

import pytest

from lictor.client import Client, SyncClient, Terms
from lictor.client.errors import LockError
from lictor.client.locks import LOCK_FLAG
from lictor.client.semaphores import SEMAPHORE_FLAG, Contention
from lictor.client.shapes import Pair
from tests.client.fake_agent import FakeAgent

KEY = "jobs/.lock"


async def test_a_lock_is_taken_and_given_back(agent: FakeAgent, client: Client) -> None:
    async with client.lock(KEY, Terms(name="mine")) as lock:
        assert agent.keys[KEY]["Session"] == lock.session
        assert agent.keys[KEY]["Flags"] == LOCK_FLAG == 3304740253564472344
        assert agent.sessions[lock.session] == {"Name": "mine", "TTL": "15000ms"}
        assert not lock.lost.is_set()
    assert "Session" not in agent.keys[KEY]
    assert agent.sessions == {}
    assert await lock.destroy()
    assert agent.keys == {}
    assert await lock.destroy()


async def test_a_second_one_waits_for_the_first(agent: FakeAgent, client: Client) -> None:
    first, second = client.lock(KEY), client.lock(KEY)
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await first.release()
    await asyncio.wait_for(waiting, 5)
    assert not await first.destroy()
    await second.release()


async def test_a_lock_that_others_hold_too_long(agent: FakeAgent, client: Client) -> None:
    agent.change(KEY, b"", Flags=LOCK_FLAG, Session="somebody")
    lock = client.lock(KEY)
    with pytest.raises(LockError, match=r"within 0\.2 s"):
        await lock.acquire(0.2)
    assert agent.sessions == {}
    with pytest.raises(LockError, match="not held"):
        await lock.release()


async def test_a_lock_delay_is_waited_out(agent: FakeAgent, client: Client) -> None:
    agent.delayed.add(KEY)
    lock = client.lock(KEY, Terms(retry=0.05))
    waiting = asyncio.create_task(lock.acquire())
    await asyncio.sleep(0.15)
    agent.delayed.clear()
    await asyncio.wait_for(waiting, 5)
    await lock.release()


async def test_a_key_that_is_no_lock(agent: FakeAgent, client: Client) -> None:
    agent.change(KEY, b"data")
    with pytest.raises(LockError, match="is not a lock"):
        await client.lock(KEY).acquire()
    assert agent.sessions == {}


async def test_a_lost_lock_says_so(agent: FakeAgent, client: Client) -> None:
    lock = client.lock(KEY)
    await lock.acquire()
    await asyncio.to_thread(agent.end_session, lock.session)
    await asyncio.wait_for(lock.lost.wait(), 5)


async def test_a_session_that_cannot_be_renewed_is_a_lost_lock(agent: FakeAgent, client: Client) -> None:
    lock = client.lock(KEY, Terms(ttl=0.2))
    await lock.acquire()
    agent.answer(f"PUT /v1/session/renew/{lock.session}", b"", 404)
    await asyncio.wait_for(lock.lost.wait(), 5)


async def test_failures_are_ridden_out(agent: FakeAgent, client: Client) -> None:
    lock = client.lock(KEY, Terms(monitor_retries=2, monitor_retry=0.05, wait=0.05))
    await lock.acquire()
    agent.answer(f"GET /v1/kv/{KEY}", b"No cluster leader", 500)
    await asyncio.sleep(0.08)
    agent.answers.clear()
    await asyncio.sleep(0.2)
    assert not lock.lost.is_set()
    agent.answer(f"GET /v1/kv/{KEY}", b"No cluster leader", 500)
    await asyncio.wait_for(lock.lost.wait(), 5)


async def test_a_lock_is_acquired_once(agent: FakeAgent, client: Client) -> None:
    async with client.lock(KEY) as lock:
        with pytest.raises(LockError, match="already held"):
            await lock.acquire()
        with pytest.raises(LockError, match="release it first"):
            await lock.destroy()


async def test_a_semaphore_has_so_many_holders(agent: FakeAgent, client: Client) -> None:
    first, second, third = (client.semaphore("pool", 2) for _ in range(3))
    await first.acquire()
    await second.acquire()
    assert json.loads(agent.keys["pool/.lock"]["Value"] and _value(agent, "pool/.lock")) == {
        "Limit": 2,
        "Holders": {first.session: True, second.session: True},
    }
    assert agent.keys[f"pool/{first.session}"]["Flags"] == SEMAPHORE_FLAG == 16210313421097356768
    assert agent.sessions[first.session]["Behavior"] == "delete"
    with pytest.raises(LockError, match="others hold it"):
        await third.acquire(0.2)
    waiting = asyncio.create_task(third.acquire())
    await asyncio.sleep(0.05)
    assert not await client.semaphore("pool", 2).destroy()
    await first.release()
    await asyncio.wait_for(waiting, 5)
    await second.release()
    await third.release()
    assert await third.destroy()
    assert agent.keys == {}


def _value(agent: FakeAgent, key: str) -> bytes:
    from base64 import b64decode

    return b64decode(agent.keys[key]["Value"])


async def test_a_holder_whose_session_ended_gives_way(agent: FakeAgent, client: Client) -> None:
    first, second = client.semaphore("pool", 1), client.semaphore("pool", 1)
    await first.acquire()
    await asyncio.to_thread(agent.end_session, first.session)
    await asyncio.wait_for(first.lost.wait(), 5)
    await asyncio.wait_for(second.acquire(), 5)
    await second.release()


async def test_limits_must_agree(agent: FakeAgent, client: Client) -> None:
    async with client.semaphore("pool", 2):
        with pytest.raises(LockError, match="has the limit 2, not 3"):
            await client.semaphore("pool", 3).acquire()
    with pytest.raises(LockError, match="at least 1"):
        client.semaphore("pool", 0)


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"Limit": "x", "Holders": {}}'])
def test_a_key_that_is_no_semaphore(value: bytes) -> None:
    with pytest.raises(LockError, match="does not hold a semaphore"):
        Contention.of([Pair("p/.lock", value, SEMAPHORE_FLAG)], "p", 1)
    with pytest.raises(LockError, match="is not a semaphore"):
        Contention.of([Pair("p/.lock", value, 0)], "p", 1)


def test_locks_without_an_event_loop(agent: FakeAgent, sync: SyncClient) -> None:
    with sync.lock(KEY) as lock:
        assert agent.keys[KEY]["Session"] == lock.session
        assert not lock.lost
        other = sync.lock(KEY)
        with pytest.raises(LockError):
            other.acquire(0.1)
        other.close()
    semaphore = sync.semaphore("pool", 3)
    semaphore.acquire()
    semaphore.release()
    assert semaphore.destroy()
    semaphore.close()
