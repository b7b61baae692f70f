from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lictor.agent.local import DefinitionFiles, LocalState, upkeep
from tests.agent.local.helpers import StillClock, check, make_state, service


async def test_services_that_are_overdue_go(state: LocalState, clock: StillClock) -> None:
    state.register_service(service(Name="web", Check={"TTL": "1s", "DeregisterCriticalServiceAfter": "60s"}))
    state.update_ttl("service:web", "critical", "")
    task = asyncio.create_task(upkeep(state, 30.0, 0.001))
    await asyncio.sleep(0.01)
    clock.now += 61
    while state.services():
        await asyncio.sleep(0.001)
    task.cancel()


async def test_what_ttl_checks_said_is_kept_in_time_and_at_the_end(tmp_path: Path, clock: StillClock) -> None:
    state = make_state(clock, files=DefinitionFiles(tmp_path))
    state.register_check(check(ID="a", Name="a", TTL="60s"))
    task = asyncio.create_task(upkeep(state, 30.0, 0.001))
    state.update_ttl("a", "passing", "one")
    while not (tmp_path / "checks" / "state").exists():
        await asyncio.sleep(0.001)
    state.update_ttl("a", "passing", "two")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert DefinitionFiles(tmp_path).read().states["a"].output == "two"


async def test_a_full_disk_is_logged_and_waited_out(
    tmp_path: Path, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "checks").write_text("in the way")
    state = make_state(clock, files=DefinitionFiles(tmp_path))
    state.register_check(check(ID="a", Name="a", TTL="60s"))
    task = asyncio.create_task(upkeep(state, 30.0, 0.001))
    while "could not be kept" not in caplog.text:
        await asyncio.sleep(0.001)
    (tmp_path / "checks").unlink()
    while not (tmp_path / "checks").is_dir():
        await asyncio.sleep(0.001)
    task.cancel()
