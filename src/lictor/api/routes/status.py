"""/v1/status: who leads, who the servers are."""

from __future__ import annotations

from lictor.api.context import Context
from lictor.api.http import Request, Response, json_response
from lictor.api.options import check_datacenter
from lictor.api.router import Router

router = Router()


@router.action("GET", "/v1/status/leader")
async def leader(context: Context, request: Request) -> Response:
    """The leader's server address; empty text while there is none."""
    check_datacenter(request, context.config.datacenter)
    return json_response(context.server.leader_address)


@router.action("GET", "/v1/status/peers")
async def peers(context: Context, request: Request) -> Response:
    """The servers' addresses."""
    check_datacenter(request, context.config.datacenter)
    return json_response([member.reached_at for member in context.state.members.servers().value])
