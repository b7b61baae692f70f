"""/v1/session: lock holders with a lifetime."""

from __future__ import annotations

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request, Response, json_response
from lictor.api.options import check_datacenter
from lictor.api.router import Reply, Router
from lictor.errors import BadRequest, NotFound, Refused
from lictor.server.commands import sessions as commands
from lictor.types.gojson import decode
from lictor.types.kv import Session, SessionRequest
from lictor.types.validate import lookup_error

router = Router()


@router.action("PUT", "/v1/session/create")
async def create(context: Context, request: Request) -> Response:
    """Creates a session, by default bound to this agent's node and to the check of its agent."""
    check_datacenter(request, context.config.datacenter)
    body = await request.body(limits.BODY_BYTES)
    asked = decode(body, SessionRequest) if body else SessionRequest()
    config = context.config
    session = commands.from_request(
        asked, context.entropy.uuid(), context.node_of(request), config.limits.session_ttl_min_seconds
    )
    require(request.authorizer, "session", session.node, "write")
    created = await context.server.write(lambda tx: commands.create(tx, session))
    return json_response({"ID": created.id})


@router.action("PUT", "/v1/session/destroy/")
async def destroy(context: Context, request: Request) -> Response:
    """Ends a session; one that is gone is no error."""
    check_datacenter(request, context.config.datacenter)
    session_id = _session_id(request)
    session = context.state.keys.sessions.get(session_id)
    if session is not None:
        require(request.authorizer, "session", session.node, "write")
    await context.server.write(lambda tx: commands.destroy(tx, session_id))
    return json_response(True)


@router.action("PUT", "/v1/session/renew/")
async def renew(context: Context, request: Request) -> Response:
    """Starts a session's time again."""
    check_datacenter(request, context.config.datacenter)
    session_id = _session_id(request)
    keys = context.state.keys
    session = keys.sessions.get(session_id)
    if session is not None:
        require(request.authorizer, "session", session.node, "write")
        alive = keys.alive.get(session_id)
        if session.ttl_seconds > 0 and (alive is None or not await context.server.store.keep_alive(alive.lease)):
            session = None  # its time ran out a moment ago; the leader is about to end it
    if session is None:
        raise NotFound(f"Session id '{session_id}' not found")
    return json_response([session])


@router.read("/v1/session/info/")
def info(context: Context, request: Request) -> Reply:
    """One session, as a list; an empty one when there is none."""
    answer = context.state.keys.session(_session_id(request))
    return Reply(_readable(request, [answer.value] if answer.value is not None else []), answer.cells)


@router.read("/v1/session/node/")
def node(context: Context, request: Request) -> Reply:
    """The sessions of a node."""
    if not request.rest:
        raise BadRequest("Missing node name")
    answer = context.state.keys.node_sessions(request.rest)
    return Reply(_readable(request, answer.value), answer.cells)


@router.read("/v1/session/list")
def sessions(context: Context, request: Request) -> Reply:
    """Every session."""
    answer = context.state.keys.all_sessions()
    return Reply(_readable(request, answer.value), answer.cells)


def _session_id(request: Request) -> str:
    if not request.rest:
        raise BadRequest("Missing session")
    if reason := lookup_error(request.rest):
        raise Refused(f"failed session lookup: index error: {reason}")
    return request.rest


def _readable(request: Request, rows: list[Session]) -> list[Session]:
    may = request.authorizer.may
    return [row for row in rows if may("session", row.node, "read")]
