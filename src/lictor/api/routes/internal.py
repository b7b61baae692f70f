"""/v1/internal/ui: the overviews behind the web UI."""

from __future__ import annotations

from lictor.api.context import Context
from lictor.api.http import Request
from lictor.api.router import Reply, Router
from lictor.api.selection import filtered
from lictor.api.summaries import NodeInfo, behind_gateway, gather, listing, node_info
from lictor.errors import BadRequest
from lictor.state import State
from lictor.state.cells import Cell
from lictor.state.gateways import services_of
from lictor.state.views import HealthEntry
from lictor.types.catalog import ANY_STATUS, INGRESS_GATEWAY, TERMINATING_GATEWAY
from lictor.types.gateways import GatewayService

router = Router()


@router.read("/v1/internal/ui/nodes")
def nodes(context: Context, request: Request) -> Reply:
    """Every node with its services and checks."""
    state = context.state
    may = request.authorizer.may
    rows = [node_info(state, node) for node in state.catalog.nodes.scan() if may("node", node.node, "read")]
    return Reply(filtered(request, rows, NodeInfo), _everything(state))


@router.read("/v1/internal/ui/node/")
def node(context: Context, request: Request) -> Reply:
    """One node with its services and checks."""
    if not request.rest:
        raise BadRequest("Missing node name")
    state = context.state
    answer = state.catalog.node(request.rest)
    if answer.value is None or not request.authorizer.may("node", answer.value.node, "read"):
        return Reply(None, answer.cells, status=404, empty=True, meta=False)
    cells = answer.cells + state.catalog.node_checks(request.rest).cells
    return Reply(node_info(state, answer.value), cells)


@router.read("/v1/internal/ui/services")
def services(context: Context, request: Request) -> Reply:
    """Every service in sum."""
    state = context.state
    catalog = state.catalog
    entries = [
        catalog.entry(node, service)
        for node in catalog.nodes.scan()
        for service in catalog.services.of_node(node.node)
        if request.authorizer.may("service", service.service, "read")
    ]
    bound, cells = _all_bound(state)
    rows = listing(gather(filtered(request, entries, HealthEntry)), bound)
    return Reply(rows, _everything(state) + cells)


@router.read("/v1/internal/ui/gateway-services-nodes/")
def gateway_services(context: Context, request: Request) -> Reply:
    """The services behind one gateway in sum."""
    if not request.rest:
        raise BadRequest("Missing gateway name")
    state = context.state
    bound = services_of(state, request.rest)
    config = context.agent.config
    domains = [domain.strip(".") for domain in (config.domain, config.alt_domain)]
    suffixes = [f"{context.config.datacenter}.{domain}" for domain in domains if domain]
    rows = behind_gateway(bound.value, lambda name: state.catalog.health(name).value, suffixes)
    return Reply(rows, bound.cells + _everything(state))


def _everything(state: State) -> tuple[Cell, ...]:
    """The cells of the whole catalog."""
    return (state.cells.get(("catalog",)), state.cells.get(("status", ANY_STATUS)))


def _all_bound(state: State) -> tuple[list[GatewayService], tuple[Cell, ...]]:
    rows: list[GatewayService] = []
    cells: tuple[Cell, ...] = (state.cells.get((state.config_entries.prefix,)),)
    kinds = (INGRESS_GATEWAY, TERMINATING_GATEWAY)
    for name in sorted({entry.name for entry in state.config_entries.scan() if entry.kind in kinds}):
        answer = services_of(state, name)
        rows += answer.value
        cells += answer.cells
    return rows, cells
