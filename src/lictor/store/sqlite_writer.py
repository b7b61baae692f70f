"""The thread that writes: it takes whatever jobs have gathered, runs them as one transaction of SQLite, and reports.

It touches the event loop by nothing but one `call_soon_threadsafe` a group, and nobody else touches its table.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

import msgspec

from lictor import limits
from lictor.errors import StoreClosed, StoreError
from lictor.store.base import Delete, Txn
from lictor.store.jobs import Job, Outcome, execute
from lictor.store.sqlite_file import DataFile, connect
from lictor.store.sqlite_table import SQLiteTable, checkpoint

T = TypeVar("T")
Work = tuple[Job, "asyncio.Future[Outcome]"]
Done = tuple[Job, "asyncio.Future[Outcome]", Outcome | StoreError]

_log = logging.getLogger(__name__)

_NOTHING_WRITTEN = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_TOOBIG})
"""Failures after which the file is as it was before and the next write may succeed."""


_COPY_ROUNDS = 2
"""The second round copies what was written during the first, and leaves little to the writer."""


class Content(msgspec.Struct):
    """What the file held when it was opened."""

    revision: int
    leases: dict[int, float]
    last_lease: int


class Writer:
    """Runs jobs in the order in which they come, and calls `report` on the event loop once a group.

    An outcome is reported when it is durable. A job that failed alone is reported with its StoreError; when the disk
    is full all of a group are; after any other failure, everything is from then on reported with StoreClosed.
    """

    def __init__(self, path: Path, report: Callable[[list[Done]], None]) -> None:
        self._path = path
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[list[Work] | None] = SimpleQueue()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._failure: str | None = None
        self._copier = ThreadPoolExecutor(1, thread_name_prefix="lictor-store-log")
        self._copying: Future[None] | None = None

    async def start(self) -> Content:
        """Opens the file in the new thread. Raises StoreError."""
        opened: asyncio.Future[Content | StoreError] = self._loop.create_future()
        Thread(target=self._serve, args=(opened,), name="lictor-store", daemon=True).start()
        try:
            content = await asyncio.shield(opened)
        except asyncio.CancelledError:
            self._queue.put(None)
            raise
        if isinstance(content, StoreError):
            raise content
        return content

    def submit(self, work: list[Work]) -> None:
        self._queue.put(work)

    async def stop(self) -> None:
        """Waits until everything submitted was reported and the file is closed. May be called again."""
        self._queue.put(None)
        await asyncio.shield(self._ended)

    def _serve(self, opened: asyncio.Future[Content | StoreError]) -> None:
        file: DataFile | None = None
        try:
            file = DataFile(self._path)
            self._table = table = SQLiteTable(file.connection)
            self._tell(opened.set_result, Content(table.revision, table.leases.copy(), table.last_lease()))
            for group in self._groups():
                if not self._tell(self._report, self._write(group)):
                    break
                self._checkpoint()
        except (StoreError, sqlite3.Error) as error:
            # Only opening raises these: a write that fails is reported.
            reason = error if isinstance(error, StoreError) else StoreError(f"{self._path}: {error}")
            self._tell(opened.set_result, reason)
        finally:
            try:
                self._copier.shutdown()
                if file is not None:
                    file.close()
            finally:
                self._tell(self._ended.set_result, None)

    def _tell(self, hear: Callable[[T], object], what: T) -> bool:
        """Calls `hear` on the event loop; False when that is closed, so that nobody is left to hear or to ask."""
        try:
            self._loop.call_soon_threadsafe(hear, what)
        except RuntimeError:
            return False
        return True

    def _groups(self) -> Iterator[list[Work]]:
        """All that has been submitted at the time, in groups of a bounded size, until the writer is to stop."""
        last = False
        while not last:
            gathered: list[Work] = []
            while not gathered or not self._queue.empty():
                submitted = self._queue.get()
                if submitted is None:
                    last = True
                    break
                gathered += submitted
            for first in range(0, len(gathered), limits.STORE_GROUP):
                yield gathered[first : first + limits.STORE_GROUP]

    def _write(self, group: list[Work]) -> list[Done]:
        if self._failure is None:
            try:
                self._table.fetch(_keys(group))
                done = [self._execute(job, future) for job, future in group]
                self._table.commit()
                return done
            except Exception as cause:
                if self._recovered(cause):
                    return [(job, future, StoreError(f"nothing was written: {cause}")) for job, future in group]
                self._fail(cause)
        return [(job, future, StoreClosed(self._failure)) for job, future in group]

    def _execute(self, job: Job, future: asyncio.Future[Outcome]) -> Done:
        try:
            return job, future, execute(self._table, job)
        except StoreError as error:
            return job, future, error

    def _checkpoint(self) -> None:
        """Keeps the log short without holding up writes: another thread copies the bulk of it while it still grows.

        The log can start again only when all of it was copied, so the writer then copies what is left.
        """
        if self._failure is not None:
            return
        try:
            if self._copying is not None and self._copying.done():
                copying, self._copying = self._copying, None
                copying.result()
                self._table.checkpoint()
            elif self._copying is None and self._table.logged_pages > limits.STORE_LOG_PAGES:
                self._copying = self._copier.submit(_copy_log, self._path)
        except sqlite3.Error as cause:
            if not _is_passing(cause):
                self._fail(cause)

    def _recovered(self, cause: Exception) -> bool:
        """Whether the table is again as it was before the group, and can go on."""
        try:
            self._table.rollback()
        except sqlite3.Error:
            return False
        return _is_passing(cause)

    def _fail(self, cause: Exception) -> None:
        # After a failed write or sync nobody can say what is on the disk: going on could lose what was acknowledged.
        self._failure = f"the store stopped ({cause}): see to the disk, then start the agent again"
        _log.error("%s: the store stopped", self._path, exc_info=cause)


def _copy_log(path: Path) -> None:
    with closing(connect(path)) as connection:
        for _ in range(_COPY_ROUNDS):
            checkpoint(connection)


def _is_passing(cause: Exception) -> bool:
    # The low byte is the kind of failure, the rest details it.
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in _NOTHING_WRITTEN


def _keys(group: list[Work]) -> Iterator[bytes]:
    """The keys that a group's transactions name."""
    for job, _ in group:
        if isinstance(job, Txn):
            for compare in job.compares:
                yield compare.key
            for change in job.changes:
                if not (isinstance(change, Delete) and change.end):
                    yield change.key
