"""How a client agent stays a member: a lease with the servers, kept by beats, and a request held open.

It attaches again, to this server or another, whenever the lease or the connection has ended, whatever ended it.
"""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import msgspec

from lictor.agent.remote.servers import Servers
from lictor.errors import Conflict, LictorError, Unavailable
from lictor.runtime.clock import Entropy
from lictor.runtime.log import get_logger
from lictor.types.gojson import encode
from lictor.types.member import Attached, Member

BEATS_PER_TTL = 4
BEAT_SECONDS = 2.0
"""How long a beat may take before the server counts as lost."""
RETRY_SECONDS = 0.5
log = get_logger("agent.membership")


class RemoteMembership:
    """A client agent as a member of its servers' cluster."""

    def __init__(self, servers: Servers, member: Member, entropy: Entropy) -> None:
        self._servers, self._entropy = servers, entropy
        self.member = member

    async def run(self) -> None:
        """Attaches and stays attached until cancelled. Raises Conflict when the name is another's at first."""
        first = True
        while True:
            try:
                attached = await self._attach()
            except Conflict:
                if first:
                    raise
                log.error("this agent's name is now another's: it is no member any more; trying again")
                await asyncio.sleep(RETRY_SECONDS * 10)
                continue
            except LictorError as error:
                log.warning("cannot attach to a server, trying again: %s", error)
                await asyncio.sleep(RETRY_SECONDS + self._entropy.jitter(RETRY_SECONDS))
                continue
            first = False
            self._servers.learn(attached.servers or (), whole=True)
            await self._stay(attached)

    async def leave(self) -> None:
        """Says goodbye, so that the node leaves the catalog. Raises Unavailable when no server hears it."""
        await self._servers.send(
            "PUT", f"/v1/internal/agent/leave/{quote(self.member.name, safe='')}", seconds=BEAT_SECONDS
        )

    async def _attach(self) -> Attached:
        response = await self._servers.send(
            "PUT",
            "/v1/internal/agent/attach",
            headers={"content-type": "application/json"},
            body=encode(self.member),
            seconds=BEAT_SECONDS * 2,
        )
        text = response.body.decode(errors="replace")[:512]
        if response.status == 409:
            raise Conflict(text)
        if response.status != 200:
            raise Unavailable(text)
        return msgspec.json.decode(response.body, type=Attached)

    async def _stay(self, attached: Attached) -> None:
        """Returns when the lease is lost or the server is."""
        server = self._servers.current
        log.info("attached to server %s", server)
        holding = asyncio.create_task(self._hold(attached.lease))
        beating = asyncio.create_task(self._beat(attached, server))
        try:
            await asyncio.wait((holding, beating), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (holding, beating):
                task.cancel()
            await asyncio.gather(holding, beating, return_exceptions=True)

    async def _hold(self, lease: int) -> None:
        """Ends when the server breaks off."""
        try:
            async with self._servers.stream("GET", f"/v1/internal/agent/hold/{lease}") as response:
                await response.read()
        except Unavailable as error:
            log.info("connection to the servers broke: %s", error)

    async def _beat(self, attached: Attached, server: str) -> None:
        """Ends when the lease has ended or another server is used now."""
        while self._servers.current == server:
            await asyncio.sleep(attached.ttl / BEATS_PER_TTL)
            try:
                response = await self._servers.send(
                    "PUT", f"/v1/internal/agent/beat/{attached.lease}", seconds=BEAT_SECONDS
                )
            except Unavailable as error:
                log.warning("a beat was not heard: %s", error)
                return
            if response.status != 200:
                return
