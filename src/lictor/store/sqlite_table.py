"""The SQL of the SQLite store: a group of jobs over `entries` and `leases`, gathered in memory, written at its end.

Every step of a statement gives up the interpreter's lock and must win it back from a busy event loop. So what a group
needs to know is read by one statement that yields one row, and what it changed is written, in the common case, by one
statement that is its own transaction. A table belongs to the writer's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from lictor.store.base import Entry

_ROWS = 256
"""Rows in one statement; there is one prepared statement for every power of two up to it."""
_KNOWN_KEYS = 65_536
"""Keys whose revisions are remembered between groups, so that writing a key often needs no reading."""
_PAGE_BYTES = 4096

_Statement = tuple[str, Sequence[object]]


@cache
def _lookup(size: int) -> str:
    values = ",".join(f"({number},?)" for number in range(size))
    return (
        "SELECT group_concat(wanted.column1 || ' ' || entries.created || ' ' || entries.modified) "
        f"FROM (VALUES {values}) AS wanted JOIN entries ON entries.key = wanted.column2"
    )


@cache
def _upsert(size: int) -> str:
    values = ",".join(["(?,?,?,?,?)"] * size)
    return (
        f"INSERT INTO entries SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value, created = excluded.created, "
        "modified = excluded.modified, lease = excluded.lease"
    )


@cache
def _delete(size: int) -> str:
    return f"DELETE FROM entries WHERE key IN ({','.join('?' * size)})"


def checkpoint(connection: sqlite3.Connection) -> None:
    """Copies pages of the log into the file, as far as no reader is still before them; waits for nobody."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def _padded(count: int) -> int:
    """The power of two in which `count` rows fit; rows of NULL fill it up."""
    return 1 << (count - 1).bit_length()


class SQLiteTable:
    """A table over one connection. What `execute` does to it is in the file once `commit` returns, or not at all.

    Every method may raise sqlite3.Error; `rollback` then goes back to where the last `commit` left.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._dirty: dict[bytes, Entry | None] = {}
        self._known: dict[bytes, tuple[int, int] | None] = {}
        self._lease_changes: list[_Statement] = []
        self.logged_pages = 0
        """About how many pages were written to the log since the last checkpoint."""
        self._read_state()

    def _read_state(self) -> None:
        (self.revision,) = self._db.execute("SELECT modified FROM entries WHERE key = x''").fetchone()
        self.leases: dict[int, float] = dict(self._db.execute("SELECT id, ttl FROM leases"))
        self._written = self.revision

    def last_lease(self) -> int:
        """The newest id ever given."""
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'leases'").fetchone()
        return int(row[0]) if row else 0

    def fetch(self, keys: Iterable[bytes]) -> None:
        """Reads ahead what `revisions` will be asked."""
        known = self._known
        wanted = [key for key in dict.fromkeys(keys) if key not in known]
        known.update(dict.fromkeys(wanted))
        for first in range(0, len(wanted), _ROWS):
            part = wanted[first : first + _ROWS]
            size = _padded(len(part))
            (found,) = self._db.execute(_lookup(size), part + [None] * (size - len(part))).fetchone()
            for row in found.split(",") if found else ():
                number, created, modified = row.split(" ")
                known[part[int(number)]] = int(created), int(modified)

    def revisions(self, key: bytes) -> tuple[int, int] | None:
        if key not in self._known:
            self.fetch((key,))
        return self._known[key]

    def keys(self, start: bytes, end: bytes | None) -> Sequence[bytes]:
        if end is None:
            return self._keys("key > x'' AND key >= ?", (start,))
        return self._keys("key >= ? AND key < ?", (start, end))

    def keys_of(self, lease: int) -> Sequence[bytes]:
        return self._keys("lease <> 0 AND lease = ?", (lease,))

    def _keys(self, condition: str, parameters: Sequence[object]) -> Sequence[bytes]:
        self._flush()
        query = f"SELECT group_concat(hex(key), ' ') FROM entries WHERE {condition}"
        (found,) = self._db.execute(query, parameters).fetchone()
        return sorted(map(bytes.fromhex, found.split(" "))) if found else ()

    def entries(self) -> list[Entry]:
        self._flush()
        return [Entry(*row) for row in self._db.execute("SELECT * FROM entries WHERE key > x'' ORDER BY key")]

    def put(self, entry: Entry) -> None:
        self._dirty[entry.key] = entry
        self._known[entry.key] = entry.created, entry.modified

    def remove(self, key: bytes) -> None:
        self._dirty[key] = self._known[key] = None

    def has_lease(self, lease: int) -> bool:
        return lease in self.leases

    def add_lease(self, lease: int, ttl: float) -> None:
        self.leases[lease] = ttl
        self._lease_changes.append(("INSERT INTO leases (id, ttl) VALUES (?, ?)", (lease, ttl)))

    def drop_lease(self, lease: int) -> None:
        del self.leases[lease]
        self._lease_changes.append(("DELETE FROM leases WHERE id = ?", (lease,)))

    def commit(self) -> None:
        """Makes everything since the last commit durable."""
        if self.revision != self._written:
            self._dirty[b""] = Entry(b"", b"", 0, self.revision)
        statements = self._drain()
        if len(statements) > 1:
            self._begin()
        for sql, parameters in statements:
            self._db.execute(sql, parameters)
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        if len(self._known) > _KNOWN_KEYS:
            self._known.clear()
        self._written = self.revision

    def rollback(self) -> None:
        """Forgets everything since the last commit."""
        self._dirty.clear()
        self._known.clear()
        self._lease_changes.clear()
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._read_state()

    def checkpoint(self) -> None:
        """Moves the log into the file as far as no reader needs it, so that the log starts again."""
        self.logged_pages = 0
        checkpoint(self._db)

    def close(self) -> None:
        self._db.close()

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _flush(self) -> None:
        """Lets queries see what the group has changed so far."""
        statements = self._drain()
        if statements:
            self._begin()
        for sql, parameters in statements:
            self._db.execute(sql, parameters)

    def _drain(self) -> list[_Statement]:
        statements, self._lease_changes = self._lease_changes, []
        dirty, self._dirty = self._dirty, {}
        gone = [key for key, entry in dirty.items() if entry is None]
        kept = [entry for entry in dirty.values() if entry is not None]
        for first in range(0, len(gone), _ROWS):
            part = gone[first : first + _ROWS]
            size = _padded(len(part))
            statements.append((_delete(size), part + [None] * (size - len(part))))
        for first in range(0, len(kept), _ROWS):
            statements.append(self._upsert_statement(kept[first : first + _ROWS]))
        # A row changes its leaf; what is above the leaves is shared by the group.
        self.logged_pages += len(dirty) + len(statements) + 3
        return statements

    def _upsert_statement(self, entries: list[Entry]) -> _Statement:
        size = _padded(len(entries))
        parameters: list[Any] = []
        for entry in entries:
            parameters += entry.key, entry.value, entry.created, entry.modified, entry.lease
            self.logged_pages += len(entry.value) // _PAGE_BYTES
        parameters += [None] * (5 * (size - len(entries)))
        return _upsert(size), parameters
