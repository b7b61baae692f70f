"""/v1/catalog: what is registered, and registering it without an agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from lictor.client.group import Group, M, Read, Scope, call, doing, reading
from lictor.client.request import Answer, Request, part, value_of

if TYPE_CHECKING:
    from lictor.client.shapes import CatalogService, Node


class Catalog(Group[M]):
    """The catalog of nodes and services."""

    @call
    def datacenters(self, **options: Unpack[Read]) -> Request[Answer[list[str]]]:
        """The datacenters, nearest first."""
        return reading("/v1/catalog/datacenters", value_of, options, blocks=False)

    @call
    def nodes(self, **options: Unpack[Read]) -> Request[Answer[list[Node]]]:
        """Every node."""
        return reading("/v1/catalog/nodes", value_of, options)

    @call
    def services(self, **options: Unpack[Read]) -> Request[Answer[dict[str, list[str]]]]:
        """Every service's name with all the tags of its instances."""
        return reading("/v1/catalog/services", value_of, options)

    @call
    def service(
        self, name: str, *, tags: Iterable[str] = (), **options: Unpack[Read]
    ) -> Request[Answer[list[CatalogService]]]:
        """The instances of a service that carry all of `tags`, whatever their health."""
        return reading(f"/v1/catalog/service/{part(name)}", value_of, options, *(("tag", tag) for tag in tags))

    @call
    def connect(
        self, name: str, *, tags: Iterable[str] = (), **options: Unpack[Read]
    ) -> Request[Answer[list[CatalogService]]]:
        """The mesh-capable instances of a service."""
        return reading(f"/v1/catalog/connect/{part(name)}", value_of, options, *(("tag", tag) for tag in tags))

    @call
    def node(self, name: str, **options: Unpack[Read]) -> Request[Answer[dict[str, Any] | None]]:
        """`Node` and `Services` (by id) of one node, or None where there is no such node."""
        return reading(f"/v1/catalog/node/{part(name)}", value_of, options, absent=(404,))

    @call
    def node_services(self, name: str, **options: Unpack[Read]) -> Request[Answer[dict[str, Any] | None]]:
        """`Node` and `Services` (a list) of one node."""
        return reading(f"/v1/catalog/node-services/{part(name)}", value_of, options, absent=(404,))

    @call
    def gateway_services(self, gateway: str, **options: Unpack[Read]) -> Request[Answer[list[dict[str, Any]]]]:
        """The services bound to a gateway."""
        return reading(f"/v1/catalog/gateway-services/{part(gateway)}", value_of, options)

    @call
    def register(self, registration: Mapping[str, Any], **options: Unpack[Scope]) -> Request[None]:
        """Writes a node with, if given, its `Service`, `Check` and `Checks`."""
        return doing("PUT", "/v1/catalog/register", options, body=registration)

    @call
    def deregister(self, registration: Mapping[str, Any], **options: Unpack[Scope]) -> Request[None]:
        """Removes a node, or its `ServiceID` or `CheckID` where one is given."""
        return doing("PUT", "/v1/catalog/deregister", options, body=registration)
