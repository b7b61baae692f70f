"""/v1/catalog: nodes, services and instances, registration and deregistration."""

from __future__ import annotations

from typing import Any

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request, Response, json_response
from lictor.api.router import Reply, Router
from lictor.api.selection import by_distance, filtered, has_meta, has_tags, node_meta
from lictor.errors import BadRequest, Refused
from lictor.server.commands import catalog as commands
from lictor.state.gateways import connect_instances, services_of
from lictor.state.views import ServiceNode, service_node
from lictor.types.catalog import Node, Service
from lictor.types.requests import DeregisterRequest, RegisterRequest

router = Router()


@router.action("PUT", "/v1/catalog/register")
async def register(context: Context, request: Request) -> Response:
    """Registers a node and perhaps a service and checks."""
    body = commands.checked(await request.decode(RegisterRequest, limits.BODY_BYTES), context.config.datacenter)
    require(request.authorizer, "node", body.node, "write")
    if body.service is not None:
        require(request.authorizer, "service", body.service.service, "write")
    await context.server.write(lambda tx: commands.register(tx, body))
    return json_response(True)


@router.action("PUT", "/v1/catalog/deregister")
async def deregister(context: Context, request: Request) -> Response:
    """Deregisters a node, a service or a check."""
    body = await request.decode(DeregisterRequest, limits.BODY_BYTES)
    if body.datacenter and body.datacenter != context.config.datacenter:
        raise Refused("No path to datacenter")
    require(request.authorizer, "node", body.node, "write")
    await context.server.write(lambda tx: commands.deregister(tx, body))
    return json_response(True)


@router.read("/v1/catalog/datacenters", cacheable=True)
def datacenters(context: Context, request: Request) -> Reply:
    """The datacenters known: this one."""
    return Reply([context.config.datacenter], (), meta=False)


@router.read("/v1/catalog/nodes", cacheable=True, error_meta=True)
def nodes(context: Context, request: Request) -> Reply:
    """Every node, by ?node-meta, ?filter and ?near."""
    answer = context.state.catalog.all_nodes()
    wanted = node_meta(request)
    rows = [n for n in answer.value if has_meta(n, wanted)] if wanted else answer.value
    rows, more = by_distance(context, request, filtered(request, rows, Node), lambda n: n.node)
    return Reply(rows, answer.cells + more)


@router.read("/v1/catalog/services", cacheable=True, error_meta=True)
def services(context: Context, request: Request) -> Reply:
    """Service names with their tags, of nodes with ?node-meta."""
    catalog = context.state.catalog
    wanted = node_meta(request)
    if not wanted:
        answer = catalog.service_names()
        return Reply(answer.value, answer.cells)
    found: dict[str, dict[str, None]] = {}
    for node in catalog.nodes.scan():
        if has_meta(node, wanted):
            for service in catalog.services.of_node(node.node):
                found.setdefault(service.service, {}).update(dict.fromkeys(service.tags))
    return Reply({name: list(tags) for name, tags in sorted(found.items())}, (context.state.cells.get(("catalog",)),))


@router.read("/v1/catalog/service/", cacheable=True, error_meta=True)
def service(context: Context, request: Request) -> Reply:
    """A service's instances with their nodes."""
    return _instances(context, request, connect=False)


@router.read("/v1/catalog/connect/", cacheable=True, error_meta=True)
def connect(context: Context, request: Request) -> Reply:
    """What can be reached through the mesh as a service."""
    return _instances(context, request, connect=True)


@router.read("/v1/catalog/node/", error_meta=True)
def node(context: Context, request: Request) -> Reply:
    """A node with its services by id; null when there is none."""
    return _node(context, request, lambda rows: {row.id: row for row in rows}, {})


@router.read("/v1/catalog/node-services/", error_meta=True)
def node_services(context: Context, request: Request) -> Reply:
    """A node with its services as a list; null when there is none."""
    return _node(context, request, lambda rows: rows, None)


@router.read("/v1/catalog/gateway-services/", error_meta=True)
def gateway_services(context: Context, request: Request) -> Reply:
    """The services bound to a gateway; null when there are none."""
    answer = services_of(context.state, _named(request, "gateway name"))
    return Reply(answer.value or None, answer.cells)


def _instances(context: Context, request: Request, *, connect: bool) -> Reply:
    name = _named(request, "service name")
    answer = connect_instances(context.state, name) if connect else context.state.catalog.instances(name)
    wanted, tags = node_meta(request), request.params.get("tag", ())
    rows = [
        service_node(n, s)
        for n, s in answer.value
        if (not wanted or has_meta(n, wanted)) and (not tags or has_tags(s.tags, tags))
    ]
    rows, more = by_distance(context, request, filtered(request, rows, ServiceNode), lambda row: row.node)
    return Reply(rows, answer.cells + more)


def _node(context: Context, request: Request, shape: Any, empty: Any) -> Reply:
    name = _named(request, "node name")
    answer = context.state.catalog.node(name)
    if answer.value is None:
        return Reply(None, answer.cells)
    rows = filtered(request, context.state.catalog.node_services(name).value, Service)
    return Reply({"Node": answer.value, "Services": shape(rows) if rows else empty}, answer.cells)


def _named(request: Request, what: str) -> str:
    if not request.rest:
        raise BadRequest(f"Missing {what}")
    return request.rest
