"""What local state needs now and then: services critical for too long go, and what TTL checks said is kept."""

from __future__ import annotations

import asyncio

from lictor.agent.local.state import LocalState
from lictor.errors import Unavailable
from lictor.runtime.log import get_logger

FLUSH_SECONDS = 1.0
"""How old what lies on disk of TTL checks may be."""

log = get_logger("agent.local")


async def upkeep(local: LocalState, reap_interval: float, flush_interval: float = FLUSH_SECONDS) -> None:
    """Runs until cancelled, and then keeps what is left. `reap_interval` is check_reap_interval in seconds."""
    next_reap = local.clock.monotonic() + reap_interval
    try:
        while True:
            await asyncio.sleep(flush_interval)
            if local.clock.monotonic() >= next_reap:
                local.reap()
                next_reap = local.clock.monotonic() + reap_interval
            await _flush(local)
    finally:
        await _flush(local)


async def _flush(local: LocalState) -> None:
    try:
        if local.files is not None:
            await local.files.flush()
    except Unavailable as error:
        log.error("%s", error)
