"""Records put into a state, one revision each, and the cells that moved."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from lictor.state import State
from lictor.state.tables import Table, pack
from lictor.store import Event


class Filled:
    """A state that is written to without a store."""

    def __init__(self) -> None:
        self.state = State()
        self._created: dict[bytes, int] = {}

    def put(self, table: Table[Any], record: Any, *parts: str) -> None:
        self.apply([(table, record, parts)])

    def drop(self, table: Table[Any], *parts: str) -> None:
        self.apply([(table, None, parts)])

    def apply(self, changes: list[tuple[Table[Any], Any, tuple[str, ...]]]) -> None:
        revision = self.state.revision + 1
        events = []
        for table, record, parts in changes:
            key = table.store_key(table.name(*parts))
            if record is None:
                self._created.pop(key, None)
                events.append(Event(key, None, 0, revision))
            else:
                events.append(Event(key, pack(record), self._created.setdefault(key, revision), revision))
        self.state.apply(revision, events)

    def moved(self, *names: Hashable) -> set[Hashable]:
        """Which of the cells stand at the newest revision. They must have been asked for before it."""
        return {name for name in names if self.state.cells.get(name).index == self.state.revision}

    def watch(self, *names: Hashable) -> None:
        for name in names:
            self.state.cells.get(name)
