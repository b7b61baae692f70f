"""/v1/coordinate: network coordinates, from which round trip times are estimated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from lictor.client.group import Group, M, Read, Scope, call, doing, fetching, reading
from lictor.client.request import Answer, Request, part, value_of


class Coordinates(Group[M]):
    """Network coordinates."""

    @call
    def datacenters(self, **options: Unpack[Scope]) -> Request[list[dict[str, Any]]]:
        """The coordinates of the servers of every datacenter, by area."""
        return fetching("/v1/coordinate/datacenters", options)

    @call
    def nodes(self, **options: Unpack[Read]) -> Request[Answer[list[dict[str, Any]]]]:
        """The coordinates of every node."""
        return reading("/v1/coordinate/nodes", value_of, options)

    @call
    def node(self, name: str, **options: Unpack[Read]) -> Request[Answer[list[dict[str, Any]]]]:
        """The coordinates of one node."""
        return reading(f"/v1/coordinate/node/{part(name)}", value_of, options)

    @call
    def update(self, coordinate: Mapping[str, Any], **options: Unpack[Scope]) -> Request[None]:
        """Reports a node's coordinate (`Node`, `Coord`)."""
        return doing("PUT", "/v1/coordinate/update", options, body=dict(coordinate))
