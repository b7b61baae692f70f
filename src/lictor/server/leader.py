"""What one server does for all: ending sessions whose time has run out.

Each duty waits for a cell and then writes a plan that checks its own premise, so that two servers which believe for a
moment that they lead do no harm.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from lictor.errors import LictorError
from lictor.runtime.log import get_logger
from lictor.server.commands import sessions
from lictor.server.transaction import Tx

if TYPE_CHECKING:
    from lictor.server.server import Server

RETRY_SECONDS = 1.0
log = get_logger("server.leader")


async def run(server: Server) -> None:
    """Does the duties until cancelled."""
    await _expire_sessions(server)


async def _expire_sessions(server: Server) -> None:
    while True:
        answer = server.state.keys.orphans()
        for session in answer.value:
            log.debug("session's TTL ran out: %s", session.id)
        if answer.value:
            ids = [session.id for session in answer.value]
            try:
                await server.write(partial(_expire, ids=ids))
            except LictorError as error:
                log.warning("cannot end expired sessions, trying again: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            continue
        await server.moved(answer.cells)


def _expire(tx: Tx, ids: list[str]) -> None:
    """Ends the sessions that still have a TTL and no sign of life."""
    keys = tx.state.keys
    for session_id in ids:
        session = tx.get(keys.sessions, session_id)
        if session is not None and session.ttl_seconds > 0 and tx.get(keys.alive, session_id) is None:
            sessions.destroy(tx, session_id)
