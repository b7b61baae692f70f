"""/v1/agent: this agent itself - who it is, whom it knows, how it fares, and what it is told to do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from lictor.acl.authorizer import require
from lictor.agent.config import sanitised
from lictor.agent.identity import own_member
from lictor.api.context import Context
from lictor.api.hostinfo import host_info
from lictor.api.http import Request, Response, StreamResponse, empty_response, json_response, text_response
from lictor.api.options import go_bool
from lictor.api.router import Router
from lictor.errors import BadRequest, Refused, Unavailable, UnsupportedMedia
from lictor.runtime.log import ROOT, Tap, level_of
from lictor.types.kv import Coord
from lictor.types.member import ALIVE, FAILED, LEFT, Member
from lictor.version import REFERENCE, VERSION

router = Router(local=True)

MONITOR_LINES = 512


@router.action("GET", "/v1/agent/self")
async def itself(context: Context, request: Request) -> Response:
    """The agent's configuration, coordinate, member row, statistics and metadata."""
    agent = context.agent
    require(request.authorizer, "agent", agent.node.node, "read")
    config = agent.config
    return json_response(
        {
            "Config": {
                "Datacenter": config.datacenter,
                "PrimaryDatacenter": config.primary_datacenter or config.datacenter,
                "NodeName": config.node_name,
                "NodeID": agent.node.id,
                "Revision": f"lictor-{VERSION}",
                "Server": config.server,
                "Version": REFERENCE,
            },
            "DebugConfig": sanitised(config),
            "Coord": Coord(vec=[0.0] * 8),
            "Member": _member(own_member(config, agent.node), ALIVE, wan=False),
            "Stats": await _stats(context),
            "Meta": agent.node.meta,
        }
    )


@router.action("GET", "/v1/agent/members")
async def members(context: Context, request: Request) -> Response:
    """Every agent of the cluster, or with ?wan every server of all datacenters."""
    if request.param("segment") not in ("", "_all"):
        raise Refused("Network segments are not supported in this version of Consul")
    wan = request.has("wan")
    rows = await context.agent.role.members()
    return json_response([_member(member, status, wan=wan) for member, status in rows if member.server or not wan])


@router.action("GET", "/v1/agent/host")
async def host(context: Context, request: Request) -> Response:
    """The machine: memory, processors, disk, system."""
    require(request.authorizer, "operator", "", "read")
    config = context.agent.config
    return json_response(host_info(config.data_dir or "/", context.clock.time()))


@router.action("GET", "/v1/agent/version")
async def version(context: Context, request: Request) -> Response:
    """The version, as later releases of the reference tell it."""
    return json_response({"HumanVersion": REFERENCE, "Version": REFERENCE, "SHA": "", "Lictor": VERSION})


@router.action("GET", "/v1/agent/metrics")
async def metrics(context: Context, request: Request) -> Response:
    """What the agent measures, as JSON or with ?format=prometheus as text."""
    require(request.authorizer, "agent", context.agent.node.node, "read")
    numbers = context.agent.metrics
    if request.param("format") == "prometheus":
        if not numbers.prometheus_enabled:
            raise UnsupportedMedia("Prometheus is not enabled since its retention time is not positive")
        return text_response(numbers.as_prometheus())
    return json_response(numbers.as_json())


@router.action("GET", "/v1/agent/monitor")
async def monitor(context: Context, request: Request) -> StreamResponse:
    """The log as it is written, from ?loglevel up, until the client leaves."""
    require(request.authorizer, "agent", context.agent.node.node, "read")
    level = level_of(request.param("loglevel") or "info")
    if level is None:
        raise BadRequest(f"Unknown log level: {request.param('loglevel')}")
    as_json = request.param("logjson")
    if as_json and go_bool(as_json) is None:
        raise BadRequest(f"Invalid value for ?logjson: {as_json}")
    return StreamResponse(_lines(level, bool(as_json and go_bool(as_json))), headers=[("Content-Type", "text/plain")])


@router.action("PUT", "/v1/agent/reload")
async def reload(context: Context, request: Request) -> Response:
    """Reads the configuration again."""
    require(request.authorizer, "agent", context.agent.node.node, "write")
    await context.agent.reload()
    return empty_response()


@router.action("PUT", "/v1/agent/leave")
async def leave(context: Context, request: Request) -> Response:
    """Leaves the cluster and stops."""
    require(request.authorizer, "agent", context.agent.node.node, "write")
    # A moment for this answer to reach the client before the listeners go.
    asyncio.get_running_loop().call_later(0.1, partial(context.agent.shutdown, leave=True))
    return empty_response()


@router.action("PUT", "/v1/agent/join/")
async def join(context: Context, request: Request) -> Response:
    """Joins another agent's cluster; to join oneself is to be there already."""
    require(request.authorizer, "agent", context.agent.node.node, "write")
    if not request.rest:
        raise BadRequest("Missing address")
    await context.agent.role.join([request.rest])
    return empty_response()


@router.action("PUT", "/v1/agent/force-leave/")
async def force_leave(context: Context, request: Request) -> Response:
    """Declares a failed member gone."""
    require(request.authorizer, "operator", "", "write")
    if not request.rest:
        raise BadRequest("Missing node name")
    await context.agent.role.force_leave(request.rest)
    return empty_response()


@router.action("PUT", "/v1/agent/maintenance")
async def maintenance(context: Context, request: Request) -> Response:
    """Puts the whole node into maintenance, or takes it out."""
    require(request.authorizer, "node", context.agent.node.node, "write")
    enable = enabled(request)
    context.agent.local.set_node_maintenance(enable, request.param("reason"), request.param("token"))
    await context.agent.settle()
    return empty_response()


def enabled(request: Request) -> bool:
    """?enable, which maintenance cannot do without."""
    if not request.has("enable"):
        raise BadRequest("Missing value for enable")
    value = go_bool(request.param("enable"))
    if value is None:
        raise BadRequest(f'Invalid value for enable: "{request.param("enable")}"')
    return value


def _member(member: Member, status: int, *, wan: bool) -> dict[str, Any]:
    tags = {
        "build": f"{REFERENCE}:lictor",
        "dc": member.datacenter,
        "id": member.id,
        "role": "consul" if member.server else "node",
        "vsn": "2",
    }
    if member.server:
        tags["port"] = str(member.server_port)
    return {
        "Name": f"{member.name}.{member.datacenter}" if wan else member.name,
        "Addr": member.address,
        "Port": member.wan_port if wan else member.port,
        "Tags": tags,
        "Status": status,
        "ProtocolMin": 1,
        "ProtocolMax": 5,
        "ProtocolCur": 2,
        "DelegateMin": 2,
        "DelegateMax": 5,
        "DelegateCur": 4,
    }


async def _stats(context: Context) -> dict[str, dict[str, str]]:
    agent = context.agent
    local, server = agent.local, agent.role.server
    try:
        rows = await agent.role.members()
    except Unavailable:
        rows = []
    statuses = [status for _, status in rows]
    stats = {
        "agent": {"checks": str(len(local.checks())), "services": str(len(local.services()))},
        "build": {"revision": VERSION, "version": REFERENCE},
        "consul": {
            "known_servers": str(sum(member.server for member, _ in rows)),
            "server": str(server is not None).lower(),
        },
        "runtime": {"arch": os.uname().machine, "goroutines": "0", "os": "linux"},
        "serf_lan": {
            "members": str(len(rows)),
            "failed": str(statuses.count(FAILED)),
            "left": str(statuses.count(LEFT)),
        },
    }
    if server is not None:
        revision = str(server.state.revision)
        stats["consul"] |= {
            "known_datacenters": "1",
            "leader": str(server.leading).lower(),
            "leader_addr": agent.server_address,
        }
        stats["raft"] = {
            "applied_index": revision,
            "commit_index": revision,
            "last_log_index": revision,
            "num_peers": str(max(0, sum(member.server for member, _ in rows) - 1)),
            "state": "Leader" if server.leading else "Follower",
        }
    return stats


async def _lines(level: int, as_json: bool) -> AsyncIterator[bytes]:
    """Log lines as they come. A reader that is too slow loses the oldest, never the agent's time."""
    import logging

    queue: asyncio.Queue[str] = asyncio.Queue(MONITOR_LINES)
    loop = asyncio.get_running_loop()

    def offer(line: str) -> None:
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(line)

    def sink(line: str) -> None:
        loop.call_soon_threadsafe(offer, line)

    tap = Tap(level, as_json, sink)
    root = logging.getLogger(ROOT)
    root.addHandler(tap)
    try:
        yield b""
        while True:
            yield (await queue.get()).encode() + b"\n"
    finally:
        root.removeHandler(tap)
