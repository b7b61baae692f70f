"""/v1/internal/agent and /v1/internal/join: what agents ask servers and each other. Served on the server and join ports
only, beside the ordinary API.

An agent attaches and gets a lease; it beats to keep it and holds a request open, so that its server notices at once
when it is killed. Whoever attaches again, here or at another server, gets a new lease; the old one ends unheard.
"""

from __future__ import annotations

import asyncio
from functools import partial

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request, Response, empty_response, json_response
from lictor.api.router import Reply, Router
from lictor.errors import BadRequest, NotFound
from lictor.runtime.log import get_logger
from lictor.server.commands import members as commands
from lictor.types.gojson import parse_uint
from lictor.types.member import Attached, Member

GRACE_SECONDS = 1.5
"""How long an agent whose connection broke has to come back before its node counts as dead."""
log = get_logger("server.members")

router = Router()
joining = Router(local=True)


@joining.action("GET", "/v1/internal/join")
async def join_information(context: Context, request: Request) -> Response:
    """Where the servers are: all that a newcomer needs. Every agent tells it."""
    return json_response(context.agent.role.join_information())


@router.action("PUT", "/v1/internal/agent/attach")
async def attach(context: Context, request: Request) -> Response:
    """Takes an agent in. Answers its lease and the servers there are."""
    member = await request.decode(Member, limits.BODY_BYTES)
    require(request.authorizer, "node", member.name, "write")
    server, ttl = context.server, context.agent.config.member_ttl
    plan = partial(commands.attach, member=member, ttl=ttl, now=context.clock.time())
    await server.write(plan)
    alive = server.state.members.alive.get(member.name)
    if alive is None:
        raise NotFound(f"{member.name} is no member any more")
    log.info("member %s (%s) attached", member.name, member.address)
    return json_response(Attached(lease=alive.lease, ttl=ttl, servers=_servers(context)))


@router.action("PUT", "/v1/internal/agent/beat/")
async def beat(context: Context, request: Request) -> Response:
    """Keeps a lease; 404 when it has ended, so that the agent attaches again."""
    if not await context.server.store.keep_alive(parse_uint(request.rest)):
        raise NotFound("the lease has ended: attach again")
    return empty_response()


@router.action("GET", "/v1/internal/agent/hold/")
async def hold(context: Context, request: Request) -> Response:
    """Held open for as long as the agent lives. When it breaks off, the lease has only a moment left."""
    lease = parse_uint(request.rest)
    loop = asyncio.get_running_loop()
    broken = loop.create_future()

    def gone() -> None:
        if not broken.done():
            broken.set_result(None)
            context.agent.spawn(_end_lease_soon(context, lease))

    request.when_gone(gone)
    await broken
    return empty_response()


@router.action("PUT", "/v1/internal/agent/leave/")
async def leave(context: Context, request: Request) -> Response:
    """An agent says goodbye; its node leaves the catalog."""
    if not request.rest:
        raise BadRequest("Missing node name")
    require(request.authorizer, "node", request.rest, "write")
    await context.server.write(partial(commands.leave, name=request.rest, now=context.clock.time()))
    return empty_response()


@router.read("/v1/internal/members")
def members(context: Context, request: Request) -> Reply:
    """Every member with its status."""
    answer = context.state.members.all()
    return Reply([{"Member": member, "Status": status} for member, status in answer.value], answer.cells)


@router.read("/v1/internal/servers")
def servers(context: Context, request: Request) -> Reply:
    """The living servers as "host:port" of their server ports, and how many nodes there are."""
    answer = context.state.members.servers()
    return Reply({"Servers": _servers(context), "Nodes": len(context.state.catalog.nodes)}, answer.cells)


def _servers(context: Context) -> list[str]:
    return [member.reached_at for member in context.state.members.servers().value]


async def _end_lease_soon(context: Context, lease: int) -> None:
    """Ends a lease after a moment of grace. An agent that has attached again has another one and is not touched."""
    await asyncio.sleep(GRACE_SECONDS)
    await context.server.store.revoke(lease)
