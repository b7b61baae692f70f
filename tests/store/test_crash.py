"""kill -9 at any moment loses no acknowledged write and leaves no half of one."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sys
from pathlib import Path

import pytest

from lictor.store.base import Entry
from lictor.store.sqlite import SQLiteStore
from tests.store import crash_writer

KILLS = 50


async def write_until_killed(path: Path, seconds: float) -> list[tuple[int, int, int]]:
    """Lets a process write for a while; returns the (task, count, revision) that it acknowledged."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, crash_writer.__file__, str(path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        first = await asyncio.wait_for(child.stdout.readline(), 30)
        asyncio.get_running_loop().call_later(seconds, child.kill)
        lines = first + await child.stdout.read()
    except BaseException:
        child.kill()
        raise
    assert await child.wait() == -signal.SIGKILL, "the writer failed by itself"
    # The last line may have been cut off.
    acknowledged = []
    for line in lines.split(b"\n")[:-1]:
        task, count, revision = map(int, line.split(b" "))
        acknowledged.append((task, count, revision))
    return acknowledged


def copied(path: Path, directory: Path) -> Path:
    directory.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", directory / f"{path.name}{suffix}")
    return directory / path.name


async def reopened(path: Path) -> tuple[int, dict[bytes, Entry]]:
    store = SQLiteStore(path)
    await store.open()
    revision, entries = await store.load(lambda revision, events: None)
    await store.close()
    return revision, {entry.key: entry for entry in entries}


def check(found: dict[bytes, Entry], task: int, acknowledged: tuple[int, int]) -> None:
    """`acknowledged` is the last count and revision that the task heard of; one more may have been on its way."""
    count, revision = acknowledged
    left = found[b"left/%d" % task]
    present = int(left.value.split(b" ")[0])
    assert present in (count, count + 1)
    assert left.modified == revision if present == count else left.modified > revision
    assert left.value == crash_writer.value(task, present)
    right, odd = found[b"right/%d" % task], found.get(b"odd/%d" % task)
    assert (right.value, right.modified, right.created) == (left.value, left.modified, left.created)
    assert (odd is not None) == (present % 2 == 1)
    if odd is not None:
        assert (odd.value, odd.modified, odd.created) == (left.value, left.modified, left.modified)


@pytest.mark.timeout(300)
async def test_no_acknowledged_write_is_lost(tmp_path: Path) -> None:
    chance = random.Random(1)
    path = tmp_path / "store.db"
    last: dict[int, tuple[int, int]] = {}
    newest = total = 0
    for turn in range(KILLS):
        acknowledged = await write_until_killed(path, chance.uniform(0.01, 0.2))
        for task, count, revision in acknowledged:
            assert count > last.get(task, (0, 0))[0]
            assert revision > last.get(task, (0, 0))[1]
            last[task] = count, revision
        total += len(acknowledged)
        # Every second time a copy is looked at, so that the log itself outlives several kills; and without SQLite's
        # index of it, as after a power failure.
        present, found = await reopened(path if turn % 2 else copied(path, tmp_path / f"copy{turn}"))
        assert present >= max(newest, *(revision for _, _, revision in acknowledged))
        assert present >= max(entry.modified for entry in found.values())
        newest = present
        for task, heard in last.items():
            check(found, task, heard)
        # A task that was never heard of may have been written all the same, but not by half.
        for task in set(range(crash_writer.TASKS)) - set(last):
            if b"left/%d" % task in found:
                check(found, task, (0, 0))
        # What was found stands from now on, whether the writer had heard of it or not.
        for key, entry in found.items():
            if key.startswith(b"left/"):
                last[int(key[5:])] = int(entry.value.split(b" ")[0]), entry.modified
    assert total > KILLS * 100
