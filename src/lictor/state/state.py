"""The whole state: every table, one revision, and how a store's events are applied to it.

`apply` is the only way it changes. It decodes the events, puts the rows, moves the cells and returns the wakers of
those who waited; the caller calls them when the revision is complete.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from lictor import limits
from lictor.state.catalog import Catalog
from lictor.state.cells import Cells, Waker
from lictor.state.keys import Keys
from lictor.state.members import Members
from lictor.state.misc import ConfigEntries, Coordinates, Queries, Singletons
from lictor.state.tables import Table
from lictor.store import Entry, Event


class State:
    """A materialised view of a store at `revision`."""

    def __init__(self) -> None:
        self.cells = Cells(limits.IDLE_CELLS)
        self.catalog = Catalog(self.cells)
        self.keys = Keys(self.cells)
        self.members = Members(self.cells)
        self.queries = Queries()
        self.coordinates = Coordinates()
        self.config_entries = ConfigEntries()
        self.singletons = Singletons()
        tables: list[Table[Any]] = [
            self.catalog.nodes,
            self.catalog.services,
            self.catalog.checks,
            self.keys.kv,
            self.keys.sessions,
            self.keys.alive,
            self.keys.lock_delays,
            self.members.table,
            self.members.alive,
            self.queries,
            self.coordinates,
            self.config_entries,
            self.singletons,
        ]
        self.tables = {table.prefix.encode(): table for table in tables}

    @property
    def revision(self) -> int:
        """The newest revision applied."""
        return self.cells.revision

    def load(self, revision: int, entries: Iterable[Entry]) -> None:
        """Fills an empty state with a store's content."""
        self.apply(revision, [Event(e.key, e.value, e.created, e.modified) for e in entries])

    def apply(self, revision: int, events: Sequence[Event]) -> list[Waker]:
        """Applies one revision. Keys of an unknown kind (a newer version's) are kept out and do no harm."""
        touched: set[Hashable] = set()
        for event in events:
            prefix, _, rest = event.key.partition(b"/")
            table = self.tables.get(prefix)
            if table is None:
                continue
            record = None if event.value is None else table.decode(event.value, event.created, event.modified)
            table.put(rest.decode(), record, touched)
        touched.add(("revision",))
        return self.cells.move(touched, revision)
