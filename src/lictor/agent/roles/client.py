"""The role of a client: it knows servers, sends requests on to them, and stays a member by a lease with one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from urllib.parse import quote

import msgspec

from lictor.agent.config import RuntimeConfig
from lictor.agent.identity import own_member
from lictor.agent.local import Catalog
from lictor.agent.local.statuses import WatchNode
from lictor.agent.remote.catalog import RemoteCatalog
from lictor.agent.remote.feeds import Feeds
from lictor.agent.remote.forward import Forwarder
from lictor.agent.remote.information import JoinInformation
from lictor.agent.remote.joining import Joiner
from lictor.agent.remote.membership import RemoteMembership
from lictor.agent.remote.servers import Servers
from lictor.agent.remote.source import RemoteSource
from lictor.agent.tls import AgentTLS
from lictor.api.context import Forwards
from lictor.errors import Refused
from lictor.runtime.clock import Clock, Entropy
from lictor.runtime.log import get_logger
from lictor.server.server import Server
from lictor.types.catalog import Node
from lictor.types.gojson import Wire, always
from lictor.types.member import Member

log = get_logger("agent")
SERVERS_PATH = "/v1/internal/servers"


class _MemberRow(Wire, frozen=True, kw_only=True):
    member: Member
    status: int = 0


class _ServerList(Wire, frozen=True, kw_only=True):
    servers: list[str] | None = always(None)
    nodes: int = 0


class ClientRole:
    """See `Role`."""

    server: Server | None = None
    watch_node: WatchNode | None = None

    def __init__(self, config: RuntimeConfig, node: Node, clock: Clock, entropy: Entropy, tls: AgentTLS) -> None:
        self._config, self._clock = config, clock
        self._servers = Servers(Random(entropy.random.getrandbits(64)), node.node, tls.servers)
        self._feeds = Feeds(self._servers, clock, entropy)
        self._joiner = Joiner(self._servers, config.datacenter, config.ports.serf_lan, tls.joining)
        self._membership = RemoteMembership(self._servers, own_member(config, node), entropy)
        self._remote = RemoteCatalog(self._servers)
        self.catalog: Catalog = self._remote
        self.forwarder: Forwards | None = Forwarder(self._servers, self._feeds, clock, entropy)
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> list[asyncio.Task[None]]:
        """Joins in the background; `start_join` has to succeed at once."""
        config = self._config
        if config.start_join:
            await self.join(config.start_join)
        self._tasks = [
            asyncio.create_task(self._membership.run(), name="membership"),
            asyncio.create_task(self._follow_servers(), name="servers"),
        ]
        if config.retry_join:
            retry = self._joiner.retry(config.retry_join, config.retry_interval, config.retry_max)
            self._tasks.append(asyncio.create_task(retry, name="retry_join"))
        return self._tasks

    def dns_source(self) -> RemoteSource:
        """Answers kept fresh by the servers."""
        return RemoteSource(self._servers, self._feeds, self._config.datacenter, self._clock)

    def join_information(self) -> JoinInformation:
        """The servers that this agent knows."""
        config = self._config
        return JoinInformation(datacenter=config.datacenter, node=config.node_name, servers=self._servers.known)

    async def members(self) -> Sequence[tuple[Member, int]]:
        """Every member with its status, as a server knows them."""
        response = await self._servers.send("GET", "/v1/internal/members")
        return [(row.member, row.status) for row in msgspec.json.decode(response.body, type=list[_MemberRow])]

    async def join(self, addresses: Sequence[str]) -> int:
        """Learns of servers from other agents."""
        return await self._joiner.join(addresses)

    async def force_leave(self, name: str) -> None:
        """Has the servers declare a failed member gone."""
        response = await self._servers.send("PUT", f"/v1/agent/force-leave/{quote(name, safe='')}")
        if response.status != 200:
            raise Refused(response.body.decode(errors="replace")[:512])

    async def leave(self) -> None:
        """Says goodbye to the servers."""
        await self._membership.leave()

    async def close(self) -> None:
        """Ends what runs and closes the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._feeds.close()
        await self._servers.close()

    async def _follow_servers(self) -> None:
        """Keeps the list of servers up to date."""
        await self._servers.wait()
        index = -1
        while True:
            feed = self._feeds.get(SERVERS_PATH)
            if feed.cell.index > index and feed.response is not None and feed.response.status == 200:
                index = feed.cell.index
                try:
                    told = msgspec.json.decode(feed.response.body, type=_ServerList)
                except msgspec.DecodeError as error:
                    log.warning("a server's list of servers cannot be read: %s", error)
                    continue
                self._servers.learn(told.servers or (), whole=True)
                self._remote.resized(told.nodes)
            await self._feeds.changed(feed, max(index, 0), 30.0)
