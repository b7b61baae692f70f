from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from lictor import limits
from lictor.agent.local.files import DefinitionFiles, KeptCheck, KeptService, KeptState
from lictor.errors import Unavailable
from lictor.types.catalog import Check, Service
from tests.agent.local.helpers import check


def web(port: int = 80, **fields: str) -> KeptService:
    return KeptService(service=Service(id="web", service="web", port=port), **fields)


def ttl() -> KeptCheck:
    return KeptCheck(check=Check(check_id="ttl", name="ttl"), spec=check(Name="ttl", TTL="90s", H2PingUseTLS=False))


async def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    files = DefinitionFiles(tmp_path)
    state = KeptState(check_id="ttl", status="passing", output="fine", expires=12.5)
    maintenance = KeptCheck(check=Check(check_id="_node_maintenance"), token="secret")
    files.keep_service(web(token="secret", sidecar_of="parent"))
    files.keep_check(ttl())
    files.keep_check(maintenance)
    files.keep_state(state)
    await files.flush()
    kept = DefinitionFiles(tmp_path).read()
    assert kept.services == [web(token="secret", sidecar_of="parent")]
    assert sorted(kept.checks, key=lambda row: row.check.check_id) == [maintenance, ttl()]
    assert kept.states == {"ttl": state}
    assert kept.problems == []


async def test_what_is_dropped_is_gone(tmp_path: Path) -> None:
    files = DefinitionFiles(tmp_path)
    files.drop_service("never there")
    await files.saved()
    files.keep_service(web())
    files.keep_check(ttl())
    files.keep_state(KeptState(check_id="ttl"))
    await files.flush()
    files.drop_service("web")
    files.drop_check("ttl")
    await files.saved()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_the_last_word_counts(tmp_path: Path) -> None:
    files = DefinitionFiles(tmp_path)
    for port in (1, 2, 3):
        files.keep_service(web(port))
    await files.saved()
    files.drop_service("web")
    files.keep_service(web(4))
    await files.saved()
    assert files.read().services == [web(4)]


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    files = DefinitionFiles(tmp_path)
    files.keep_service(web(token="secret"))
    await files.saved()
    (file,) = (tmp_path / "services").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "services").stat().st_mode & 0o777 == 0o700


async def test_saved_waits_for_definitions_but_not_for_what_checks_say(tmp_path: Path) -> None:
    files = DefinitionFiles(tmp_path)
    files.keep_state(KeptState(check_id="ttl"))
    await files.saved()
    assert not (tmp_path / "checks").exists()
    files.keep_service(web())
    await asyncio.gather(*(files.saved() for _ in range(20)))
    assert len(files.read().states) == 1


async def test_a_write_that_begins_during_another_is_waited_for(tmp_path: Path) -> None:
    files = DefinitionFiles(tmp_path)
    files.keep_service(web())
    first = asyncio.create_task(files.saved())
    await asyncio.sleep(0)
    files.keep_check(ttl())
    await files.saved()
    assert len(files.read().checks) == 1
    await first


async def test_a_disk_that_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "services").write_text("in the way")
    files = DefinitionFiles(tmp_path)
    files.keep_service(web())
    with pytest.raises(Unavailable, match="could not be kept in the data directory"):
        await files.saved()
    (tmp_path / "services").unlink()
    await files.saved()
    assert files.read().services == [web()]


async def test_what_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    files = DefinitionFiles(tmp_path)
    files.keep_service(web())
    files.keep_check(ttl())
    await files.saved()
    services = tmp_path / "services"
    (good,) = services.iterdir()
    broken = {
        "empty": b"",
        "torn": good.read_bytes()[:-3],
        "other": b'{"Unknown": 1}',
        "list": b"[]",
        "bytes": b"\xff\xfe",
        "misnamed": good.read_bytes(),
        "long": b" " * (limits.DEFINITION_BYTES + 1),
        "deep": b"[" * 100_000,
    }
    for name, data in broken.items():
        (services / f"{name}.json").write_bytes(data)
    (services / "directory.json").mkdir()
    kept = files.read()
    assert kept.services == [web()]
    assert len(kept.checks) == 1
    assert len(kept.problems) == len(broken) + 1
    assert all(line.startswith("cannot read ") and ".broken" in line for line in kept.problems)
    assert {path.name for path in services.iterdir()} == {
        good.name,
        "directory.broken",
        *(f"{name}.broken" for name in broken),
    }
    assert files.read().problems == []


async def test_a_crash_in_the_middle_leaves_the_old_or_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = DefinitionFiles(tmp_path)
    files.keep_service(web(1))
    await files.saved()

    def crash(descriptor: int) -> None:
        raise OSError("the machine is gone")

    monkeypatch.setattr(os, "fsync", crash)
    files.keep_service(web(2))
    with pytest.raises(Unavailable):
        await files.saved()
    assert DefinitionFiles(tmp_path).read().services == [web(1)]
