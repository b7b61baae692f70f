"""`lictor catalog`: datacenters, nodes and services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lictor.cli.command import ListCommand, ServerCommand
from lictor.cli.flags import pairs, switch, text
from lictor.cli.table import table

if TYPE_CHECKING:
    from lictor.client.shapes import Node


def key_values(values: dict[str, str] | None, separator: str = ", ") -> str:
    """A map as text, by key."""
    return separator.join(f"{key}={value}" for key, value in sorted((values or {}).items()))


class Datacenters(ServerCommand, ListCommand):
    """Lists the datacenters that are known.

    $ lictor catalog datacenters
    """

    words = "catalog datacenters"
    synopsis = "List the datacenters"

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        names = self.client.catalog.datacenters().value
        if self.as_json:
            self.console.json(names)
        else:
            for name in names:
                self.console.line(name)
        return 0


class Nodes(ServerCommand, ListCommand):
    """Lists the nodes in the catalog.

    Those that run a service:

        $ lictor catalog nodes -service=web

    Those whose metadata say so, the nearest first:

        $ lictor catalog nodes -node-meta=zone=a -near=_agent
    """

    words = "catalog nodes"
    synopsis = "List the nodes"
    detailed = switch("Print whole ids, tagged addresses and metadata too.")
    filter = text("Only what this expression matches; `-` reads it from standard input, @FILE from a file.")
    near = text("Sort by the round trip time from this node; _agent is the agent's own.")
    node_meta = pairs("Only nodes with this metadata. May be repeated.")
    service = text("Only nodes that run this service.")

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        nodes = self._nodes()
        if self.as_json:
            self.console.json(nodes)
        elif not nodes:
            self.console.complain("No nodes match the given query - try expanding your search.")
        else:
            for line in table([self._titles(), *map(self._row, nodes)]):
                self.console.line(line)
        return 0

    def _nodes(self) -> list[Node]:
        expression = self.console.data(self.filter).decode() if self.filter else ""
        if not self.service:
            return self.client.catalog.nodes(near=self.near, node_meta=self.node_meta, filter=expression).value
        found = self.client.catalog.service(
            self.service, near=self.near, node_meta=self.node_meta, filter=expression
        ).value
        nodes: dict[str, Node] = {}
        for instance in found:
            nodes.setdefault(
                instance["Node"],
                {
                    "ID": instance.get("ID", ""),
                    "Node": instance["Node"],
                    "Address": instance.get("Address", ""),
                    "Datacenter": instance.get("Datacenter", ""),
                    "TaggedAddresses": instance.get("TaggedAddresses"),
                    "Meta": instance.get("NodeMeta"),
                    "CreateIndex": instance.get("CreateIndex", 0),
                    "ModifyIndex": instance.get("ModifyIndex", 0),
                },
            )
        return list(nodes.values())

    def _titles(self) -> list[str]:
        return ["Node", "ID", "Address", "DC", *(["TaggedAddresses", "Meta"] if self.detailed else [])]

    def _row(self, node: Node) -> list[str]:
        row = [node["Node"], node.get("ID", ""), node.get("Address", ""), node.get("Datacenter", "")]
        if self.detailed:
            return [*row, key_values(node.get("TaggedAddresses")), key_values(node.get("Meta"))]
        row[1] = row[1].partition("-")[0]
        return row


class Services(ServerCommand, ListCommand):
    """Lists the services in the catalog.

        $ lictor catalog services -tags

    Those of one node:

        $ lictor catalog services -node=worker-01
    """

    words = "catalog services"
    synopsis = "List the services"
    node = text("Only services on this node, by its name or id.")
    node_meta = pairs("Only services on nodes with this metadata. May be repeated.")
    tags = switch("Print each service's tags too.")

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        services = self._services()
        names = sorted(services)
        if self.as_json:
            self.console.json({name: sorted(services[name]) for name in names})
        elif not names:
            self.console.complain("No services match the given query - try expanding your search.")
        elif self.tags:
            for line in table([(name, ",".join(sorted(services[name]))) for name in names], gap=6):
                self.console.line(line)
        else:
            for name in names:
                self.console.line(name)
        return 0

    def _services(self) -> dict[str, list[str]]:
        if not self.node:
            return self.client.catalog.services(node_meta=self.node_meta).value
        found: dict[str, Any] = self.client.catalog.node(self.node, node_meta=self.node_meta).value or {}
        services: dict[str, list[str]] = {}
        for service in (found.get("Services") or {}).values():
            services.setdefault(service["Service"], []).extend(service.get("Tags") or ())
        return services


COMMANDS = (Datacenters, Nodes, Services)
GROUPS = {"catalog": "Look into the catalog"}
