"""A write while it is being planned: reads see what was planned before it in the same commit, and are remembered.

A *plan* is a function of a `Tx`. It reads rows, puts and deletes rows, or raises; then nothing of it counts. Several
plans share a `Batch`, which becomes one store transaction: every row read from the state that somebody else might have
changed meanwhile is compared at commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from lictor.state import State
from lictor.state.tables import Table, pack
from lictor.store import Compare, Delete, Put, Txn
from lictor.types.catalog import Record

R = TypeVar("R", bound=Record)

PENDING = -1
"""The index of a row that is written in this batch and has no revision yet; it equals no index a client can know."""


class Write(msgspec.Struct):
    """A row's planned end: a record (under a lease, perhaps) or None for gone."""

    table: Table[Any]
    name: str
    record: Any
    lease: int = 0


class BatchFull(Exception):
    """The plan cannot join this batch and starts the next one; never leaves the writer."""


class Batch:
    """Plans on their way into one store transaction. Leases that plans ask for get numbers below zero until granted."""

    def __init__(self, state: State, max_changes: int, *, shared: bool = True) -> None:
        """`shared` False: this writer is the only one, and only rows under leases change without it."""
        self.state = state
        self.compares_all = shared
        self.max_changes = max_changes
        self.writes: dict[tuple[str, str], Write] = {}
        self.names: dict[str, set[str]] = {}
        """The rows written, by table."""
        self.ranges: list[tuple[Table[Any], str]] = []
        self.compares: dict[bytes, int] = {}
        self.leases: list[float] = []
        self.ended_leases: set[int] = set()

    def run(self, plan: Callable[[Tx], Any]) -> Any:
        """Runs one plan and takes over what it planned; raises what it raises, or BatchFull."""
        tx = Tx(self)
        result = plan(tx)
        if len(self.writes) + len(tx.writes) > self.max_changes and self.writes:
            raise BatchFull
        if len(self.compares) + len(tx.compares) > self.max_changes and self.compares:
            raise BatchFull
        if tx.ranges and self.writes:
            raise BatchFull
        self.writes.update(tx.writes)
        for prefix, name in tx.writes:
            self.names.setdefault(prefix, set()).add(name)
        self.ranges += tx.ranges
        self.compares.update(tx.compares)
        self.leases += tx.leases
        self.ended_leases |= tx.ended_leases
        return result

    def txn(self, granted: list[int]) -> Txn:
        """The store transaction; `granted` are the real ids of the leases asked for, in order."""
        changes: list[Put | Delete] = []
        for write in self.writes.values():
            key = write.table.store_key(write.name)
            if write.record is None:
                changes.append(Delete(key))
                continue
            lease = granted[-write.lease - 1] if write.lease < 0 else write.lease
            record = write.record
            if lease and "lease" in record.__struct_fields__:  # for those who keep the lease alive later
                record = msgspec.structs.replace(record, lease=lease)
            changes.append(Put(key, pack(record), lease))
        for table, prefix in self.ranges:
            start = table.store_key(prefix)
            changes.append(Delete(start, end=_after(start)))
        return Txn(tuple(Compare(k, r) for k, r in self.compares.items()), tuple(changes))


class Tx:
    """One plan's view of the state with everything planned so far laid over it."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self.state = batch.state
        self.writes: dict[tuple[str, str], Write] = {}
        self.ranges: list[tuple[Table[Any], str]] = []
        self.compares: dict[bytes, int] = {}
        self.leases: list[float] = []
        self.ended_leases: set[int] = set()

    def get(self, table: Table[R], *parts: str) -> R | None:
        """A row as it will be if the plans so far are committed."""
        return self._row(table, table.name(*parts))

    def _row(self, table: Table[R], name: str) -> R | None:
        key = (table.prefix, name)
        write = self.writes.get(key) or self._batch.writes.get(key)
        if write is not None:
            record: R | None = write.record
            return record
        if _covered(self.ranges, table, name) or _covered(self._batch.ranges, table, name):
            return None
        row: R | None = table.rows.get(name)
        if self._batch.compares_all or table.leased:
            self.compares.setdefault(table.store_key(name), row.modify_index if row is not None else 0)
        return row

    def put(self, table: Table[R], record: R, *parts: str, lease: int = 0) -> R:
        """Plans a row and returns it as it will be, its modify index pending."""
        name = table.name(*parts)
        old = self._row(table, name)
        key = (table.prefix, name)
        created = old.create_index if old is not None else PENDING
        if old is None:
            kept = table.rows.get(name)
            if _covered(self._batch.ranges, table, name) or (kept is not None and key in self._batch.writes):
                raise BatchFull  # deleted by another plan and made again: the two need a revision each
            if _covered(self.ranges, table, name):
                self._expand_ranges()  # the store takes no change of a key inside a range that it deletes
            if kept is not None:  # within one commit the key never went, and the store keeps when it was created
                created = kept.create_index
        record = msgspec.structs.replace(record, create_index=created, modify_index=PENDING)
        self.writes[key] = Write(table, name, record, lease)
        return record

    def delete(self, table: Table[R], *parts: str) -> None:
        """Plans a row's end; one that is not there is left alone."""
        name = table.name(*parts)
        if self._row(table, name) is not None:
            self.writes[table.prefix, name] = Write(table, name, None)

    def delete_below(self, table: Table[R], prefix: str) -> None:
        """Plans the end of every row whose key begins so, as one change however many there are."""
        for key in [k for k, w in self.writes.items() if w.table is table and w.name.startswith(prefix)]:
            del self.writes[key]
        if self._batch.writes:
            raise BatchFull
        if _covered(self._batch.ranges, table, prefix) or _covered(self.ranges, table, prefix):
            return
        if any(t is table and p.startswith(prefix) for t, p in self._batch.ranges):
            raise BatchFull
        # The store takes no two ranges that overlap: a wider one stands for those inside it.
        self.ranges = [(t, p) for t, p in self.ranges if t is not table or not p.startswith(prefix)]
        self.ranges.append((table, prefix))

    def scan(self, table: Table[R], prefix: str = "") -> list[R]:
        """Rows whose key begins so, in key order, with what is planned."""
        return list(self._merge(table, table.names(prefix), lambda name: name.startswith(prefix)))

    def rows(self, table: Table[R], names: Iterable[str], wanted: Callable[[R], bool]) -> list[R]:
        """The rows of an index (`names`) that are still `wanted` once the plan's own writes are laid over them."""
        found = self._merge(table, names, lambda name: True)
        return [row for row in found if wanted(row)]

    def grant(self, ttl: float) -> int:
        """A lease that begins with the commit, to be used in `put`."""
        self.leases.append(ttl)
        return -(len(self._batch.leases) + len(self.leases))

    def end_lease(self, lease: int) -> None:
        """Plans a lease's end after the commit."""
        self.ended_leases.add(lease)

    def _merge(self, table: Table[R], names: Iterable[str], mine: Callable[[str], bool]) -> Iterator[R]:
        planned = {name for name in self._batch.names.get(table.prefix, ()) if mine(name)}
        planned.update(write.name for write in self.writes.values() if write.table is table and mine(write.name))
        for name in sorted(planned.union(names)):
            row = self._row(table, name)
            if row is not None:
                yield row

    def _expand_ranges(self) -> None:
        """Turns this plan's range deletions into deletions of rows, so that a row among them can be put again."""
        ranges, self.ranges = self.ranges, []
        for table, prefix in ranges:
            for name in table.names(prefix):
                self.writes.setdefault((table.prefix, name), Write(table, name, None))


def _covered(ranges: list[tuple[Table[Any], str]], table: Table[Any], name: str) -> bool:
    """True when one of the range deletions takes that row along."""
    return bool(ranges) and any(t is table and name.startswith(prefix) for t, prefix in ranges)


def _after(prefix: bytes) -> bytes:
    """The first key behind all that begin with `prefix`."""
    return prefix[:-1] + bytes((prefix[-1] + 1,)) if prefix[-1] < 0xFF else _after(prefix[:-1])
