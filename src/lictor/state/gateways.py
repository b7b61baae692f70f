"""Gateways: which services a gateway's configuration entry binds to it, and who is reached through one.

Pure questions over the state, answered from the configuration entries of the kinds ingress-gateway and
terminating-gateway. Source: the reference's answers (conformance, connect-gateways).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from lictor.state.answer import Answer
from lictor.state.cells import Cell
from lictor.state.state import State
from lictor.state.tables import NUL
from lictor.state.views import HealthEntry
from lictor.types.catalog import INGRESS_GATEWAY, TERMINATING_GATEWAY, TYPICAL, Node, Service
from lictor.types.gateways import GatewayService, IngressGateway, ServiceName, TerminatingGateway
from lictor.types.gojson import decode
from lictor.types.query import ConfigEntry

ALL = "*"
_SERVERS = "consul"
"""The service of the servers, which no wildcard means."""


def services_of(state: State, gateway: str) -> Answer[list[GatewayService]]:
    """The services bound to a gateway, by name and port; those that only a wildcard means are marked."""
    cells: tuple[Cell, ...] = (state.cells.get((state.config_entries.prefix,)),)
    rows: dict[tuple[str, int], GatewayService] = {}
    for entry in _entries(state, gateway):
        bound = _bound(entry)
        explicit = {row.service.name.lower() for row in bound}
        for row in bound:
            if row.service.name != ALL:
                rows[row.service.name, row.port] = row
                continue
            cells += (state.cells.get(("catalog",)),)
            for name in _typical(state):
                if name.lower() not in explicit:
                    rows[name, row.port] = msgspec.structs.replace(
                        row, service=ServiceName(name=name), from_wildcard=True
                    )
    return Answer([rows[key] for key in sorted(rows)], cells)


def gateways_of(state: State, service: str, kind: str) -> Answer[list[str]]:
    """The gateways of a kind to which a service is bound, by name."""
    cells: tuple[Cell, ...] = (state.cells.get((state.config_entries.prefix,)),)
    found: list[str] = []
    low = service.lower()
    for entry in state.config_entries.scan(kind + NUL):
        names = {row.service.name.lower() for row in _bound(entry)}
        if ALL in names:
            cells += (state.cells.get(("catalog",)),)
        if low in names or (ALL in names and any(name.lower() == low for name in _typical(state))):
            found.append(entry.name)
    return Answer(found, cells)


def ingress_health(state: State, service: str) -> Answer[list[HealthEntry]]:
    """The instances of the ingress gateways that let a service in."""
    return _through(state, gateways_of(state, service, INGRESS_GATEWAY), Answer([], ()))


def connect_health(state: State, service: str) -> Answer[list[HealthEntry]]:
    """What reaches a service through the mesh: its proxies, its native instances, its terminating gateways."""
    gateways = gateways_of(state, service, TERMINATING_GATEWAY)
    return _through(state, gateways, state.catalog.connect_health(service))


def connect_instances(state: State, service: str) -> Answer[list[tuple[Node, Service]]]:
    """The same without checks."""
    gateways = gateways_of(state, service, TERMINATING_GATEWAY)
    own = state.catalog.connect_instances(service)
    rows, cells = own.value, own.cells + gateways.cells
    for name in gateways.value:
        more = state.catalog.instances(name)
        rows = rows + [row for row in more.value if row[1].kind == TERMINATING_GATEWAY]
        cells += more.cells
    return Answer(rows, cells)


def _through(state: State, gateways: Answer[list[str]], own: Answer[list[HealthEntry]]) -> Answer[list[HealthEntry]]:
    rows, cells = own.value, own.cells + gateways.cells
    for name in gateways.value:
        more = state.catalog.health(name)
        rows = rows + [row for row in more.value if row.service.kind in (INGRESS_GATEWAY, TERMINATING_GATEWAY)]
        cells += more.cells
    return Answer(rows, cells)


def _entries(state: State, gateway: str) -> Iterator[ConfigEntry]:
    for kind in (INGRESS_GATEWAY, TERMINATING_GATEWAY):
        entry = state.config_entries.get(kind, gateway)
        if entry is not None:
            yield entry


def _typical(state: State) -> Iterator[str]:
    """The names of the services that are no proxies or gateways, the servers' aside."""
    catalog = state.catalog
    for name in catalog.services.tags():
        rows = catalog.services.by_name.rows(name.lower())
        if name != _SERVERS and any(catalog.services.rows[row].kind == TYPICAL for row in rows):
            yield name


def _bound(entry: ConfigEntry) -> tuple[GatewayService, ...]:
    return _read(entry.kind, entry.name, entry.body, entry.create_index, entry.modify_index)


@lru_cache(maxsize=256)
def _read(kind: str, name: str, body: bytes, created: int, modified: int) -> tuple[GatewayService, ...]:
    """What an entry of one of the two kinds says, wildcards as they stand."""
    base = GatewayService(
        gateway=ServiceName(name=name), gateway_kind=kind, create_index=created, modify_index=modified
    )
    replace = msgspec.structs.replace
    if kind == INGRESS_GATEWAY:
        ingress = decode(body, IngressGateway)
        return tuple(
            replace(
                base,
                service=ServiceName(name=service.name),
                port=listener.port,
                protocol=listener.protocol,
                hosts=service.hosts or [],
            )
            for listener in ingress.listeners
            for service in listener.services
        )
    return tuple(
        replace(
            base,
            service=ServiceName(name=service.name),
            ca_file=service.ca_file,
            cert_file=service.cert_file,
            key_file=service.key_file,
            sni=service.sni,
        )
        for service in decode(body, TerminatingGateway).services
    )
