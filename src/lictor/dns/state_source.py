"""The catalog of this server's own state as DNS sees it. Only reads; who executes prepared queries is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from lictor.dns.names import CONNECT, INGRESS, parse_ip
from lictor.dns.source import QueryResult
from lictor.state import Answer, State, stamp, unmoved
from lictor.state.cells import Cell
from lictor.state.views import HealthEntry
from lictor.types.catalog import INGRESS_GATEWAY, Node

Execute = Callable[[str, str], Answer[QueryResult | None]]
"""Executes a prepared query by its name or id for a client's address."""

_WILDCARD = "*"


class StateSource:
    """A `Source` over a state. `datacenter` is the only one it knows."""

    def __init__(self, state: State, datacenter: str, execute: Execute) -> None:
        self._state, self._execute = state, execute
        self._datacenters = ("", datacenter.lower())
        self._nodes = _Addresses()
        self._services = _Addresses()

    def node(self, name: str, datacenter: str) -> Answer[Node | None] | None:
        """A node by its name."""
        return self._state.catalog.node(name) if datacenter in self._datacenters else None

    def service(self, name: str, datacenter: str, reach: str) -> Answer[list[HealthEntry]] | None:
        """A service's instances, those that reach it through the mesh, or its gateways'."""
        if datacenter not in self._datacenters:
            return None
        if reach == CONNECT:
            return self._state.catalog.connect_health(name)
        return self._ingress(name) if reach == INGRESS else self._state.catalog.health(name)

    def query(self, name: str, datacenter: str, client: str) -> Answer[QueryResult | None] | None:
        """A prepared query's outcome."""
        return self._execute(name, client) if datacenter in self._datacenters else None

    def node_at(self, packed: bytes) -> Answer[str | None]:
        """The name of the first node with that address."""
        if self._nodes.stale():
            answer = self._state.catalog.all_nodes()
            self._nodes.fill(answer, ((node.address, node.node) for node in answer.value))
        return self._nodes.find(packed)

    def service_at(self, packed: bytes) -> Answer[str | None]:
        """The name of the first service that has an instance with that address."""
        if self._services.stale():
            rows = self._state.catalog.services.scan()
            answer = Answer(None, (self._state.cells.get(("catalog",)),))
            self._services.fill(answer, ((row.address, row.service) for row in rows))
        return self._services.find(packed)

    def _ingress(self, name: str) -> Answer[list[HealthEntry]]:
        """The instances of the ingress gateways whose listeners lead to a service."""
        entries = self._state.config_entries
        cells = [self._state.cells.get((entries.prefix,))]
        rows: list[HealthEntry] = []
        for entry in entries.scan():
            if entry.kind == INGRESS_GATEWAY and _lets_in(entry.body, name):
                answer = self._state.catalog.health(entry.name)
                rows += (row for row in answer.value if row.service.kind == INGRESS_GATEWAY)
                cells += answer.cells
        return Answer(rows, tuple(cells))


class _Addresses:
    """Names by address, made anew when the cells behind them move."""

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}
        self._stamp: tuple[tuple[Cell, int], ...] = ()

    def stale(self) -> bool:
        return not self._stamp or not unmoved(self._stamp)

    def fill(self, answer: Answer[Any], rows: Iterable[tuple[str, str]]) -> None:
        self._stamp = stamp(answer)
        self._names = {}
        for address, name in rows:
            packed = parse_ip(address)
            if packed is not None:
                self._names.setdefault(packed, name)

    def find(self, packed: bytes) -> Answer[str | None]:
        return Answer(self._names.get(packed), tuple(cell for cell, _ in self._stamp))


class _Listed(msgspec.Struct):
    name: str = msgspec.field(name="Name", default="")


class _Listener(msgspec.Struct):
    services: list[_Listed] | None = msgspec.field(name="Services", default=None)


class _Gateway(msgspec.Struct):
    listeners: list[_Listener] | None = msgspec.field(name="Listeners", default=None)


_gateways = msgspec.json.Decoder(_Gateway)


def _lets_in(body: bytes, service: str) -> bool:
    """Whether a gateway's configuration entry names a service (or all of them)."""
    listed = [
        row.name.lower() for listener in _gateways.decode(body).listeners or () for row in listener.services or ()
    ]
    return service.lower() in listed or _WILDCARD in listed
