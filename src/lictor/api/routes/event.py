"""/v1/event: user events, fired and remembered."""

from __future__ import annotations

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request, Response, json_response
from lictor.api.options import check_datacenter
from lictor.api.router import Reply, Router
from lictor.errors import BadRequest
from lictor.server.events import checked, concerns, index_of
from lictor.types.kv import UserEvent

router = Router()


@router.action("PUT", "/v1/event/fire/")
async def fire(context: Context, request: Request) -> Response:
    """Fires an event, for the nodes that ?node, ?service and ?tag mean."""
    check_datacenter(request, context.config.datacenter)
    name = request.rest
    if not name:
        raise BadRequest("Missing name")
    require(request.authorizer, "event", name, "write")
    agent = context.agent
    event = checked(
        UserEvent(
            id=context.entropy.uuid(),
            name=name,
            payload=await request.body(limits.BODY_BYTES) or None,
            node_filter=request.param("node"),
            service_filter=request.param("service"),
            tag_filter=request.param("tag"),
            l_time=agent.events.next_time(),
        )
    )
    if concerns(event, context.config.node_name, agent.local.services().items()):
        agent.events.take(event)
    return json_response(event)


@router.read("/v1/event/list")
def events(context: Context, request: Request) -> Reply:
    """The events that this agent remembers, by ?name. Its index is made from the last one's id."""
    kept = context.agent.events
    rows = [event for event in kept.named(request.param("name")) if request.authorizer.may("event", event.name, "read")]
    index = index_of(rows)
    return Reply(rows, (kept.cell,), headers=(("X-Consul-Index", str(index)),), meta=False, index=index)
