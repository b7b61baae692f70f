"""Start, reload and restart, with the data directory of an agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from lictor.agent.local import DefinitionFiles, LocalState
from lictor.errors import ConfigError
from lictor.types.definitions import CheckSpec, ServiceSpec
from tests.agent.local.helpers import StillClock, check, make_state, service

REDIS = service(
    id="red0", name="redis", check={"id": "red0-ttl", "name": "redis ttl", "ttl": "60s", "status": "passing"}
)
MAIL = service(
    name="mail",
    port=25,
    checks=[{"ttl": "60s", "notes": "first"}, {"id": "smtp", "name": "smtp", "args": ["true"], "interval": "1s"}],
)
HOST = check(id="host-ttl", name="host", ttl="60s", status="passing", notes="from the file")
EXTRA = check(id="mail-extra", name="extra", service_id="mail", ttl="60s")


def start(
    directory: Path,
    clock: StillClock,
    services: list[ServiceSpec] | None = None,
    checks: list[CheckSpec] | None = None,
    **settings: bool,
) -> tuple[LocalState, list[str]]:
    state = make_state(clock, files=DefinitionFiles(directory), **settings)
    return state, state.load(services or [], checks or [])


def test_the_configurations_definitions(state: LocalState) -> None:
    assert state.load([REDIS, MAIL], [HOST, EXTRA]) == []
    assert list(state.services()) == ["red0", "mail"]
    shown = {row.check_id: (row.type, row.interval, row.status, row.service_name) for row in state.checks().values()}
    assert shown == {
        "red0-ttl": ("ttl", "", "passing", "redis"),
        "service:mail:1": ("ttl", "", "critical", "mail"),
        "smtp": ("script", "", "critical", "mail"),
        "host-ttl": ("", "0s", "passing", ""),
        "mail-extra": ("", "0s", "critical", "mail"),
    }


def test_a_reload_replaces_what_came_from_the_configuration(state: LocalState) -> None:
    state.load([REDIS, MAIL], [HOST, EXTRA])
    state.register_service(service(name="api", check={"ttl": "60s"}))
    state.register_check(check(id="api-check", name="x", service_id="mail", ttl="60s"))
    state.deregister_service("red0")
    state.update_ttl("mail-extra", "passing", "fine")
    state.reload([REDIS, MAIL], [EXTRA])
    assert sorted(state.services()) == ["api", "mail", "red0"]
    assert sorted(state.checks()) == ["api-check", "mail-extra", "red0-ttl", "service:api", "service:mail:1", "smtp"]
    assert state.checks()["mail-extra"].output == "fine"
    state.reload([REDIS], [])
    assert sorted(state.checks()) == ["red0-ttl", "service:api"]


def test_what_did_not_change_is_left_alone_by_a_reload(state: LocalState) -> None:
    state.load([MAIL], [HOST, EXTRA])
    state.update_ttl("host-ttl", "warning", "hm")
    state.rows.unsynced.services.clear()
    state.rows.unsynced.checks.clear()
    entries = dict(state._scheduler._entries)
    state.reload([MAIL], [HOST, EXTRA])
    assert state._scheduler._entries == entries
    assert not state.rows.unsynced.services
    assert not state.rows.unsynced.checks


def test_sidecars_of_the_configuration(state: LocalState) -> None:
    with_sidecar = service(name="web", port=80, connect={"sidecar_service": {}})
    state.load([with_sidecar], [])
    state.reload([with_sidecar], [])
    assert sorted(state.services()) == ["web", "web-sidecar-proxy"]
    state.reload([service(name="web", port=80)], [])
    assert sorted(state.services()) == ["web"]


@pytest.mark.parametrize(
    ("services", "checks", "text"),
    [
        ([service(id="x")], [], 'Failed to register service "x": Missing service name'),
        ([], [check(name="x")], 'Failed to register check "x": Invalid check: TTL must be > 0 for TTL checks'),
        (
            [],
            [check(name="x", ttl="1s", service_id="no")],
            'Failed to register check "x": ServiceID "no" does not exist',
        ),
    ],
)
def test_a_configuration_that_cannot_be_changes_nothing(
    state: LocalState, services: list[ServiceSpec], checks: list[CheckSpec], text: str
) -> None:
    state.load([MAIL], [HOST])
    before = state.checks()
    with pytest.raises(ConfigError) as raised:
        state.reload([REDIS, *services], checks)
    assert str(raised.value) == text
    assert state.checks() == before


async def test_what_the_api_registered_survives_a_restart(tmp_path: Path, clock: StillClock) -> None:
    first, _ = start(tmp_path, clock, [REDIS])
    first.register_service(
        service(name="web", port=80, connect={"sidecar_service": {}}, check={"ttl": "60s", "status": "passing"}),
        token="secret",
        replace_checks=True,
    )
    first.register_check(check(name="disk", ttl="60s", status="passing", notes="n"), token="other")
    first.set_service_maintenance("web", True, "upgrade")
    first.register_service(service(name="gone"))
    first.deregister_service("gone")
    await first.saved()

    second, notes = start(tmp_path, clock)
    assert notes == []
    assert second.services() == {key: value for key, value in first.services().items() if key != "red0"}
    assert second.rows.services["web"].token == "secret"
    assert second.rows.checks["disk"].token == "other"
    statuses = {check_id: (row.status, row.notes) for check_id, row in second.checks().items()}
    assert statuses == {
        "service:web": ("critical", ""),
        "disk": ("critical", "n"),
        "_service_maintenance:web": ("critical", "upgrade"),
        "service:web-sidecar-proxy:1": ("critical", ""),
        "service:web-sidecar-proxy:2": ("critical", ""),
    }
    second.deregister_service("web")
    assert list(second.services()) == []


async def test_what_a_ttl_check_said_holds_for_its_ttl(tmp_path: Path, clock: StillClock) -> None:
    first, _ = start(tmp_path, clock, [], [HOST])
    first.register_check(check(name="disk", ttl="60s"))
    first.register_check(check(name="late", ttl="10s"))
    for check_id in ("disk", "late", "host-ttl"):
        first.update_ttl(check_id, "warning", "said so")
    assert first.files is not None
    await first.files.flush()
    clock.now += 30
    second, _ = start(tmp_path, clock, [], [HOST])
    found = {check_id: (row.status, row.output) for check_id, row in second.checks().items()}
    assert found == {
        "disk": ("warning", "said so"),
        "late": ("critical", ""),
        "host-ttl": ("warning", "said so"),
    }
    await second.saved()
    assert len(DefinitionFiles(tmp_path).read().states) == 2


async def test_the_configuration_wins_over_the_api(tmp_path: Path, clock: StillClock) -> None:
    first, _ = start(tmp_path, clock)
    first.register_service(service(id="red0", name="other", check={"checkid": "host-ttl", "ttl": "60s"}))
    await first.saved()
    second, notes = start(tmp_path, clock, [REDIS], [HOST])
    assert second.services()["red0"].service == "redis"
    assert notes == [
        'the configuration\'s service "red0" replaces the one registered through the API',
        'the configuration\'s check "host-ttl" replaces the one registered through the API',
    ]
    assert second.checks()["host-ttl"].service_id == ""
    await second.saved()
    third, notes = start(tmp_path, clock)
    assert (third.services(), third.checks(), notes) == ({}, {}, [])


async def test_at_a_reload_too(tmp_path: Path, clock: StillClock) -> None:
    state, _ = start(tmp_path, clock)
    state.register_service(service(id="red0", name="other"))
    assert state.reload([REDIS], []) == [
        'the configuration\'s service "red0" replaces the one registered through the API'
    ]
    await state.saved()
    again, _ = start(tmp_path, clock)
    assert again.services() == {}


async def test_checks_that_have_no_place_any_more(tmp_path: Path, clock: StillClock) -> None:
    first, _ = start(tmp_path, clock, [REDIS])
    first.register_check(check(name="lost", ttl="60s", service_id="red0"))
    first.register_check(check(name="script", args=["true"], interval="10s"))
    await first.saved()
    second, notes = start(tmp_path, clock, enable_remote_script_checks=False)
    assert second.checks() == {}
    assert sorted(notes) == [
        'the kept check "lost" is dropped: its service "red0" is gone',
        'the kept check "script" is not restored: Scripts are disabled on this agent from remote calls; to enable, '
        "configure 'enable_script_checks' to true",
    ]
    await second.saved()
    third, notes = start(tmp_path, clock)
    assert list(third.checks()) == ["script"]
    assert notes == []
