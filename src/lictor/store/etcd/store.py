"""The store of several servers: everything lies in etcd, and every server writes there.

The interface, put together from the parts of this package; what each of them does is said there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from operator import attrgetter

from lictor.errors import StoreError
from lictor.runtime.clock import Entropy
from lictor.store.base import Entry, Listener, Txn
from lictor.store.checks import check_entries, check_ttl, check_txn
from lictor.store.etcd.cluster import Cluster
from lictor.store.etcd.commits import Commits
from lictor.store.etcd.config import EtcdConfig
from lictor.store.etcd.content import pages, read_generation
from lictor.store.etcd.election import Elections
from lictor.store.etcd.feed import Feed
from lictor.store.etcd.keys import Content, Layout
from lictor.store.etcd.leases import Leases
from lictor.store.etcd.requests import max_changes
from lictor.store.etcd.restore import restore
from lictor.store.life import Life


class EtcdStore(Life):
    """A store below a prefix of an etcd cluster. `server` is the name of this server, the same after a restart.

    A commit that returned is on the disks of most members. Calls wait while the cluster has no leader or endpoints
    are lost, up to `config.wait_seconds`; after that a StoreError says so, and for a commit whether its fate is known.
    Time to live is counted in whole seconds, and etcd gives no lease less than one and a half of its election timeouts.
    """

    shared: bool = True

    def __init__(self, config: EtcdConfig, server: str, entropy: Entropy | None = None) -> None:
        super().__init__()
        self._config = config
        self._entropy = entropy or Entropy()
        self.max_changes = max_changes(config.max_txn_ops)
        self._layout = Layout(config.key_prefix())
        self._cluster = Cluster(config)
        self._feed = Feed(self._cluster, self._layout)
        self._leases = Leases(self._cluster, self._entropy, config.wait_seconds)
        self._elections = Elections(self._cluster, self._feed, self._leases, self._layout, server)
        self._commits = Commits(
            self._cluster, self._feed, self._layout, server, self._entropy.uuid(), config.wait_seconds
        )
        self._reading: asyncio.Task[int] | None = None
        self._next_reading: asyncio.Task[int] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._claim()
        try:
            await self._cluster.open()
            self._feed.begin(*await read_generation(self._cluster, self._layout))
            await self._commits.open()
            self._live()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._closing is None:
            self._die("the store is closed")
            self._closing = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)

    async def load(self, listener: Listener) -> tuple[int, list[Entry]]:
        self._require_open()
        return await self._feed.load(listener)

    async def commit(self, txn: Txn) -> int:
        check_txn(txn, self.max_changes)
        self._require_open()
        return await self._commits.commit(txn)

    async def barrier(self) -> int:
        self._require_open()
        if self._next_reading is None:
            # Those who come before it has begun share one read; those who come later need a newer one.
            self._next_reading = asyncio.get_running_loop().create_task(self._read_after(self._reading))
        return await asyncio.shield(self._next_reading)

    async def grant(self, ttl: float) -> int:
        check_ttl(ttl)
        self._require_open()
        return await self._leases.grant(ttl)

    async def keep_alive(self, lease: int) -> bool:
        self._require_open()
        return await self._leases.keep_alive(lease)

    async def revoke(self, lease: int) -> None:
        self._require_open()

        async def end() -> int:
            return await self._feed.reach(await self._leases.revoke(lease))

        await self._commits.alone(end)

    async def campaign(self, name: str, ttl: float) -> int:
        check_ttl(ttl)
        self._require_open()
        return await self._elections.campaign(name, ttl)

    async def lost(self, term: int) -> None:
        await self._elections.lost(term)

    async def snapshot(self) -> AsyncIterator[Entry]:
        self._require_open()
        revision, generation = await read_generation(self._cluster, self._layout)
        async for page in pages(self._cluster, Content(self._layout, generation), revision):
            for entry in page:
                self._require_open()
                yield entry

    async def restore(self, entries: AsyncIterator[Entry]) -> int:
        self._require_open()
        ordered = sorted([entry async for entry in entries], key=attrgetter("key"))
        check_entries(ordered)
        return await restore(
            self._cluster,
            self._feed,
            self._layout,
            ordered,
            self._entropy.uuid().encode(),
            self._config.max_txn_ops,
            self._config.max_request_bytes,
        )

    async def _read_after(self, before: asyncio.Task[int] | None) -> int:
        if before is not None:
            await asyncio.wait((before,))
        self._reading, self._next_reading = self._next_reading, None
        revision, _ = await read_generation(self._cluster, self._layout)
        try:
            async with asyncio.timeout(self._config.wait_seconds):
                return await self._feed.reach(revision)
        except TimeoutError:
            raise StoreError(self._cluster.trouble()) from None

    async def _close(self) -> None:
        await self._commits.close()
        await self._elections.close()
        await self._leases.close()
        await self._feed.close()
        await self._cluster.close()
