"""The catalog: nodes, services and checks, their indexes, and what can be asked of them.

Cells: ("nodes",) any node; ("node", n) a node and its services; ("node-checks", n); ("services",) the set of service
names and tags; ("catalog",) anything but checks; ("service", s) instances and their nodes; ("health", s) the same and
their checks; ("connect", s) what can be reached through the mesh as s, with checks; ("checks", s) a service's checks;
("status", x) the checks of a status. A change to one service never moves another's cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

from lictor.state.answer import Answer
from lictor.state.cells import Cells
from lictor.state.tables import NUL, Index, Table
from lictor.state.views import HealthEntry
from lictor.types.catalog import ANY_STATUS, CONNECT_PROXY, Check, Node, Service


class Nodes(Table[Node]):
    prefix, kind = "node", Node

    def __init__(self, services: Services, checks: Checks) -> None:
        super().__init__()
        self._services, self._checks = services, checks
        self.by_id: dict[str, str] = {}

    def moved(self, name: str, old: Node | None, new: Node | None, touched: set[Hashable]) -> None:
        if old is not None and old.id and self.by_id.get(old.id.lower()) == name:
            del self.by_id[old.id.lower()]
        if new is not None and new.id:
            self.by_id[new.id.lower()] = name
        touched.update((("nodes",), ("catalog",), ("node", name)))
        for service in self._services.of_node(name):
            touched.update(_service_cells(service))


class Services(Table[Service]):
    prefix, kind = "service", Service

    def __init__(self) -> None:
        super().__init__()
        self.by_name = Index()
        self.by_connect = Index()
        self._tags: dict[str, Counter[str]] = {}

    def of_node(self, node: str) -> Iterator[Service]:
        """A node's instances in the order of their ids."""
        return self.scan(node.lower() + NUL)

    def checked_by(self, node: str, service_id: str) -> Iterable[Service]:
        """The instances that a check counts for: its own, or with an empty `service_id` all of the node."""
        if not service_id:
            return self.of_node(node)
        service = self.get(node, service_id)
        return () if service is None else (service,)

    def moved(self, name: str, old: Service | None, new: Service | None, touched: set[Hashable]) -> None:
        node = name.split(NUL, 1)[0]
        self.by_name.swap(name, [old.service.lower()] if old else [], [new.service.lower()] if new else [])
        self.by_connect.swap(name, _connect_names(old), _connect_names(new))
        touched.update((("node", node), ("catalog",)))
        for service in (old, new):
            if service is not None:
                touched.update(_service_cells(service))
        same = old is not None and new is not None and (old.service, old.tags) == (new.service, new.tags)
        if not same and self._count_tags(old, -1) | self._count_tags(new, 1):
            touched.add(("services",))

    def _count_tags(self, service: Service | None, by: int) -> bool:
        """Counts an instance's tags in or out; True when that changed the set of names and tags."""
        if service is None:
            return False
        counts = self._tags.setdefault(service.service, Counter())
        changed = False
        for tag in ("", *service.tags):  # the empty tag stands for the name itself
            counts[tag] += by
            changed |= counts[tag] == (1 if by > 0 else 0)
            if not counts[tag]:
                del counts[tag]
        if not counts:
            del self._tags[service.service]
        return changed

    def tags(self) -> dict[str, list[str]]:
        """Every service's name with the tags that any of its instances has."""
        return {name: [tag for tag in counts if tag] for name, counts in sorted(self._tags.items())}


class Checks(Table[Check]):
    prefix, kind = "check", Check

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self.by_service = Index()
        self.by_status = Index()
        self._by_instance = Index()

    def of_instance(self, node: str, service_id: str) -> list[Check]:
        """The checks of one of a node's instances by id; those of the node itself when `service_id` is empty."""
        return [self.rows[row] for row in self._by_instance.rows(self.name(node, service_id))]

    def of_node(self, node: str) -> Iterator[Check]:
        """A node's checks in the order of their ids."""
        return self.scan(node.lower() + NUL)

    def moved(self, name: str, old: Check | None, new: Check | None, touched: set[Hashable]) -> None:
        node = name.split(NUL, 1)[0]
        self.by_service.swap(name, _service_name(old), _service_name(new))
        self.by_status.swap(name, [old.status] if old else [], [new.status] if new else [])
        self._by_instance.swap(
            name, [self.name(node, old.service_id)] if old else [], [self.name(node, new.service_id)] if new else []
        )
        touched.update((("node-checks", node), ("status", ANY_STATUS)))
        for check in (old, new):
            if check is None:
                continue
            touched.add(("status", check.status))
            if check.service_name:
                touched.add(("checks", check.service_name.lower()))
            for service in self._services.checked_by(node, check.service_id):
                touched.add(("health", service.service.lower()))
                touched.update(("connect", n) for n in _connect_names(service))


class Catalog:
    """The three tables and the questions asked of them. Names are matched whatever their case."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self.services = Services()
        self.checks = Checks(self.services)
        self.nodes = Nodes(self.services, self.checks)

    def all_nodes(self) -> Answer[list[Node]]:
        """Every node by name."""
        return Answer(list(self.nodes.scan()), (self._cells.get(("nodes",)),))

    def node(self, name: str) -> Answer[Node | None]:
        """One node; its cell moves with its services too."""
        return Answer(self.nodes.get(name), (self._cells.get(("node", name.lower())),))

    def node_services(self, name: str) -> Answer[list[Service]]:
        """A node's instances."""
        return Answer(list(self.services.of_node(name)), (self._cells.get(("node", name.lower())),))

    def service_names(self) -> Answer[dict[str, list[str]]]:
        """Every service name with its tags."""
        return Answer(self.services.tags(), (self._cells.get(("services",)),))

    def instances(self, name: str) -> Answer[list[tuple[Node, Service]]]:
        """A service's instances with their nodes, by node and id."""
        rows = self._rows(self.services.by_name.rows(name.lower()))
        return Answer(list(rows), (self._cells.get(("service", name.lower())),))

    def connect_instances(self, name: str) -> Answer[list[tuple[Node, Service]]]:
        """What can be reached through the mesh as `name`: its proxies and its native instances."""
        rows = self._rows(self.services.by_connect.rows(name.lower()))
        return Answer(list(rows), (self._cells.get(("connect", name.lower())),))

    def health(self, name: str) -> Answer[list[HealthEntry]]:
        """A service's instances with their nodes and checks."""
        rows = self._rows(self.services.by_name.rows(name.lower()))
        return Answer([self.entry(n, s) for n, s in rows], (self._cells.get(("health", name.lower())),))

    def connect_health(self, name: str) -> Answer[list[HealthEntry]]:
        """`connect_instances` with their checks."""
        rows = self._rows(self.services.by_connect.rows(name.lower()))
        return Answer([self.entry(n, s) for n, s in rows], (self._cells.get(("connect", name.lower())),))

    def entry(self, node: Node, service: Service) -> HealthEntry:
        """An instance with the checks that count for it: the node's own first, then its own."""
        shared = self.checks.of_instance(node.node, "")
        return HealthEntry(node=node, service=service, checks=shared + self.checks.of_instance(node.node, service.id))

    def node_checks(self, name: str) -> Answer[list[Check]]:
        """A node's checks."""
        return Answer(list(self.checks.of_node(name)), (self._cells.get(("node-checks", name.lower())),))

    def service_checks(self, name: str) -> Answer[list[Check]]:
        """The checks of a service's instances."""
        rows = [self.checks.rows[row] for row in self.checks.by_service.rows(name.lower())]
        return Answer(rows, (self._cells.get(("checks", name.lower())),))

    def checks_in(self, status: str) -> Answer[list[Check]]:
        """Every check of a status, or all of them for "any"."""
        if status == ANY_STATUS:
            rows = list(self.checks.scan())
        else:
            rows = [self.checks.rows[row] for row in self.checks.by_status.rows(status)]
        return Answer(rows, (self._cells.get(("status", status)),))

    def _rows(self, names: Iterable[str]) -> Iterator[tuple[Node, Service]]:
        for name in names:
            node = self.nodes.rows.get(name.split(NUL, 1)[0])
            if node is not None:
                yield node, self.services.rows[name]


def _connect_names(service: Service | None) -> list[str]:
    """The names under which the mesh reaches an instance."""
    if service is None:
        return []
    if service.kind == CONNECT_PROXY:
        return [service.proxy.destination_service_name.lower()]
    return [service.service.lower()] if service.connect.native else []


def _service_name(check: Check | None) -> list[str]:
    return [check.service_name.lower()] if check is not None and check.service_name else []


def _service_cells(service: Service) -> Iterator[Hashable]:
    """The cells that hold an instance."""
    name = service.service.lower()
    yield ("service", name)
    yield ("health", name)
    for connect in _connect_names(service):
        yield ("connect", connect)
