"""The file that a snapshot is, without a server: what goes in comes out, and what it says of itself."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor import limits
from lictor.errors import StoreError
from lictor.store import archive
from lictor.store.base import Entry

ENTRIES = [Entry(b"kv/a", b"1" * 700, 2, 3), Entry(b"kv/b", b"", 4, 4, 9), Entry(b"node/n", b"\x00\xff", 5, 5)]


def packed(entries: list[Entry], **meta: object) -> bytes:
    state = b"".join(map(archive.frame, entries))
    fields = {"version": 1, "id": "an-id", "index": 5, "term": 1, "size": len(state), "format": archive.FORMAT}
    return b"".join(archive.pack(archive.Meta(**{**fields, **meta}), io.BytesIO(state)))  # type: ignore[arg-type]


def unpacked(data: bytes) -> tuple[archive.Meta, list[Entry]]:
    state = io.BytesIO()
    meta = archive.unpack(io.BytesIO(data), state)
    state.seek(0)
    return meta, list(archive.entries(state))


def test_there_and_back() -> None:
    meta, entries = unpacked(packed(ENTRIES))
    assert entries == ENTRIES and (meta.index, meta.id) == (5, "an-id")
    assert unpacked(packed([]))[1] == []


def test_it_is_what_tar_and_sha256sum_know(tmp_path: Path) -> None:
    path = tmp_path / "backup.snap"
    path.write_bytes(packed(ENTRIES))
    with tarfile.open(path, "r:gz") as tar:
        assert tar.getnames() == ["meta.json", "state.bin", "SHA256SUMS"]
        tar.extractall(tmp_path, filter="data")
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)


def test_inspect(tmp_path: Path) -> None:
    path = tmp_path / "backup.snap"
    path.write_bytes(packed(ENTRIES))
    found = archive.inspect(str(path))
    assert {key: found[key] for key in ("ID", "Index", "Term", "Version")} == {
        "ID": "an-id",
        "Index": 5,
        "Term": 1,
        "Version": 1,
    }
    assert [(kind["Name"], kind["Count"]) for kind in found["Types"]] == [("kv", 2), ("node", 1)]
    assert sum(kind["Size"] for kind in found["Types"]) == found["Size"]


def test_the_order_of_the_members_does_not_matter() -> None:
    data = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(packed(ENTRIES)), mode="r:gz") as old,
        tarfile.open(fileobj=data, mode="w:gz") as new,
    ):
        for info in reversed(old.getmembers()):
            new.addfile(info, old.extractfile(info))
    assert unpacked(data.getvalue())[1] == ENTRIES


def tar_of(*members: tuple[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "gzip: invalid header"),
        (tar_of(), 'file missing for "meta.json"'),
        (tar_of(("evil", b"")), 'unexpected file "evil" in snapshot'),
        (tar_of(("../state.bin", b"")), 'unexpected file "../state.bin" in snapshot'),
        (tar_of(("meta.json", b"{}"), ("meta.json", b"{}")), 'file "meta.json" is there twice'),
        (tar_of(("meta.json", b" " * 70_000)), 'file "meta.json" is too large'),
        (tar_of(("meta.json", b"{}"), ("state.bin", b""), ("SHA256SUMS", b"")), "list missing hash"),
        (packed([], format="other"), "it was not saved by lictor"),
    ],
    # Named, since archives hold the time of day, and every worker must collect the same tests.
    ids=["empty", "no files", "a stranger", "outside", "twice", "too large", "no sums", "another's"],
)
def test_refused(data: bytes, reason: str) -> None:
    with pytest.raises(StoreError) as raised:
        unpacked(data)
    assert reason in str(raised.value)


def test_links_are_refused() -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        info = tarfile.TarInfo("state.bin")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(StoreError, match="unexpected file"):
        unpacked(data.getvalue())


def test_what_unpacks_to_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_STATE_BYTES", 4096 - limits.MIB)
    with pytest.raises(StoreError, match="more than a snapshot may hold"):
        unpacked(packed([Entry(b"k", b"\0" * 100_000, 1, 1)]))


@pytest.mark.parametrize("state", [b"\0", b"\0\0\0\1", b"\0\0\0\3abc", b"\xff\xff\xff\xff"])
def test_malformed_entries(state: bytes) -> None:
    with pytest.raises(StoreError, match="an entry is malformed"):
        list(archive.entries(io.BytesIO(state)))


@given(st.binary(max_size=60), st.integers(0, 400))
def test_damage_is_noticed(noise: bytes, position: int) -> None:
    good = packed(ENTRIES)
    damaged = good[:position] + noise + good[position + len(noise) :]
    try:
        meta, entries = unpacked(damaged)
    except StoreError:
        return
    assert (meta.index, entries) == (5, ENTRIES)  # what does not matter, such as the time in gzip's header
