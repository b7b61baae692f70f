"""A catalog in memory for the tests of DNS: records put in by hand, a cell a name."""

from __future__ import annotations

from collections import defaultdict

from lictor.dns import names
from lictor.dns.source import QueryResult
from lictor.state.answer import Answer
from lictor.state.cells import Cells
from lictor.state.views import HealthEntry
from lictor.types.catalog import Check, Node, Service


class Catalog:
    """A `Source` over dicts. `change` moves the cell of everything put under a name."""

    def __init__(self, datacenter: str = "dc1") -> None:
        self.datacenter = datacenter
        self.nodes: dict[str, Node] = {}
        self.instances: dict[tuple[str, str], list[HealthEntry]] = defaultdict(list)
        self.queries: dict[str, QueryResult] = {}
        self.clients: list[str] = []
        self._cells = Cells(1000)
        self._revision = 1

    def put_node(self, name: str, address: str, **fields: object) -> Node:
        node = Node(node=name, address=address, datacenter=self.datacenter, **fields)  # type: ignore[arg-type]
        self.nodes[name.lower()] = node
        self.change("node", name.lower())
        return node

    def put(
        self,
        node: Node,
        name: str,
        port: int = 80,
        *,
        status: str = "passing",
        reach: str = names.SERVICE,
        **fields: object,
    ) -> HealthEntry:
        service = Service(id=f"{name}-{port}", service=name, port=port, **fields)  # type: ignore[arg-type]
        check = Check(node=node.node, check_id=f"c-{port}", status=status, service_id=service.id, service_name=name)
        entry = HealthEntry(node=node, service=service, checks=[check])
        self.instances[name.lower(), reach].append(entry)
        self.change(reach, name.lower())
        return entry

    def change(self, *cell: str) -> None:
        self._revision += 1
        self._cells.move([cell, ("all",)], self._revision)

    def node(self, name: str, datacenter: str) -> Answer[Node | None] | None:
        if datacenter not in ("", self.datacenter):
            return None
        return Answer(self.nodes.get(name.lower()), (self._cells.get(("node", name.lower())),))

    def service(self, name: str, datacenter: str, reach: str) -> Answer[list[HealthEntry]] | None:
        if datacenter not in ("", self.datacenter):
            return None
        found = list(self.instances.get((name.lower(), reach), []))
        return Answer(found, (self._cells.get((reach, name.lower())),))

    def query(self, name: str, datacenter: str, client: str) -> Answer[QueryResult | None] | None:
        self.clients.append(client)
        if datacenter not in ("", self.datacenter):
            return None
        return Answer(self.queries.get(name.lower()), (self._cells.get(("all",)),))

    def node_at(self, packed: bytes) -> Answer[str | None]:
        found = [node.node for node in self.nodes.values() if names.parse_ip(node.address) == packed]
        return Answer(found[0] if found else None, (self._cells.get(("all",)),))

    def service_at(self, packed: bytes) -> Answer[str | None]:
        rows = [entry.service for entries in self.instances.values() for entry in entries]
        found = [row.service for row in rows if names.parse_ip(row.address) == packed]
        return Answer(found[0] if found else None, (self._cells.get(("all",)),))
