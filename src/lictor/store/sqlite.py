"""The store of one durable server: SQLite behind a thread of its own, many transactions in one write to the disk.

Jobs that arrive while a write is under way form the next group: one transaction of SQLite in which each keeps its own
compares and its own revision. When the writer is idle a job is written at once, together with what the event loop
had ready in the same turn; nothing ever waits for a timer. This module is the event loop's side of it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from lictor.errors import StoreClosed, StoreError
from lictor.runtime.clock import Clock
from lictor.store.base import Entry
from lictor.store.jobs import Job, Outcome
from lictor.store.local import LocalStore
from lictor.store.sqlite_file import connect
from lictor.store.sqlite_writer import Done, Work, Writer

_SNAPSHOT_ROWS = 256
"""Entries that a snapshot reads at a time."""


class SQLiteStore(LocalStore):
    """Keeps everything in the file `path` and its log beside it; the directory is created when missing.

    A commit that returned survives the process and the machine. While the disk is full commits raise StoreError with
    nothing written. After any other failure of the disk the fate of the last writes is not known, and the store
    stops: everything raises StoreClosed until it is opened anew.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self._path = path
        self._writer: Writer | None = None
        self._pending: list[Work] = []

    async def open(self) -> None:
        self._claim()
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(self._path, self._report)
        content = await self._writer.start()
        self._last_lease = content.last_lease
        self._begin(content.revision)
        for lease, ttl in content.leases.items():
            self._leases.start(lease, ttl)

    async def close(self) -> None:
        self._end("the store is closed")
        if self._writer is not None:
            self._submit()
            await self._writer.stop()

    def _run(self, job: Job) -> asyncio.Future[Outcome]:
        self._require_open()
        future: asyncio.Future[Outcome] = self._loop.create_future()
        if not self._pending:
            # Not at once: what else is ready in this turn of the loop goes into the same write.
            self._loop.call_soon(self._submit)
        self._pending.append((job, future))
        return future

    def _submit(self) -> None:
        work, self._pending = self._pending, []
        if work and self._writer is not None:
            self._writer.submit(work)

    def _report(self, group: list[Done]) -> None:
        for job, future, outcome in group:
            if isinstance(outcome, Outcome):
                self._settle(job, outcome)
                if not future.done():
                    future.set_result(outcome)
                continue
            if isinstance(outcome, StoreClosed) and self._refusal is None:
                self._end(str(outcome))
            if not future.done():
                future.set_exception(outcome)

    async def snapshot(self) -> AsyncIterator[Entry]:
        self._require_open()
        # A thread of its own, so that what closes the reader runs after what it was doing, even when cancelled.
        thread = ThreadPoolExecutor(1, thread_name_prefix="lictor-snapshot")
        chunks = _read(self._path)
        try:
            while chunk := await self._loop.run_in_executor(thread, next, chunks, None):
                for entry in chunk:
                    self._require_open()
                    yield entry
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error
        finally:
            thread.submit(chunks.close)
            thread.shutdown(wait=False)


def _read(path: Path) -> Generator[list[Entry], None, None]:
    """All entries of the newest revision, a chunk at a time: what is written meanwhile is not seen."""
    with closing(connect(path)) as connection:
        cursor = connection.execute("SELECT * FROM entries WHERE key > x'' ORDER BY key")
        while rows := cursor.fetchmany(_SNAPSHOT_ROWS):
            yield [Entry(*row) for row in rows]
