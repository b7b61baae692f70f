"""Writes to the store in argv[1] from many tasks until it is killed, and prints what was acknowledged.

Every task counts up in its own keys. One transaction sets `left/N` and `right/N` to the count, and has `odd/N` there
while the count is odd. A line "task count revision" says that this is durable.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from lictor import limits
from lictor.store.base import Compare, Delete, Put, Txn
from lictor.store.sqlite import SQLiteStore

TASKS = 48


def value(task: int, count: int) -> bytes:
    """The count and then padding, now and then of several pages."""
    return b"%d " % count + b"x" * ((count * 37 + task * 101) % (9000 if count % 16 == 0 else 200))


async def count_up(store: SQLiteStore, task: int, count: int, revision: int) -> None:
    left, right, odd = b"left/%d" % task, b"right/%d" % task, b"odd/%d" % task
    while True:
        count += 1
        content = value(task, count)
        third = Put(odd, content) if count % 2 else Delete(odd)
        revision = await store.commit(Txn((Compare(left, revision),), (Put(left, content), Put(right, content), third)))
        os.write(1, b"%d %d %d\n" % (task, count, revision))


async def main() -> None:
    # Little, so that the log is moved into the file many times.
    limits.STORE_LOG_PAGES = 300
    store = SQLiteStore(Path(sys.argv[1]))
    await store.open()
    _, entries = await store.load(lambda revision, events: None)
    found = {entry.key: entry for entry in entries}
    tasks = []
    for task in range(TASKS):
        entry = found.get(b"left/%d" % task)
        count, revision = (int(entry.value.split(b" ")[0]), entry.modified) if entry else (0, 0)
        tasks.append(count_up(store, task, count, revision))
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
