"""Tables: a kind of record under a prefix of the store's keys, with the indexes that reads need.

A row's key in the store is `prefix/part NUL part`; parts of names are in lower case, since the reference's lookups do
not look at case. `Table.put` is the only way in: it keeps the rows and calls `moved`, which subclasses use to keep
their indexes and to name the cells that move. Tables do no I/O.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec
from sortedcontainers import SortedDict

from lictor.types.catalog import Record
from lictor.types.gojson import decode_hook, encode_hook

R = TypeVar("R", bound=Record)
NUL = "\0"

_packer = msgspec.msgpack.Encoder(enc_hook=encode_hook)


def pack(record: Record) -> bytes:
    """A record as the store keeps it. Its indexes are the store's own: what is written of them is never read."""
    return _packer.encode(record)


class Table(Generic[R]):
    """Rows of one kind in key order."""

    prefix: str
    kind: type[R]
    leased = False
    """True where rows vanish with their lease, without a plan."""

    def __init__(self) -> None:
        self.rows: SortedDict[str, R] = SortedDict()
        self._decoder = msgspec.msgpack.Decoder(self.kind, dec_hook=decode_hook)
        self._head = f"{self.prefix}/".encode()

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, *parts: str) -> str:
        """A row's key inside this table."""
        return NUL.join(parts).lower()

    def store_key(self, name: str) -> bytes:
        """A row's key in the store."""
        return self._head + name.encode()

    def get(self, *parts: str) -> R | None:
        """The row of that key, or None."""
        row: R | None = self.rows.get(self.name(*parts))
        return row

    def scan(self, prefix: str = "") -> Iterator[R]:
        """Rows whose key begins so, in key order."""
        for name in self.names(prefix):
            yield self.rows[name]

    def names(self, prefix: str = "") -> Iterator[str]:
        """The keys of `scan`."""
        if not prefix:
            yield from self.rows
            return
        for name in self.rows.irange(prefix):
            if not name.startswith(prefix):
                return
            yield name

    def decode(self, value: bytes, created: int, modified: int) -> R:
        """A stored row with its indexes."""
        record = self._decoder.decode(value)
        # The record is fresh and nobody has seen it yet: writing into it is cheaper than a copy.
        msgspec.structs.force_setattr(record, "create_index", created)
        msgspec.structs.force_setattr(record, "modify_index", modified)
        return record

    def put(self, name: str, new: R | None, touched: set[Hashable]) -> None:
        """Sets or (with None) removes a row and adds the names of the cells that move to `touched`."""
        old: R | None = self.rows.get(name)
        if new is None:
            if old is None:
                return
            del self.rows[name]
        else:
            self.rows[name] = new
        self.moved(name, old, new, touched)

    def moved(self, name: str, old: R | None, new: R | None, touched: set[Hashable]) -> None:
        """Keeps indexes and names the cells that move. At least one of `old` and `new` is given."""
        touched.add((self.prefix,))
        touched.add((self.prefix, name))


class Index:
    """A many-to-many index: a name to the set of row keys that bear it."""

    def __init__(self) -> None:
        self._sets: dict[str, set[str]] = {}

    def swap(self, row: str, old: Iterable[str], new: Iterable[str]) -> None:
        """Files `row` under the names `new` instead of `old`."""
        gone, come = set(old), set(new)
        for name in gone - come:
            members = self._sets.get(name)
            if members is not None:
                members.discard(row)
                if not members:
                    del self._sets[name]
        for name in come - gone:
            self._sets.setdefault(name, set()).add(row)

    def rows(self, name: str) -> list[str]:
        """The row keys under `name`, sorted."""
        return sorted(self._sets.get(name, ()))

    def names(self) -> Iterable[str]:
        """Every name with a row."""
        return self._sets.keys()

    def __contains__(self, name: Any) -> bool:
        return name in self._sets
