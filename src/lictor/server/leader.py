"""What one server does for all: ending sessions whose time has run out, and nodes whose agent is gone.

Each duty waits for a cell and then writes a plan that checks its own premise, so that two servers which believe for a
moment that they lead do no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lictor.errors import LictorError
from lictor.runtime.log import get_logger
from lictor.server.commands import members, sessions
from lictor.server.commands.misc import put_coordinates
from lictor.server.transaction import Tx
from lictor.types.kv import Coord, Coordinate
from lictor.types.member import ALIVE

if TYPE_CHECKING:
    from lictor.server.server import Server

RETRY_SECONDS = 1.0
REAP_LOOK_SECONDS = 60.0
"""How often members are looked through for those that are gone for good."""
PLACE_SECONDS = 15.0
"""How often members without a coordinate are looked for (the reference's agents send theirs as often)."""
log = get_logger("server.leader")


async def run(server: Server) -> None:
    """Does the duties until cancelled."""
    async with asyncio.TaskGroup() as duties:
        duties.create_task(_expire_sessions(server))
        duties.create_task(_mark_dead_members(server))
        duties.create_task(_reap_members(server))
        duties.create_task(_place_members(server))


async def _expire_sessions(server: Server) -> None:
    while True:
        answer = server.state.keys.orphans()
        for session in answer.value:
            log.debug("session's TTL ran out: %s", session.id)
        if answer.value:
            await _try(server, partial(_expire, ids=[session.id for session in answer.value]))
            continue
        await server.moved(answer.cells)


async def _mark_dead_members(server: Server) -> None:
    told: set[str] = set()
    while True:
        answer = server.state.members.dead()
        dead = {member.name for member in answer.value}
        told &= dead
        for name in sorted(dead - told):
            log.info("member %s is gone: its agent is not live or unreachable", name)
            if await _try(server, partial(members.mark_dead, name=name, now=server.clock.time())):
                told.add(name)
        if told == dead:
            await server.moved((*answer.cells, *server.state.members.all().cells))


async def _reap_members(server: Server) -> None:
    """Forgets those that have been gone for longer than the reconnect timeout."""
    while True:
        oldest = server.clock.time() - server.reconnect_timeout
        answer = server.state.members.all()
        for member, status in answer.value:
            if status != ALIVE and 0 < member.since < oldest:
                log.info("member %s has been gone for too long and is forgotten", member.name)
                await _try(server, partial(members.reap, name=member.name))
        await server.moved(answer.cells, REAP_LOOK_SECONDS)


async def _place_members(server: Server) -> None:
    """Gives members that have no network coordinate the origin, so that distances between nodes are known.

    Nothing measures round trips: a coordinate that somebody else put is left as it is.
    """
    while True:
        await asyncio.sleep(PLACE_SECONDS)
        coordinates = server.state.coordinates
        missing = [
            Coordinate(node=member.name, coord=Coord(vec=[0.0] * 8))
            for member, status in server.state.members.all().value
            if status == ALIVE and coordinates.get(member.name) is None
        ]
        if missing:
            await _try(server, partial(put_coordinates, coordinates=missing))


async def _try(server: Server, plan: Callable[[Tx], None]) -> bool:
    try:
        await server.write(plan)
    except LictorError as error:
        log.warning("a duty failed and is tried again: %s", error)
        await asyncio.sleep(RETRY_SECONDS)
        return False
    return True


def _expire(tx: Tx, ids: list[str]) -> None:
    """Ends the sessions that still have a TTL and no sign of life."""
    keys = tx.state.keys
    for session_id in ids:
        session = tx.get(keys.sessions, session_id)
        if session is not None and session.ttl_seconds > 0 and tx.get(keys.alive, session_id) is None:
            sessions.destroy(tx, session_id)
