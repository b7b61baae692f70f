from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lictor.agent.local import LocalState, Syncer
from lictor.agent.local.sync import scale
from lictor.errors import NotFound, PermissionDenied, Refused, Unavailable
from lictor.runtime.clock import Entropy
from lictor.types.catalog import Check, Service
from tests.agent.local.helpers import NODE, Catalog, StillClock, check, service

SHORT = 5.0


@asynccontextmanager
async def syncing(state: LocalState, catalog: Catalog, clock: StillClock) -> AsyncIterator[Syncer]:
    syncer = Syncer(state, catalog, clock, Entropy(1))
    task = asyncio.create_task(syncer.run())
    try:
        yield syncer
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()


async def test_at_first_everything_is_compared(state: LocalState, clock: StillClock, catalog: Catalog) -> None:
    catalog.services = {"stray": Service(id="stray", service="stray"), "consul": Service(id="consul", service="consul")}
    catalog.checks = {"serfHealth": Check(check_id="serfHealth"), "old": Check(check_id="old")}
    state.register_service(service(Name="web", Check={"TTL": "60s"}))
    async with syncing(state, catalog, clock) as syncer:
        assert await syncer.flush(SHORT) is True
    assert catalog.calls == [
        "read",
        "register node",
        "register web service:web",
        "deregister service stray",
        "deregister check old",
    ]
    assert catalog.node == NODE
    assert sorted(catalog.services) == ["consul", "web"]
    assert sorted(catalog.checks) == ["serfHealth", "service:web"]
    assert not state.rows.unsynced


async def test_a_change_is_told_at_once_and_alone(state: LocalState, clock: StillClock, catalog: Catalog) -> None:
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)
        catalog.calls.clear()
        state.register_service(service(Name="web"), token="secret")
        assert await syncer.flush(SHORT) is True
        state.register_check(check(ID="disk", Name="disk", TTL="60s"))
        await settle()
        state.update_ttl("disk", "passing", "")
        await settle()
        state.deregister_service("web")
        state.deregister_check("disk")
        assert await syncer.flush(SHORT) is True
        assert await syncer.flush(SHORT) is True
    assert catalog.calls == [
        "register web as secret",
        "register disk",
        "register disk",
        "deregister service web as secret",
        "deregister check disk",
    ]


async def test_an_output_that_was_held_back_is_told_in_time(
    state: LocalState, clock: StillClock, catalog: Catalog
) -> None:
    state.register_check(check(ID="a", Name="a", TTL="9999s", Status="passing"))
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)
        state.update_ttl("a", "passing", "fine")
        await settle()
        assert await syncer.flush(SHORT) is True
        syncer.trigger_full()
        await settle()
        assert catalog.checks["a"].output == ""
        clock.now += 450
        syncer._woken.set()
        await settle()
    assert catalog.checks["a"].output == "fine"
    assert not state.rows.held


async def test_what_others_changed_is_repaired_by_the_next_full_sync(
    state: LocalState, clock: StillClock, catalog: Catalog
) -> None:
    state.register_service(service(Name="web", Port=80))
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)
        catalog.services["web"] = Service(id="web", service="web", port=81)
        catalog.node = None
        clock.now += 59
        assert syncer._until_next() > 0
        clock.now += 61
        assert syncer._until_next() == 0
        syncer._woken.set()
        await settle()
    assert catalog.services["web"].port == 80
    assert catalog.node == NODE


async def test_full_syncs_become_rarer_in_large_clusters(
    state: LocalState, clock: StillClock, catalog: Catalog
) -> None:
    catalog.size = 1000
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)
        assert 240 <= syncer._until_next() <= 480
    assert [scale(nodes) for nodes in (1, 128, 129, 256, 257, 1000, 8192)] == [1, 1, 2, 2, 3, 4, 7]


async def test_tags_that_the_catalog_overrides_are_taken_over(
    state: LocalState, clock: StillClock, catalog: Catalog
) -> None:
    state.register_service(service(Name="web", Tags=["ours"], EnableTagOverride=True))
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)
        catalog.services["web"] = Service(id="web", service="web", tags=["theirs"], enable_tag_override=True, meta={})
        catalog.calls.clear()
        syncer.trigger_full()
        await settle()
    assert state.services()["web"].tags == ["theirs"]
    assert catalog.calls == ["read"]


async def test_after_a_failure_it_is_tried_again_later_and_rarer(
    state: LocalState, clock: StillClock, catalog: Catalog
) -> None:
    catalog.errors["read"] = Unavailable("no servers")
    waits = []
    async with syncing(state, catalog, clock) as syncer:
        await settle()
        for _ in range(8):
            wait = syncer._until_next()
            waits.append(wait)
            clock.now += wait
            syncer._woken.set()
            await settle()
        catalog.errors.clear()
        assert len(catalog.calls) == 9
        state.register_service(service(Name="web"))
        await settle()
        assert "web" not in catalog.services
        clock.now += syncer._until_next()
        syncer._woken.set()
        await settle()
    assert "web" in catalog.services
    assert 1 <= waits[0] <= 2
    assert all(15 <= wait <= 30 for wait in waits[4:])


async def test_one_row_that_is_refused_does_not_keep_the_others(
    state: LocalState, clock: StillClock, catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    catalog.errors["bad"] = Refused("cannot be")
    for name in ("a", "bad", "z"):
        state.register_service(service(Name=name))
    async with syncing(state, catalog, clock) as syncer:
        assert await syncer.flush(SHORT) is False
        assert sorted(catalog.services) == ["a", "z"]
        assert state.rows.unsynced.services == {"bad"}
        assert 'registering service "bad" failed: cannot be' in caplog.text
        catalog.errors.clear()
        assert await syncer.flush(SHORT) is True
    assert sorted(catalog.services) == ["a", "bad", "z"]


async def test_what_was_to_go_and_could_not_stays_to_be_told(
    state: LocalState, clock: StillClock, catalog: Catalog
) -> None:
    state.register_service(service(Name="web", Check={"TTL": "60s"}))
    state.register_check(check(Name="disk", TTL="60s"))
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)
        catalog.errors["deregister"] = RuntimeError("odd")  # type: ignore[assignment]
        state.deregister_service("web")
        state.deregister_check("disk")
        assert await syncer.flush(SHORT) is False
        catalog.errors["deregister"] = NotFound("not there")
        assert await syncer.flush(SHORT) is True
    assert not state.rows.unsynced


async def test_what_acls_forbid_waits_for_the_next_full_sync(
    state: LocalState, clock: StillClock, catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    catalog.errors["web"] = PermissionDenied("no")
    state.register_service(service(Name="web"))
    async with syncing(state, catalog, clock) as syncer:
        assert await syncer.flush(SHORT) is True
        assert "blocked by ACLs" in caplog.text
        catalog.errors.clear()
        assert await syncer.flush(SHORT) is True
        assert "web" not in catalog.services
        syncer.trigger_full()
        await settle()
    assert "web" in catalog.services


async def test_a_change_while_it_is_told_is_told_again(state: LocalState, clock: StillClock, catalog: Catalog) -> None:
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)
        catalog.gate = asyncio.Event()
        state.register_service(service(Name="web", Port=1))
        first = asyncio.create_task(syncer.flush(SHORT))
        await settle()
        state.register_service(service(Name="web", Port=2))
        second = asyncio.create_task(syncer.flush(SHORT))
        await settle()
        assert not first.done()
        catalog.gate.set()
        assert await second is True
    assert catalog.services["web"].port == 2


async def test_a_flush_waits_only_so_long_and_the_rest_goes_on(
    state: LocalState, clock: StillClock, catalog: Catalog
) -> None:
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)
        catalog.gate = asyncio.Event()
        state.register_service(service(Name="web"))
        assert await syncer.flush(0.01) is False
        catalog.gate.set()
        await settle()
    assert "web" in catalog.services


async def test_many_registrations_share_the_way(state: LocalState, clock: StillClock, catalog: Catalog) -> None:
    async with syncing(state, catalog, clock) as syncer:
        await syncer.flush(SHORT)

        async def register(number: int) -> bool:
            state.register_service(service(Name=f"web-{number}"))
            return await syncer.flush(SHORT)

        assert all(await asyncio.gather(*(register(number) for number in range(500))))
    assert len(catalog.services) == 500


async def test_stopping_in_the_middle_forgets_nothing(state: LocalState, clock: StillClock, catalog: Catalog) -> None:
    catalog.gate = asyncio.Event()
    state.register_service(service(Name="web", Check={"TTL": "60s"}))
    async with syncing(state, catalog, clock) as syncer:
        waiting = asyncio.create_task(syncer.flush(SHORT))
        await settle()
    assert await waiting is False
    catalog.gate = None
    async with syncing(state, catalog, clock) as syncer:
        assert await syncer.flush(SHORT) is True
    assert sorted(catalog.checks) == ["service:web"]
    assert not state.rows.unsynced
