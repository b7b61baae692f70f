"""What only the SQLite store promises: one writer, groups, durability, and clear words when the disk fails."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lictor import limits
from lictor.errors import StoreClosed, StoreConflict, StoreError
from lictor.store import sqlite_table
from lictor.store.base import Compare, Delete, Put, Txn
from lictor.store.sqlite import SQLiteStore
from lictor.store.sqlite_file import SCHEMA_VERSION, connect
from lictor.store.sqlite_table import SQLiteTable
from lictor.store.sqlite_writer import Done
from tests.store.backends import Follower, content_of


def put(key: bytes, value: bytes = b"") -> Txn:
    return Txn((), (Put(key, value),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(path)
    await store.open()
    yield store
    await store.close()


class Gate:
    """Stops the writer at its next commit until told; counts the commits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commits = 0
        self.entered = threading.Event()
        self.open = threading.Event()
        commit = SQLiteTable.commit

        def wait_and_commit(table: SQLiteTable) -> None:
            self.commits += 1
            self.entered.set()
            assert self.open.wait(30)
            commit(table)

        monkeypatch.setattr(SQLiteTable, "commit", wait_and_commit)

    async def until_entered(self) -> None:
        await asyncio.to_thread(self.entered.wait, 30)


async def test_what_arrives_during_a_write_is_written_together(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[int] = []

    def report(group: list[Done]) -> None:
        reports.append(len(group))
        store._report(group)

    monkeypatch.setattr(store._writer, "_report", report)
    gate = Gate(monkeypatch)
    first = asyncio.ensure_future(store.commit(put(b"first")))
    await gate.until_entered()
    others: list[asyncio.Future[int]] = []
    for number in range(50):
        others.append(asyncio.ensure_future(store.commit(put(b"%d" % number))))
        await asyncio.sleep(0)
    wrong = asyncio.ensure_future(store.commit(Txn((Compare(b"7", 0),), (Put(b"wrong", b""),))))
    await asyncio.sleep(0)
    assert not first.done()
    gate.open.set()
    base = await first
    assert await asyncio.gather(*others) == list(range(base + 1, base + 51))
    with pytest.raises(StoreConflict):
        await wrong
    assert gate.commits == 2
    assert reports == [1, 51]


async def test_a_group_is_bounded(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_GROUP", 8)
    gate = Gate(monkeypatch)
    gate.open.set()
    await asyncio.gather(*(store.commit(put(b"%d" % number)) for number in range(32)))
    assert gate.commits == 4


async def test_nothing_is_acknowledged_or_told_before_it_is_written(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = await Follower().follow(store)
    before = await store.barrier()
    gate = Gate(monkeypatch)
    commit = asyncio.ensure_future(store.commit(put(b"a")))
    await gate.until_entered()
    await asyncio.sleep(0.05)
    assert not commit.done()
    assert follower.history == []
    assert await store.barrier() == before
    gate.open.set()
    assert await commit == follower.revision == await store.barrier()


async def test_small_pieces_make_the_same_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements of few rows and a short memory for revisions take all paths that a large store takes."""
    monkeypatch.setattr(sqlite_table, "_ROWS", 4)
    monkeypatch.setattr(sqlite_table, "_KNOWN_KEYS", 4)
    monkeypatch.setattr(limits, "STORE_LOG_PAGES", 20)
    store = SQLiteStore(path)
    await store.open()
    follower = await Follower().follow(store)
    keys = [b"%03d" % number for number in range(64)]
    for turn in range(20):
        value = b"%d" % turn * (turn * 400)
        compares = tuple(Compare(key, follower.content[key][2] if key in follower.content else 0) for key in keys)
        changes = tuple(Delete(key) if number % 7 == turn % 7 else Put(key, value) for number, key in enumerate(keys))
        await asyncio.gather(store.commit(Txn(compares, changes)), *(store.commit(put(key)) for key in keys[:9]))
    await store.commit(Txn((), (Delete(b"010", b"020"),)))
    found = await content_of(store)
    assert {key: (entry.value, entry.created, entry.modified) for key, entry in found.items()} == follower.content
    await store.close()


async def test_the_log_starts_again_instead_of_growing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_LOG_PAGES", 50)
    store = SQLiteStore(path)
    await store.open()
    for turn in range(400):
        await store.commit(put(b"%d" % (turn % 10), bytes(8192)))
    log = path.with_name(path.name + "-wal")
    assert 0 < log.stat().st_size < 400 * 8192 / 2
    await store.close()
    assert not log.exists()


async def test_commits_reach_the_disk_itself(store: SQLiteStore, path: Path) -> None:
    connection = connect(path)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_only_the_owner_may_read_the_files(store: SQLiteStore, path: Path) -> None:
    await store.commit(put(b"secret"))
    files = list(path.parent.iterdir())
    assert len(files) == 4
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_a_second_process_is_kept_out(store: SQLiteStore, path: Path) -> None:
    script = (
        "import asyncio, pathlib, sys\nfrom lictor.store.sqlite import SQLiteStore\n"
        "asyncio.run(SQLiteStore(pathlib.Path(sys.argv[1])).open())"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(path), stderr=asyncio.subprocess.PIPE
    )
    _, output = await child.communicate()
    assert child.returncode == 1
    assert b"is another agent using this data directory?" in output


async def test_the_same_process_is_kept_out_until_the_store_is_closed(store: SQLiteStore, path: Path) -> None:
    with pytest.raises(StoreError, match="is another agent using this data directory"):
        await SQLiteStore(path).open()
    await store.commit(put(b"a"))
    await store.close()
    again = SQLiteStore(path)
    await again.open()
    assert list(await content_of(again)) == [b"a"]
    await again.close()


async def refused(path: Path) -> str:
    """Why the store does not open; it must let go of the file, so that it can be opened later."""
    store = SQLiteStore(path)
    with pytest.raises(StoreError) as error:
        await store.open()
    with pytest.raises(StoreClosed):
        await store.barrier()
    await store.close()
    return str(error.value)


async def test_a_newer_schema_is_refused(path: Path) -> None:
    store = SQLiteStore(path)
    await store.open()
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    assert "written by a newer version" in await refused(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.close()
    again = SQLiteStore(path)
    await again.open()
    await again.close()


async def test_what_is_not_ours_is_refused(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    assert "another program" in await refused(path)
    path.write_bytes(b"This is not a database at all. " * 1000)
    assert "not a database" in await refused(path)


async def test_a_damaged_file_is_refused(path: Path) -> None:
    store = SQLiteStore(path)
    await store.open()
    for number in range(200):
        await store.commit(put(b"%03d" % number, bytes(1000)))
    await store.close()
    content = bytearray(path.read_bytes())
    for page in range(8, 24):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    assert "move it away" in await refused(path)


async def test_a_file_without_its_tables_is_refused(path: Path) -> None:
    store = SQLiteStore(path)
    await store.open()
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE entries")
    connection.commit()
    connection.close()
    assert "no such table" in await refused(path)


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert str(tmp_path / "file") in await refused(tmp_path / "file" / "store.db")


async def test_a_full_disk_refuses_writes_until_there_is_room(store: SQLiteStore) -> None:
    await store.commit(put(b"a", b"before"))
    follower = await Follower().follow(store)
    lease = await store.grant(3600)
    before = await store.barrier()
    assert store._writer is not None
    connection: sqlite3.Connection = store._writer._table._db
    (limit,) = connection.execute("PRAGMA max_page_count").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    large: list[Any] = [
        store.commit(Txn((), (Put(b"a", b"after"), Put(b"b%d" % number, bytes(100_000))))) for number in range(5)
    ]
    results = await asyncio.gather(*large, store.revoke(lease), return_exceptions=True)
    assert all(isinstance(result, StoreError) and "full" in str(result) for result in results)
    assert not any(isinstance(result, StoreClosed) for result in results)
    assert await store.barrier() == before
    assert follower.history == []
    assert await store.keep_alive(lease)
    assert [entry.value for entry in (await content_of(store)).values()] == [b"before"]

    connection.execute(f"PRAGMA max_page_count = {limit}")
    assert await store.commit(put(b"b", bytes(100_000))) == before + 1
    assert list(follower.content) == [b"a", b"b"]


@pytest.mark.parametrize("method", ["fetch", "commit", "checkpoint"])
async def test_after_a_fault_of_the_disk_the_store_stops(
    path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    store = SQLiteStore(path)
    await store.open()
    revision = await store.commit(put(b"a"))
    monkeypatch.setattr(limits, "STORE_LOG_PAGES", 0)
    monkeypatch.setattr(SQLiteTable, method, fault)
    with pytest.raises(StoreClosed, match="disk I/O error"):
        # The log is moved after a commit was acknowledged: its fault shows in a later one.
        for _ in range(1000):
            await asyncio.gather(store.commit(put(b"b")), store.commit(put(b"c")))
    for call in (store.barrier(), store.commit(put(b"d")), store.grant(5), content_of(store)):
        with pytest.raises(StoreClosed, match="start the agent again"):
            await call
    await store.close()
    monkeypatch.undo()
    again = SQLiteStore(path)
    await again.open()
    assert (await content_of(again))[b"a"].modified == revision
    await again.close()


async def test_a_loop_that_ends_without_closing_frees_the_file(path: Path) -> None:
    def run_and_forget() -> None:
        async def write() -> None:
            store = SQLiteStore(path)
            await store.open()
            await store.commit(put(b"a"))
            forgotten.append(asyncio.ensure_future(store.commit(put(b"b"))))
            await asyncio.sleep(0)
            store._submit()
            stores.append(store)

        loop = asyncio.new_event_loop()
        loop.run_until_complete(write())
        loop.close()

    forgotten: list[asyncio.Future[int]] = []
    stores: list[SQLiteStore] = []
    await asyncio.to_thread(run_and_forget)
    async with asyncio.timeout(20):
        while True:
            again = SQLiteStore(path)
            try:
                await again.open()
                break
            except StoreError:
                await asyncio.sleep(0.01)
    assert b"a" in await content_of(again)
    await again.close()
