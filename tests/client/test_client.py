from __future__ import annotations

import asyncio
import threading

import pytest

import lictor.client
from lictor.client import Client, Config, SyncClient, plan
from lictor.client.errors import Forbidden, TimedOut
from tests.client.fake_agent import FakeAgent


def test_what_is_exported_is_there() -> None:
    for name in lictor.client.__all__:
        assert getattr(lictor.client, name) is not None
    with pytest.raises(AttributeError):
        lictor.client.nothing  # noqa: B018


async def test_calls_are_awaited(agent: FakeAgent, client: Client) -> None:
    assert await client.kv.put("a", "1")
    assert not await client.kv.put("a", "2", cas=1)
    pair = (await client.kv.get("a")).value
    assert pair is not None and pair.value == b"1"
    assert (await client.kv.keys("")).value == ["a"]
    session = await client.session.create({"TTL": "15s"})
    assert await client.session.renew(session) == {"ID": session}
    await client.session.destroy(session)
    assert await client.session.renew(session) is None


def test_calls_are_waited_for(agent: FakeAgent, sync: SyncClient) -> None:
    agent.answer("PUT /v1/event/fire/deploy", {"ID": "x", "Name": "deploy"})
    assert sync.event.fire("deploy", "payload", node="n")["ID"] == "x"
    assert agent.asked[-1].target == "/v1/event/fire/deploy?node=n"
    assert agent.asked[-1].body == b"payload"


async def test_a_watch_sees_changes_of_its_key_only(agent: FakeAgent, client: Client) -> None:
    agent.change("a", b"1")
    seen = []
    async for answer in client.watch(plan.kv.get("a")):
        seen.append(answer.value and answer.value.value)
        if len(seen) == 1:
            await asyncio.to_thread(agent.change, "other", b"")
            await asyncio.to_thread(agent.change, "a", b"2")
        elif len(seen) == 2:
            await asyncio.to_thread(agent.change, "a", None)
        else:
            break
    assert seen == [b"1", b"2", None]


async def test_a_watch_ends_at_its_deadline(agent: FakeAgent, client: Client) -> None:
    with pytest.raises(TimedOut):
        async for _ in client.watch(plan.kv.get("a"), deadline=0.2):
            pass


async def test_a_watch_rides_out_failures(agent: FakeAgent, client: Client) -> None:
    agent.answer("GET /v1/kv/a", b"No cluster leader", 500)
    agent.change("a", b"1")

    async def mend() -> None:
        while not agent.asked:
            await asyncio.sleep(0.01)
        agent.answers.clear()

    mending = asyncio.create_task(mend())
    async for answer in client.watch(plan.kv.get("a"), deadline=5):
        assert answer.value is not None
        break
    await mending


async def test_a_watch_gives_up_without_the_right(agent: FakeAgent, client: Client) -> None:
    agent.answer("GET /v1/kv/a", b"Permission denied", 403)
    with pytest.raises(Forbidden):
        async for _ in client.watch(plan.kv.get("a")):
            pass


def test_a_sync_watch(agent: FakeAgent, sync: SyncClient) -> None:
    agent.change("a", b"1")
    seen = []
    for answer in sync.watch(plan.kv.get("a"), deadline=10):
        seen.append(answer.value and answer.value.value)
        if len(seen) == 2:
            break
        threading.Timer(0.05, agent.change, ("a", b"2")).start()
    assert seen == [b"1", b"2"]


def test_a_sync_watch_ends_at_its_deadline(agent: FakeAgent, sync: SyncClient) -> None:
    failures = []
    agent.answer("GET /v1/kv/a", b"No cluster leader", 500)
    with pytest.raises(TimedOut):
        for _ in sync.watch(plan.kv.get("a"), deadline=0.3, on_failure=failures.append):
            pass
    assert failures
    agent.answers.clear()
    with pytest.raises(TimedOut):
        for _ in sync.watch(plan.kv.get("a"), deadline=0.3):
            pass


async def test_many_watches_share_a_client(agent: FakeAgent, config: Config) -> None:
    async with Client(config) as client:

        async def first_change() -> bytes:
            async for answer in client.watch(plan.kv.get("a")):
                if answer.value is not None:
                    return answer.value.value
            return b""

        watches = [asyncio.create_task(first_change()) for _ in range(50)]
        while len(agent.asked) < 100:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(agent.change, "a", b"x")
        assert await asyncio.gather(*watches) == [b"x"] * 50
