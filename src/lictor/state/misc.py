"""The smaller tables: prepared queries, coordinates, configuration entries and single settings."""

from __future__ import annotations

from collections.abc import Hashable

from lictor.state.tables import Index, Table
from lictor.types.catalog import Record
from lictor.types.kv import Coordinate
from lictor.types.query import ConfigEntry, PreparedQuery


class Queries(Table[PreparedQuery]):
    """Prepared queries by id. Cells: ("query",), ("query", id)."""

    prefix, kind = "query", PreparedQuery

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, str] = {}
        self._templates: dict[str, str] = {}
        self.by_session = Index()

    def moved(self, name: str, old: PreparedQuery | None, new: PreparedQuery | None, touched: set[Hashable]) -> None:
        super().moved(name, old, new, touched)
        self.by_session.swap(
            name, [old.session] if old and old.session else [], [new.session] if new and new.session else []
        )
        if old is not None:
            index = self._templates if old.template.type else self._names
            if index.get(old.name.lower()) == name:
                del index[old.name.lower()]
        if new is not None and (new.name or new.template.type):
            (self._templates if new.template.type else self._names)[new.name.lower()] = name

    def named(self, name: str) -> PreparedQuery | None:
        """The query of exactly that name."""
        row = self._names.get(name.lower())
        return None if row is None else self.get(row)

    def template_named(self, name: str) -> PreparedQuery | None:
        """The template of exactly that name."""
        row = self._templates.get(name.lower())
        return None if row is None else self.get(row)

    def template_for(self, name: str) -> PreparedQuery | None:
        """The template with the longest name that `name` begins with."""
        low = name.lower()
        for length in range(len(low), -1, -1):
            found = self.template_named(low[:length])
            if found is not None:
                return found
        return None


class Coordinates(Table[Coordinate]):
    """Network coordinates by node. Cells: ("coordinate",), ("coordinate", node)."""

    prefix, kind = "coordinate", Coordinate


class ConfigEntries(Table[ConfigEntry]):
    """Configuration entries by kind and name."""

    prefix, kind = "config", ConfigEntry


class Singleton(Record, frozen=True, kw_only=True):
    """A setting of the whole cluster, as JSON."""

    body: bytes = b"{}"


class Singletons(Table[Singleton]):
    """Settings of which there is one each, such as autopilot's configuration."""

    prefix, kind = "setting", Singleton
