from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from lictor.cli.snapshot import readable
from lictor.store import Entry, archive
from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


@pytest.fixture
def saved() -> bytes:
    """An archive of two keys."""
    state = b"".join(archive.frame(Entry(f"kv/{name}".encode(), b"value", 3, 7)) for name in "ab")
    meta = archive.Meta(version=1, id="2-7-99", index=7, term=2, size=len(state), format=archive.FORMAT)
    return b"".join(archive.pack(meta, io.BytesIO(state)))


def test_save(lictor: Lictor, agent: FakeAgent, saved: bytes, tmp_path: Path) -> None:
    agent.answer("GET /v1/snapshot", saved)
    done = lictor("snapshot save -stale backup.snap")
    assert (done.code, done.out) == (0, "Saved and verified snapshot to index 7\n")
    assert agent.asked[-1].target == "/v1/snapshot?stale="
    assert (tmp_path / "backup.snap").read_bytes() == saved
    assert (tmp_path / "backup.snap").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_saved(lictor: Lictor, agent: FakeAgent, saved: bytes, tmp_path: Path) -> None:
    (tmp_path / "backup.snap").write_bytes(b"the old one")
    agent.answer("GET /v1/snapshot", saved[:-20])
    assert "Error reading snapshot" in lictor("snapshot save backup.snap").err
    agent.answer("GET /v1/snapshot", b"Permission denied", 403)
    assert "Permission denied" in lictor("snapshot save backup.snap").err
    assert (tmp_path / "backup.snap").read_bytes() == b"the old one"
    assert [file.name for file in tmp_path.iterdir()] == ["backup.snap"]
    assert "Error writing none/x" in lictor("snapshot save none/x").err
    assert lictor("snapshot save").code == 1
    assert lictor("snapshot save a b").code == 1


def test_restore(lictor: Lictor, agent: FakeAgent, tmp_path: Path) -> None:
    agent.answer("PUT /v1/snapshot", b"")
    (tmp_path / "backup.snap").write_bytes(b"archive")
    assert lictor("snapshot restore backup.snap") == (0, "Restored snapshot\n", "")
    assert agent.asked[-1].body == b"archive"
    assert "Failed to read file none" in lictor("snapshot restore none").err


def test_inspect(lictor: Lictor, saved: bytes, tmp_path: Path) -> None:
    (tmp_path / "backup.snap").write_bytes(saved)
    assert lictor("snapshot inspect backup.snap").lines == [
        "ID 2-7-99",
        "Size 42",
        "Index 7",
        "Term 2",
        "Version 1",
        "",
        "Type Count Size",
        "---- ---- ----",
        "kv 2 42B",
        "---- ---- ----",
        "Total 42B",
    ]
    assert json.loads(lictor("snapshot inspect -format=json backup.snap").out)["Index"] == 7
    (tmp_path / "backup.snap").write_bytes(b"this is not a snapshot")
    assert lictor("snapshot inspect backup.snap").code == 1
    assert lictor("snapshot inspect none").code == 1


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (1023, "1023B"), (5120, "5KB"), (12595, "12.3KB"), (3 << 40, "3TB"), (1 << 60, "1048576TB")],
)
def test_sizes(size: int, text: str) -> None:
    assert readable(size) == text
