"""The role of a server: a store, the state that follows it, and a lease with itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from lictor.agent.config import RuntimeConfig
from lictor.agent.dns_queries import DNSQueries
from lictor.agent.identity import own_member
from lictor.agent.local import Catalog
from lictor.agent.local.statuses import WatchNode
from lictor.agent.other_nodes import OtherNodes
from lictor.agent.own_catalog import OwnCatalog
from lictor.agent.own_membership import OwnMembership
from lictor.agent.remote.information import JoinInformation
from lictor.agent.tls import AgentTLS
from lictor.api.context import Forwards
from lictor.dns.state_source import StateSource
from lictor.errors import LictorError, Refused, Unavailable
from lictor.runtime.clock import Clock, Entropy
from lictor.runtime.log import get_logger
from lictor.server.commands import members as commands
from lictor.server.server import RECONNECT_TIMEOUT_SECONDS, Server
from lictor.store import Store
from lictor.types.catalog import Node
from lictor.types.member import Member

if TYPE_CHECKING:
    from lictor.agent.roles.forming import Forming

STORE_FILE = "store.db"
SERVER_TTL_SECONDS = 3.0
"""How long a server that gives no sign of life goes on counting as alive at the others."""
log = get_logger("agent")


class ServerRole:
    """See `Role`."""

    forwarder: Forwards | None = None

    def __init__(self, config: RuntimeConfig, node: Node, clock: Clock, entropy: Entropy, tls: AgentTLS) -> None:
        self._config, self._clock, self._entropy, self._tls = config, clock, entropy, tls
        self._member = own_member(config, node)
        self.server: Server | None = None
        self.watch_node: WatchNode | None = None
        self.catalog: Catalog
        self._forming: Forming | None = None
        self._membership: OwnMembership
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> list[asyncio.Task[None]]:
        """Opens the store, which may mean to form a cluster first, and becomes a member."""
        config = self._config
        timeout = config.reconnect_timeout or RECONNECT_TIMEOUT_SECONDS
        server = self.server = Server(await self._store(), self._clock, timeout, self._member.reached_at)
        self.catalog = OwnCatalog(server, config.datacenter)
        self.watch_node = OtherNodes(server).watch
        # A server's lease lies in the store at its side: no slow link makes it late, so that it may be short.
        ttl = min(config.member_ttl, SERVER_TTL_SECONDS) if server.shared else config.member_ttl
        self._membership = OwnMembership(server, self._member, ttl, self._clock)
        await server.open()
        lease = await self._membership.attach()
        self._tasks = [asyncio.create_task(self._membership.run(lease), name="membership")]
        return self._tasks

    @property
    def _engine(self) -> Server:
        if self.server is None:
            raise Unavailable("this server is not open yet")
        return self.server

    async def _store(self) -> Store:
        """The store that the configuration asks for."""
        config = self._config
        if config.store.kind == "memory":
            from lictor.store.memory import MemoryStore

            return MemoryStore()
        if config.store.kind == "etcd":
            return await self._etcd()
        from lictor.store.sqlite import SQLiteStore

        return SQLiteStore(Path(config.store.path or Path(config.data_dir) / STORE_FILE))

    async def _etcd(self) -> Store:
        """A store in an etcd that exists, or in one whose member this server runs."""
        from lictor.store.etcd.config import EtcdConfig
        from lictor.store.etcd.store import EtcdStore

        given = self._config.store
        if given.endpoints:
            etcd = EtcdConfig(
                endpoints=given.endpoints,
                prefix=given.prefix or f"lictor/{self._config.datacenter}",
                username=given.username,
                password=given.password,
                ca_file=given.ca_file,
                cert_file=given.cert_file,
                key_file=given.key_file,
            )
            return EtcdStore(etcd, self._config.node_name, self._entropy)
        from lictor.agent.remote.joining import Joiner
        from lictor.agent.remote.servers import Servers
        from lictor.agent.roles.forming import Forming
        from lictor.limits import ETCD_MEMBER_REQUEST_BYTES, ETCD_MEMBER_TXN_OPS

        servers = Servers(Random(self._entropy.random.getrandbits(64)), self._config.node_name)
        joiner = Joiner(servers, self._config.datacenter, self._config.ports.serf_lan, self._tls.joining)
        self._forming = Forming(self._config, joiner)
        endpoints = await self._forming.form()
        etcd = EtcdConfig(
            endpoints=endpoints, max_txn_ops=ETCD_MEMBER_TXN_OPS, max_request_bytes=ETCD_MEMBER_REQUEST_BYTES
        )
        return EtcdStore(etcd, self._config.node_name, self._entropy)

    def dns_source(self) -> StateSource:
        """This server's own state."""
        state, datacenter = self._engine.state, self._config.datacenter
        return StateSource(state, datacenter, DNSQueries(state, self._config.node_name, datacenter))

    def join_information(self) -> JoinInformation:
        """The living servers, and with an own member of the store's cluster who else has one."""
        servers = [] if self.server is None else self.server.state.members.servers().value
        candidates, expect, formed = self._forming.information if self._forming is not None else (None, 0, False)
        return JoinInformation(
            datacenter=self._config.datacenter,
            node=self._config.node_name,
            servers=[member.reached_at for member in servers],
            candidates=candidates,
            expect=expect,
            formed=formed,
        )

    async def members(self) -> Sequence[tuple[Member, int]]:
        """Every member with its status."""
        return self._engine.state.members.all().value

    async def join(self, addresses: Sequence[str]) -> int:
        """A server joins nobody but itself: which cluster it is in is decided when it starts."""
        config = self._config
        ours = {config.advertise_addr, f"{config.advertise_addr}:{config.ports.serf_lan}"}
        ours.add(f"{config.advertise_addr}:{config.ports.serf_wan}")
        strangers = [address for address in addresses if address not in ours]
        if strangers:
            raise Refused(
                f"1 error occurred:\n\t* Failed to join {strangers[0]}: a server finds its cluster when it starts "
                "(retry_join, bootstrap_expect); agents that are not servers can join it\n\n"
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
            if self.server is not None:
                await self.server.close()
        except LictorError as error:
            log.error("the store did not close cleanly: %s", error)
        finally:
            if self._forming is not None:
                await self._forming.close()
