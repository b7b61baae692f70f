"""What an agent is: a server with a store and the state, or a client of servers. The rest never asks which."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from lictor.agent.local import Catalog
from lictor.agent.local.statuses import WatchNode
from lictor.agent.remote.information import JoinInformation
from lictor.api.context import Forwards
from lictor.dns.source import Source
from lictor.server.server import Server
from lictor.types.member import Member

__all__ = ["Role"]


class Role(Protocol):
    """`open` comes first, `close` last; tasks that it starts end in `close`."""

    server: Server | None
    """The engine, on a server."""
    forwarder: Forwards | None
    """Who answers the HTTP API's questions about the catalog on an agent that is no server."""
    catalog: Catalog
    """Where anti-entropy writes to."""
    watch_node: WatchNode | None
    """For alias checks of other nodes."""

    async def open(self) -> list[asyncio.Task[None]]:
        """Takes up the role. Raises what keeps it from being taken up; a task that fails later stops the agent."""

    def dns_source(self) -> Source:
        """What DNS asks."""

    def join_information(self) -> JoinInformation:
        """What this agent tells newcomers."""

    async def members(self) -> Sequence[tuple[Member, int]]:
        """Every member with its status."""

    async def join(self, addresses: Sequence[str]) -> int:
        """Joins other agents' cluster; returns how many answered."""

    async def force_leave(self, name: str) -> None:
        """Declares a failed member gone."""

    async def leave(self) -> None:
        """Goes of its own accord."""

    async def close(self) -> None:
        """Lets go of everything."""
