"""/v1/agent/services, service, checks, check, health: what is registered with this agent."""

from __future__ import annotations

from lictor import limits
from lictor.acl.authorizer import require
from lictor.agent.local.health import AgentService, agent_service, health_of_id, health_of_name
from lictor.api.context import Context
from lictor.api.http import Request, Response, empty_response, json_response, text_response
from lictor.api.options import wait_seconds
from lictor.api.router import Router
from lictor.api.routes.agent import enabled
from lictor.api.selection import filtered
from lictor.errors import BadRequest, NotFound
from lictor.types.catalog import CRITICAL, PASSING, WARNING, Check
from lictor.types.definitions import ALIASES, CheckSpec, ServiceSpec
from lictor.types.gojson import Wire, always

router = Router(local=True)


@router.action("GET", "/v1/agent/services")
async def services(context: Context, request: Request) -> Response:
    """This agent's services by id."""
    datacenter = context.config.datacenter
    rows = [agent_service(service, datacenter) for service in context.agent.local.services().values()]
    return json_response({row.id: row for row in filtered(request, rows, AgentService)})


@router.action("GET", "/v1/agent/service/")
async def service(context: Context, request: Request) -> Response:
    """One service; with ?hash the answer waits until the service differs from that."""
    local, service_id = context.agent.local, request.rest
    if request.param("hash"):
        await local.wait_for_change(service_id, request.param("hash"), wait_seconds(request))
    found = local.service(service_id)
    if found is None:
        raise NotFound(f"unknown service ID: {service_id}")
    require(request.authorizer, "service", found.service, "read")
    row = agent_service(found, context.config.datacenter)
    response = json_response(row)
    response.headers.append(("X-Consul-Contenthash", row.content_hash))
    return response


@router.action("PUT", "/v1/agent/service/register")
async def register_service(context: Context, request: Request) -> Response:
    """Registers a service with its checks; answers once the catalog has it (or is away)."""
    spec = await request.decode(ServiceSpec, limits.BODY_BYTES, ALIASES)
    require(request.authorizer, "service", spec.name, "write")
    replace = request.has("replace-existing-checks")
    context.agent.local.register_service(spec, token=request.param("token"), replace_checks=replace)
    await context.agent.settle()
    return empty_response()


@router.action("PUT", "/v1/agent/service/deregister/")
async def deregister_service(context: Context, request: Request) -> Response:
    """Deregisters a service with its checks. One that is not there is no error, as the reference has it."""
    if not request.rest:
        raise BadRequest("Missing service ID")
    require(request.authorizer, "service", request.rest, "write")
    context.agent.local.deregister_service(request.rest)
    await context.agent.settle()
    return empty_response()


@router.action("PUT", "/v1/agent/service/maintenance/")
async def service_maintenance(context: Context, request: Request) -> Response:
    """Puts a service into maintenance, or takes it out."""
    if not request.rest:
        raise BadRequest("Missing service ID")
    enable = enabled(request)
    require(request.authorizer, "service", request.rest, "write")
    context.agent.local.set_service_maintenance(request.rest, enable, request.param("reason"), request.param("token"))
    await context.agent.settle()
    return empty_response()


@router.action("GET", "/v1/agent/health/service/id/")
async def health_by_id(context: Context, request: Request) -> Response:
    """A local service's health by its id; the status code tells it too."""
    if not request.rest:
        raise BadRequest("Missing serviceID")
    return _health(request, *health_of_id(context.agent.local, request.rest))


@router.action("GET", "/v1/agent/health/service/name/")
async def health_by_name(context: Context, request: Request) -> Response:
    """The health of all local instances of a service; the status code tells the worst."""
    if not request.rest:
        raise BadRequest("Missing service Name")
    return _health(request, *health_of_name(context.agent.local, request.rest))


@router.action("GET", "/v1/agent/checks")
async def checks(context: Context, request: Request) -> Response:
    """This agent's checks by id."""
    rows = list(context.agent.local.checks().values())
    return json_response({row.check_id: row for row in filtered(request, rows, Check)})


@router.action("PUT", "/v1/agent/check/register")
async def register_check(context: Context, request: Request) -> Response:
    """Registers a check of the node or of a service."""
    spec = await request.decode(CheckSpec, limits.BODY_BYTES, ALIASES)
    require(request.authorizer, "node", context.agent.node.node, "write")
    context.agent.local.register_check(spec, token=request.param("token"))
    await context.agent.settle()
    return empty_response()


@router.action("PUT", "/v1/agent/check/deregister/")
async def deregister_check(context: Context, request: Request) -> Response:
    """Deregisters a check. One that is not there is no error."""
    if not request.rest:
        raise BadRequest("Missing check ID")
    require(request.authorizer, "node", context.agent.node.node, "write")
    context.agent.local.deregister_check(request.rest)
    await context.agent.settle()
    return empty_response()


@router.action("PUT", "/v1/agent/check/pass/")
async def check_pass(context: Context, request: Request) -> Response:
    """A sign of life for a TTL check: passing."""
    return await _update(context, request, PASSING)


@router.action("PUT", "/v1/agent/check/warn/")
async def check_warn(context: Context, request: Request) -> Response:
    """A sign of life for a TTL check: warning."""
    return await _update(context, request, WARNING)


@router.action("PUT", "/v1/agent/check/fail/")
async def check_fail(context: Context, request: Request) -> Response:
    """A sign for a TTL check: critical."""
    return await _update(context, request, CRITICAL)


class _Update(Wire, frozen=True, kw_only=True):
    status: str = always("")
    output: str = always("")


@router.action("PUT", "/v1/agent/check/update/")
async def check_update(context: Context, request: Request) -> Response:
    """A TTL check's status and output at once."""
    body = await request.decode(_Update, limits.BODY_BYTES)
    return await _update(context, request, body.status, body.output)


async def _update(context: Context, request: Request, status: str, output: str | None = None) -> Response:
    if not request.rest:
        raise BadRequest("Missing check ID")
    require(request.authorizer, "node", context.agent.node.node, "write")
    context.agent.local.update_ttl(request.rest, status, request.param("note") if output is None else output)
    await context.agent.settle()
    return empty_response()


def _health(request: Request, status: int, text: str, value: object) -> Response:
    wants_text = request.param("format") == "text" or "text/plain" in request.headers.get("accept", "")
    response = text_response(text, status) if wants_text else json_response(value, status)
    response.headers.append(("X-Consul-Reason", text))
    return response
