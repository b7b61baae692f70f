"""/v1/operator/autopilot: the rules by which servers are looked after, and how the servers are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request, Response, json_response
from lictor.api.options import check_datacenter
from lictor.api.router import Router
from lictor.api.servers import Server, allow_look, servers
from lictor.errors import BadRequest, Refused
from lictor.server.commands.misc import put_setting
from lictor.types.duration import Duration
from lictor.types.gojson import Wire, always, decode, encode, parse_uint
from lictor.version import REFERENCE

router = Router()

SETTING = "autopilot"


class AutopilotConfig(Wire, frozen=True, kw_only=True):
    """How servers are looked after. What a PUT leaves out is zero, as by the reference."""

    cleanup_dead_servers: bool = always(False)
    last_contact_threshold: Duration = always(Duration())
    max_trailing_logs: int = always(0)
    min_quorum: int = always(0)
    server_stabilization_time: Duration = always(Duration())
    redundancy_zone_tag: str = always("")
    disable_upgrade_migration: bool = always(False)
    upgrade_version_tag: str = always("")
    create_index: int = always(0)
    modify_index: int = always(0)


DEFAULTS = AutopilotConfig(
    cleanup_dead_servers=True,
    last_contact_threshold=Duration.of(0.2),
    max_trailing_logs=250,
    server_stabilization_time=Duration.of(10),
)


@router.action("GET", "/v1/operator/autopilot/configuration")
async def autopilot_configuration(context: Context, request: Request) -> Response:
    """How servers are looked after."""
    allow_look(context, request)
    kept = context.state.singletons.get(SETTING)
    if kept is None:
        return json_response(DEFAULTS)
    config = decode(kept.body, AutopilotConfig)
    return json_response(
        msgspec.structs.replace(config, create_index=kept.create_index, modify_index=kept.modify_index)
    )


@router.action("PUT", "/v1/operator/autopilot/configuration")
async def set_autopilot_configuration(context: Context, request: Request) -> Response:
    """Sets how servers are looked after, with ?cas only if it is unchanged."""
    check_datacenter(request, context.config.datacenter)
    try:
        config = await request.decode(AutopilotConfig, limits.BODY_BYTES)
    except BadRequest as error:
        raise BadRequest(f"Bad request: Error parsing autopilot config: {error}") from None
    if config.max_trailing_logs < 0 or config.min_quorum < 0:
        raise BadRequest("Bad request: Error parsing autopilot config: MaxTrailingLogs and MinQuorum must be >= 0")
    index = None
    if request.has("cas"):
        try:
            index = parse_uint(request.param("cas"))
        except Refused as error:
            raise BadRequest(f"Bad request: Error parsing cas value: {error}") from None
    require(request.authorizer, "operator", "", "write")
    body = encode(msgspec.structs.replace(config, create_index=0, modify_index=0))
    return json_response(await context.server.write(lambda tx: put_setting(tx, SETTING, body, index)))


@router.action("GET", "/v1/operator/autopilot/health")
async def autopilot_health(context: Context, request: Request) -> Response:
    """The servers' health: 429 when something is wrong."""
    allow_look(context, request)
    known = servers(context)
    rows = [
        _health(context, server) | {"SerfStatus": "alive", "Leader": server.leader, "Voter": True} for server in known
    ]
    healthy = bool(known) and context.server.leading
    found = {"Healthy": healthy, "FailureTolerance": _tolerance(known), "Servers": rows}
    return json_response(found, 200 if healthy else 429)


@router.action("GET", "/v1/operator/autopilot/state")
async def autopilot_state(context: Context, request: Request) -> Response:
    """Everything known of the servers."""
    allow_look(context, request)
    known = servers(context)
    rows: dict[str, Any] = {}
    for server in known:
        rows[server.id] = _health(context, server) | {
            "NodeStatus": "alive",
            "Status": "leader" if server.leader else "voter",
            "Meta": None,
            "NodeType": "voter",
            "ReadReplica": False,
        }
    return json_response(
        {
            "Healthy": bool(known) and context.server.leading,
            "FailureTolerance": _tolerance(known),
            "OptimisticFailureTolerance": _tolerance(known),
            "Servers": rows,
            "Leader": next((server.id for server in known if server.leader), ""),
            "Voters": [server.id for server in known],
        }
    )


def _tolerance(known: list[Server]) -> int:
    """How many servers may fail at once."""
    return max(0, (len(known) - 1) // 2)


def _health(context: Context, server: Server) -> dict[str, Any]:
    since = datetime.fromtimestamp(int(context.agent.started_at), UTC)
    return {
        "ID": server.id,
        "Name": server.name,
        "Address": server.address,
        "Version": REFERENCE,
        "LastContact": "0s",
        "LastTerm": 1,
        "LastIndex": context.state.revision,
        "Healthy": True,
        "StableSince": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
