"""A server as a member of its own cluster: a lease in its own store, kept by beats."""

from __future__ import annotations

import asyncio
from functools import partial

from lictor.errors import LictorError
from lictor.runtime.clock import Clock
from lictor.runtime.log import get_logger
from lictor.server.commands import members as commands
from lictor.server.server import Server
from lictor.types.member import Member

BEATS_PER_TTL = 4
log = get_logger("agent.membership")


class OwnMembership:
    """A server as a member of its own cluster."""

    def __init__(self, server: Server, member: Member, ttl: float, clock: Clock) -> None:
        self._server, self._member, self._ttl, self._clock = server, member, ttl, clock

    async def attach(self) -> int:
        """Becomes a member; returns the lease. Raises Conflict when another living agent has the name."""
        await self._server.write(partial(commands.attach, member=self._member, ttl=self._ttl, now=self._clock.time()))
        alive = self._server.state.members.alive.get(self._member.name)
        return alive.lease if alive is not None else 0

    async def run(self, lease: int) -> None:
        """Keeps the lease, or gets a new one, until cancelled."""
        while True:
            await asyncio.sleep(self._ttl / BEATS_PER_TTL)
            try:
                if not await self._server.store.keep_alive(lease):
                    lease = await self.attach()
            except LictorError as error:
                log.warning("cannot keep this server's own lease, trying again: %s", error)

    async def leave(self) -> None:
        """Goes of its own accord."""
        await self._server.write(partial(commands.leave, name=self._member.name, now=self._clock.time()))
