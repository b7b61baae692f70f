"""Forming the store's cluster: servers that start together find each other, agree on who begins it, and start members.

Each server tells on its join port whom it has heard of. When it has heard of as many as are expected, and each of them
says that it knows exactly the same, all of them begin the cluster with that list; it is kept in the data directory and
never agreed on again. A server that finds a cluster formed already is added to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import msgspec

from lictor.agent.config import RuntimeConfig
from lictor.agent.identity import write_atomically
from lictor.agent.remote.information import Candidate, JoinInformation
from lictor.agent.remote.joining import Joiner
from lictor.errors import ConfigError, StoreError
from lictor.runtime.log import get_logger
from lictor.store.etcd.cluster import Cluster
from lictor.store.etcd.config import EtcdConfig
from lictor.store.etcd.member import EtcdMember
from lictor.store.etcd.member_config import MemberConfig, Peer
from lictor.store.etcd.membership import add_member, promote_member

ASK_SECONDS = 0.3
"""Between two rounds of asking the others."""
TELL_SECONDS = 10.0
MEMBERS_FILE = "etcd-members.json"
DATA_DIRECTORY = "etcd"
log = get_logger("agent.forming")


class Forming:
    """One server's part in it. `information` is what the join port tells meanwhile and afterwards."""

    def __init__(self, config: RuntimeConfig, joiner: Joiner) -> None:
        self._config, self._joiner = config, joiner
        host = f"[{config.advertise_addr}]" if ":" in config.advertise_addr else config.advertise_addr
        store = config.store
        self.own = Candidate(
            name=config.node_name,
            peer_url=f"http://{host}:{store.peer_port}",
            client_url=f"http://{host}:{store.client_port}",
        )
        self._known: dict[str, Candidate] = {self.own.name: self.own}
        self._directory = Path(config.data_dir)
        self.formed = False
        self.member: EtcdMember | None = None

    @property
    def information(self) -> tuple[list[Candidate], int, bool]:
        """Whom this server knows, how many it expects, and whether the cluster is formed."""
        return sorted(self._known.values(), key=lambda c: c.name), self._config.bootstrap_expect, self.formed

    async def form(self) -> tuple[str, ...]:
        """Starts this server's member in the cluster; returns where etcd is reached, this server's member first.

        Raises StoreError with what is waited for when that takes longer than `store.form_timeout`.
        """
        seconds = self._config.store.form_timeout
        try:
            async with asyncio.timeout(seconds):
                peers, joins = await self._members()
        except TimeoutError:
            raise StoreError(f"no cluster of servers formed within {seconds:g} s: {self._trouble()}") from None
        self._known = {p.name: Candidate(name=p.name, peer_url=p.peer_url, client_url=p.client_url) for p in peers}
        self.member = EtcdMember(self._member_config(peers, existing=joins))
        await self.member.start()
        await self.member.ready(seconds)
        self.formed = True
        self._keep(peers)
        endpoints = [self.own.client_url, *(p.client_url for p in peers if p.name != self.own.name and p.client_url)]
        if joins:
            cluster = Cluster(EtcdConfig(endpoints=tuple(endpoints[1:])))
            await cluster.open()
            try:
                await promote_member(cluster, self.own.peer_url, seconds)
            finally:
                await cluster.close()
        return tuple(endpoints)

    async def close(self) -> None:
        """Stops the member."""
        if self.member is not None:
            await self.member.stop()

    async def _members(self) -> tuple[tuple[Peer, ...], bool]:
        """All members that the cluster has or begins with, and whether it was there before."""
        kept = self._kept()
        if kept:
            return kept, False
        told = 0.0
        loop = asyncio.get_running_loop()
        while True:
            heard = await self._joiner.ask_all(self._addresses())
            for information in heard:
                for candidate in information.candidates or ():
                    self._known.setdefault(candidate.name, candidate)
            formed = next((i for i in heard if i.formed and i.node != self.own.name), None)
            if formed is not None:
                return await self._join(formed), True
            if self._agreed(heard):
                return tuple(_peer(c) for c in self.information[0]), False
            if loop.time() - told > TELL_SECONDS:
                told = loop.time()
                log.info("waiting for servers: %s", self._trouble())
            await asyncio.sleep(ASK_SECONDS)

    def _addresses(self) -> Iterable[str]:
        """Whom to ask: the configured addresses, and the servers heard of since."""
        port = self._config.ports.serf_lan
        heard = (c.peer_url.removeprefix("http://").rpartition(":")[0] for c in self._known.values() if c != self.own)
        return [*self._config.retry_join, *self._config.start_join, *(f"{host}:{port}" for host in heard)]

    def _agreed(self, heard: list[JoinInformation]) -> bool:
        """True when as many as expected know of exactly each other."""
        names = set(self._known)
        if len(names) != self._config.bootstrap_expect:
            return False
        same = {i.node for i in heard if {c.name for c in i.candidates or ()} == names}
        return names <= same | {self.own.name}

    async def _join(self, formed: JoinInformation) -> tuple[Peer, ...]:
        """Has this server's member added to a cluster that runs."""
        endpoints = tuple(c.client_url for c in formed.candidates or () if c.client_url and c.name != self.own.name)
        log.info("joining the cluster of %s", formed.node)
        cluster = Cluster(EtcdConfig(endpoints=endpoints))
        await cluster.open()
        try:
            while True:
                try:
                    return await add_member(cluster, _peer(self.own))
                except StoreError as error:
                    log.warning("the cluster does not take this server in yet: %s", error)
                    await asyncio.sleep(1.0)
        finally:
            await cluster.close()

    def _member_config(self, peers: tuple[Peer, ...], *, existing: bool) -> MemberConfig:
        config = self._config
        return MemberConfig(
            name=self.own.name,
            data_dir=self._directory / DATA_DIRECTORY,
            peers=peers,
            bind=config.bind_addr,
            client_port=config.store.client_port,
            peer_port=config.store.peer_port,
            existing=existing,
            token=f"lictor-{config.datacenter}",
        )

    def _kept(self) -> tuple[Peer, ...]:
        file = self._directory / MEMBERS_FILE
        try:
            return msgspec.json.decode(file.read_bytes(), type=tuple[Peer, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(f"{file} cannot be read: {error}") from None

    def _keep(self, peers: tuple[Peer, ...]) -> None:
        write_atomically(self._directory / MEMBERS_FILE, msgspec.json.encode(peers))

    def _trouble(self) -> str:
        names, expect = ", ".join(sorted(self._known)), self._config.bootstrap_expect
        asked = ", ".join(self._config.retry_join) or "nobody (retry_join is empty)"
        return f"{expect} are expected, heard of {names}; asking {asked}"


def _peer(candidate: Candidate) -> Peer:
    return Peer(name=candidate.name, peer_url=candidate.peer_url, client_url=candidate.client_url)
