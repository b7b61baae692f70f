"""The data file on disk: who may open it, what is in it, and whether this version can read it.

`entries` holds every key, and in the row of the empty key, which no caller can use, the
store's revision, so that a group of writes and their revision are one statement; `leases` the leases that live.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from lictor.errors import StoreError
from lictor.store.jobs import FIRST_REVISION

SCHEMA_VERSION = 1
APPLICATION_ID = 0x6C696374
"""Marks the file as ours for `file` and for opening: "lict"."""

_CACHE_KIB = 32 * 1024

_SCHEMA = (
    """CREATE TABLE entries (
        key BLOB NOT NULL PRIMARY KEY,
        value BLOB NOT NULL,
        created INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        lease INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX entries_by_lease ON entries (lease) WHERE lease <> 0",
    # AUTOINCREMENT: an id is never given twice, so that nobody keeps another one's lease alive.
    "CREATE TABLE leases (id INTEGER PRIMARY KEY AUTOINCREMENT, ttl REAL NOT NULL)",
    f"INSERT INTO entries VALUES (x'', x'', 0, {FIRST_REVISION}, 0)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


class DataFile:
    """The open data file: `connection` for its one writer, and the lock that keeps other processes out."""

    def __init__(self, path: Path) -> None:
        """Creates or checks the file. Raises StoreError with what to do about it."""
        self._lock = _lock(path)
        try:
            self.connection = _open(path)
        except StoreError:
            os.close(self._lock)
            raise

    def close(self) -> None:
        try:
            self.connection.close()
        finally:
            os.close(self._lock)


def _lock(path: Path) -> int:
    """Takes a lock beside the data file: on the file itself, closing a descriptor would drop SQLite's own locks."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: cannot be created: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"{path} is locked: is another agent using this data directory?") from error
    return descriptor


def _open(path: Path) -> sqlite3.Connection:
    try:
        # The file holds secrets of the cluster: nobody else may read it, nor the log that SQLite makes after its mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = connect(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: cannot be opened: {error}") from error
    try:
        _prepare(connection, path)
        _sync_directory(path.parent)
    except (OSError, sqlite3.Error) as error:
        connection.close()
        raise StoreError(f"{path}: {error}; move it away and restore a snapshot to go on without it") from error
    except StoreError:
        connection.close()
        raise
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """A connection with explicit transactions, for one thread at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    # FULL: a commit has reached the disk itself when it returns; the other one asks the same of Apple's systems.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    application, version = _number(connection, "application_id"), _number(connection, "user_version")
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    if application != APPLICATION_ID and not empty:
        raise StoreError(f"{path} is a database of another program: choose another data directory")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer version (its schema is {version}, this version knows {SCHEMA_VERSION}): "
            "upgrade, or restore a snapshot into another data directory"
        )
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"{path}: the file system cannot hold a write-ahead log: choose a local disk")
    if empty:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StoreError(f"{path} is damaged ({verdict}): move it away and restore a snapshot")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (value,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(value)


def _sync_directory(directory: Path) -> None:
    """Makes the names of new files durable; without it a power failure could take the whole file."""
    for place in (directory, directory.parent):
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
