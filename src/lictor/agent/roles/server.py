"""The role of a server: a store, the state that follows it, and a lease with itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lictor.agent.config import RuntimeConfig
from lictor.agent.dns_queries import DNSQueries
from lictor.agent.identity import own_member
from lictor.agent.local import Catalog
from lictor.agent.local.statuses import WatchNode
from lictor.agent.other_nodes import OtherNodes
from lictor.agent.own_catalog import OwnCatalog
from lictor.agent.own_membership import OwnMembership
from lictor.agent.remote.information import JoinInformation
from lictor.api.context import Forwards
from lictor.dns.state_source import StateSource
from lictor.errors import LictorError, Refused
from lictor.runtime.clock import Clock
from lictor.runtime.log import get_logger
from lictor.server.commands import members as commands
from lictor.server.server import RECONNECT_TIMEOUT_SECONDS, Server
from lictor.store import Store
from lictor.types.catalog import Node
from lictor.types.member import Member

STORE_FILE = "store.db"
log = get_logger("agent")


class ServerRole:
    """See `Role`."""

    forwarder: Forwards | None = None

    def __init__(self, config: RuntimeConfig, node: Node, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self.server: Server | None
        member = own_member(config, node)
        timeout = config.reconnect_timeout or RECONNECT_TIMEOUT_SECONDS
        self._engine = self.server = Server(_store(config), clock, timeout, member.reached_at)
        self.catalog: Catalog = OwnCatalog(self._engine, config.datacenter)
        self.watch_node: WatchNode | None = OtherNodes(self._engine).watch
        self._membership = OwnMembership(self._engine, member, config.member_ttl, clock)
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> list[asyncio.Task[None]]:
        """Opens the store and becomes a member."""
        await self._engine.open()
        lease = await self._membership.attach()
        self._tasks = [asyncio.create_task(self._membership.run(lease), name="membership")]
        return self._tasks

    def dns_source(self) -> StateSource:
        """This server's own state."""
        state, datacenter = self._engine.state, self._config.datacenter
        return StateSource(state, datacenter, DNSQueries(state, self._config.node_name, datacenter))

    def join_information(self) -> JoinInformation:
        """The living servers."""
        servers = [member.reached_at for member in self._engine.state.members.servers().value]
        return JoinInformation(datacenter=self._config.datacenter, node=self._config.node_name, servers=servers)

    async def members(self) -> Sequence[tuple[Member, int]]:
        """Every member with its status."""
        return self._engine.state.members.all().value

    async def join(self, addresses: Sequence[str]) -> int:
        """A server with a store of its own joins nobody but itself."""
        config = self._config
        ours = {config.advertise_addr, f"{config.advertise_addr}:{config.ports.serf_lan}"}
        ours.add(f"{config.advertise_addr}:{config.ports.serf_wan}")
        strangers = [address for address in addresses if address not in ours]
        if strangers:
            raise Refused(
                f"1 error occurred:\n\t* Failed to join {strangers[0]}: this server keeps a store of its own and takes "
                "part in no other cluster; agents that are not servers can join it\n\n"
            )
        return len(addresses)

    async def force_leave(self, name: str) -> None:
        """Declares a failed member gone."""
        if self._engine.state.members.table.get(name) is None:
            raise Refused(f'agent: No node found with name "{name}"')
        await self._engine.write(partial(commands.leave, name=name, now=self._clock.time()))

    async def leave(self) -> None:
        """Goes of its own accord."""
        await self._membership.leave()

    async def close(self) -> None:
        """Closes the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._engine.close()
        except LictorError as error:
            log.error("the store did not close cleanly: %s", error)


def _store(config: RuntimeConfig) -> Store:
    """The store that the configuration asks for."""
    if config.store.kind == "memory":
        from lictor.store.memory import MemoryStore

        return MemoryStore()
    from lictor.store.sqlite import SQLiteStore

    return SQLiteStore(Path(config.data_dir) / STORE_FILE)
