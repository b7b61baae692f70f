"""/v1/health: checks of nodes and services, and instances with their health."""

from __future__ import annotations

from lictor.api.context import Context
from lictor.api.http import Request
from lictor.api.options import go_bool
from lictor.api.router import Reply, Router
from lictor.api.selection import by_distance, filtered, has_meta, has_tags, node_meta
from lictor.errors import BadRequest
from lictor.state.answer import Answer
from lictor.state.gateways import connect_health, ingress_health
from lictor.state.views import HealthEntry
from lictor.types.catalog import ANY_STATUS, PASSING, STATUSES, Check

router = Router()


@router.read("/v1/health/node/")
def node(context: Context, request: Request) -> Reply:
    """A node's checks."""
    answer = context.state.catalog.node_checks(_named(request, "node name"))
    return Reply(filtered(request, answer.value, Check), answer.cells)


@router.read("/v1/health/checks/", cacheable=True)
def checks(context: Context, request: Request) -> Reply:
    """The checks of a service's instances."""
    return _checks(context, request, context.state.catalog.service_checks(_named(request, "service name")))


@router.read("/v1/health/state/")
def state(context: Context, request: Request) -> Reply:
    """The checks of a status."""
    status = request.rest
    if not status:
        raise BadRequest("Missing check state")
    if status not in (*STATUSES, ANY_STATUS):
        return Reply([], (context.state.cells.get(("status", ANY_STATUS)),))
    return _checks(context, request, context.state.catalog.checks_in(status))


@router.read("/v1/health/service/", cacheable=True)
def service(context: Context, request: Request) -> Reply:
    """A service's instances with their nodes and checks."""
    return _instances(request, context, context.state.catalog.health(_named(request, "service name")))


@router.read("/v1/health/connect/", cacheable=True)
def connect(context: Context, request: Request) -> Reply:
    """What can be reached through the mesh as a service, with checks."""
    return _instances(request, context, connect_health(context.state, _named(request, "service name")))


@router.read("/v1/health/ingress/", cacheable=True)
def ingress(context: Context, request: Request) -> Reply:
    """The ingress gateways through which a service is reached."""
    return _instances(request, context, ingress_health(context.state, _named(request, "service name")))


def _instances(request: Request, context: Context, answer: Answer[list[HealthEntry]]) -> Reply:
    wanted, tags = node_meta(request), request.params.get("tag", ())
    passing = _passing(request)
    rows = [
        row
        for row in answer.value
        if (not wanted or has_meta(row.node, wanted))
        and (not tags or has_tags(row.service.tags, tags))
        and (not passing or row.worst() == PASSING)
    ]
    rows, more = by_distance(context, request, filtered(request, rows, HealthEntry), lambda row: row.node.node)
    return Reply(rows, answer.cells + more)


def _checks(context: Context, request: Request, answer: Answer[list[Check]]) -> Reply:
    rows, cells = answer.value, answer.cells
    wanted = node_meta(request)
    if wanted:
        nodes = context.state.catalog.nodes
        rows = [row for row in rows if (found := nodes.get(row.node)) is not None and has_meta(found, wanted)]
        cells = (*cells, context.state.cells.get(("nodes",)))
    rows, more = by_distance(context, request, filtered(request, rows, Check), lambda row: row.node)
    return Reply(rows, cells + more)


def _passing(request: Request) -> bool:
    if not request.has("passing"):
        return False
    text = request.param("passing")
    value = go_bool(text) if text else True
    if value is None:
        error = BadRequest("Invalid value for ?passing")
        error.add_note("meta")
        error.add_note("known")
        raise error
    return value


def _named(request: Request, what: str) -> str:
    if not request.rest:
        raise BadRequest(f"Missing {what}")
    return request.rest
