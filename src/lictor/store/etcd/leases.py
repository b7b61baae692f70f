"""Leases: granted, kept alive and revoked.

Ids are ours, drawn at random, so that a grant whose answer was lost can be asked for again. All that want a lease kept
alive at a time share one exchange on one stream.
"""

from __future__ import annotations

import asyncio
import math

import grpc

from lictor.errors import StoreClosed, StoreError
from lictor.runtime.clock import Entropy
from lictor.store.etcd.cluster import ATTEMPT_SECONDS, RETRY_SECONDS, Cluster
from lictor.store.etcd.rpc import LEASE_GRANT, LEASE_KEEP_ALIVE, LEASE_REVOKE, EtcdError, NoAnswer, Stream
from lictor.store.etcd.schema import message
from lictor.store.etcd.tasks import end, start

_ID_BITS = 62

_Grant = message("LeaseGrantRequest")
_Revoke = message("LeaseRevokeRequest")
_KeepAlive = message("LeaseKeepAliveRequest")


class Leases:
    """The leases of one store; `close` ends nothing but its own work."""

    def __init__(self, cluster: Cluster, entropy: Entropy, wait: float) -> None:
        self._cluster = cluster
        self._entropy = entropy
        self._wait_seconds = wait
        self._asked: dict[int, list[asyncio.Future[bool]]] = {}
        self._renewing: asyncio.Task[None] | None = None
        self._over = False

    async def close(self) -> None:
        self._over = True
        await end(self._renewing)
        self._refuse(StoreClosed("the store is closed"))

    async def grant(self, ttl: float) -> int:
        """A lease of at least `ttl` seconds: etcd counts whole ones, and no fewer than its elections need."""
        lease = self._entropy.random.getrandbits(_ID_BITS) + 1
        try:
            await self._cluster.ask(LEASE_GRANT, _Grant(TTL=math.ceil(ttl), ID=lease))
        except EtcdError as error:
            if error.code is not grpc.StatusCode.FAILED_PRECONDITION:  # it exists: an answer was lost
                raise
        return lease

    async def revoke(self, lease: int) -> int:
        """Ends a lease that may have ended already; returns the revision after that, 0 when there was none to end."""
        try:
            response = await self._cluster.ask(LEASE_REVOKE, _Revoke(ID=lease))
        except EtcdError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:
                return 0
            raise
        revision: int = response.header.revision
        return revision

    async def keep_alive(self, lease: int) -> bool:
        """Starts a lease's time again; False when it has ended. Raises StoreError when etcd does not answer."""
        if self._over:
            raise StoreClosed("the store is closed")
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(lease, []).append(future)
        if self._renewing is None or self._renewing.done():
            self._renewing = start(self._renew(), "etcd-keep-alive")
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await future
        except TimeoutError:
            raise StoreError(self._cluster.trouble()) from None

    async def _renew(self) -> None:
        """Exchanges with etcd for as long as somebody asks, by one stream as long as that lives."""
        pause = RETRY_SECONDS[0]
        while self._asked:
            try:
                async with self._cluster.stream(LEASE_KEEP_ALIVE) as stream:
                    while self._asked:
                        await self._exchange(stream)
                        pause = RETRY_SECONDS[0]
            except (NoAnswer, TimeoutError) as error:
                self._cluster.suspect(str(error))
            except StoreClosed:
                return
            except StoreError as error:
                self._refuse(error)
            if self._asked:
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY_SECONDS[1])

    async def _exchange(self, stream: Stream) -> None:
        asked, self._asked = self._asked, {}
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                for lease in asked:
                    await stream.send(_KeepAlive(ID=lease))
                while asked:
                    response = await stream.receive()
                    for future in asked.pop(response.ID, ()):
                        if not future.done():
                            future.set_result(response.TTL > 0)
        finally:
            # Those without an answer are asked for again, together with those that came meanwhile.
            for lease, futures in asked.items():
                self._asked.setdefault(lease, []).extend(futures)

    def _refuse(self, error: StoreError) -> None:
        asked, self._asked = self._asked, {}
        for futures in asked.values():
            for future in futures:
                if not future.done():
                    future.set_exception(error)
