"""Elections: one key a name, under a lease of its leader; who creates it leads, and its revision is the term's.

A term ends here before it ends in etcd: the leader counts its lease from the moment at which it last asked for more
time, so that it has stopped believing in itself when etcd lets another one lead.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from lictor.errors import StoreClosed, StoreError
from lictor.runtime.log import get_logger
from lictor.store.etcd.cluster import Cluster
from lictor.store.etcd.feed import Feed
from lictor.store.etcd.keys import Layout
from lictor.store.etcd.leases import Leases
from lictor.store.etcd.rpc import TXN, EtcdError
from lictor.store.etcd.schema import CREATE, EQUAL, Compare, PutRequest, RangeRequest, RequestOp, TxnRequest
from lictor.store.etcd.tasks import end, start

RENEWALS = 4
"""How often a leader asks for more time while a lease lasts."""
RETRY_FRACTION = 20
"""After which part of the lease's time it asks again when it got no answer."""
RESIGN_SECONDS = 1.0
"""How long a store that closes waits for the end of its terms."""

log = get_logger("store.etcd")


class _Term:
    """A time of leadership: its revision, and an event set when it is over."""

    def __init__(self, revision: int, lease: int, key: bytes) -> None:
        self.revision = revision
        self.lease = lease
        self.key = key
        self.over = asyncio.Event()
        self.keeper: asyncio.Task[None] | None = None


class Elections:
    """What this store leads or wants to lead."""

    def __init__(self, cluster: Cluster, feed: Feed, leases: Leases, layout: Layout, server: str) -> None:
        self._cluster = cluster
        self._feed = feed
        self._leases = leases
        self._layout = layout
        self._server = server.encode()
        self._terms: dict[int, _Term] = {}

    async def campaign(self, name: str, ttl: float) -> int:
        """Waits until this process leads, and returns the term's revision. Goes on while etcd does not answer."""
        key = self._layout.election(name)
        while True:
            changed = self._feed.changed(key)
            try:
                revision = await self._run_for(key, ttl)
            except StoreClosed:
                raise
            except StoreError as error:
                log.warning("cannot stand for %s, trying again: %s", name, error)
                revision = 0
            if revision:
                changed.cancel()
                return revision
            # Woken by the end of the other's term; now and then it looks by itself, too.
            await asyncio.wait((changed,), timeout=ttl)
            if changed.done():
                changed.result()
            changed.cancel()

    async def lost(self, revision: int) -> None:
        """Returns when that term is over; at once when it is none of ours."""
        term = self._terms.get(revision)
        if term is not None:
            await term.over.wait()

    async def close(self) -> None:
        """Resigns, so that others need not wait for the leases' end."""
        terms = list(self._terms.values())
        await end(*(term.keeper for term in terms))
        for term in terms:
            self._finish(term)
        try:
            async with asyncio.timeout(RESIGN_SECONDS):
                await asyncio.gather(*(self._leases.revoke(term.lease) for term in terms), return_exceptions=True)
        except TimeoutError:
            log.warning("cannot resign, etcd does not answer: another will lead when the leases have ended")

    async def _run_for(self, key: bytes, ttl: float) -> int:
        """Tries once to lead; returns the term's revision or 0."""
        asked = asyncio.get_running_loop().time()
        lease = await self._leases.grant(ttl)
        read = RequestOp(request_range=RangeRequest(key=key))
        request = TxnRequest(
            compare=[Compare(target=CREATE, result=EQUAL, key=key)],
            success=[RequestOp(request_put=PutRequest(key=key, value=self._server, lease=lease)), read],
            failure=[read],
        )
        held = (await self._cluster.ask(TXN, request)).responses[-1].response_range.kvs
        if not held or held[0].lease != lease:  # where an answer was lost, it may be ours all the same
            await self._leases.revoke(lease)
            return 0
        term = _Term(held[0].create_revision, lease, key)
        self._terms[term.revision] = term
        term.keeper = start(self._keep(term, ttl, asked), "etcd-election")
        return term.revision

    async def _keep(self, term: _Term, ttl: float, asked: float) -> None:
        """Keeps the term's lease alive, until it is lost or nobody can tell any more."""
        try:
            async with asyncio.timeout_at(asked + ttl) as limit:
                await self._renew(term, ttl, limit)
            log.warning("leadership lost: its lease has ended")
        except TimeoutError:
            log.warning("leadership lost: etcd did not answer for %g s", ttl)
        self._finish(term)
        with suppress(StoreError):
            await self._leases.revoke(term.lease)

    async def _renew(self, term: _Term, ttl: float, limit: asyncio.Timeout) -> None:
        """Returns when the lease has ended or the key was changed by someone."""
        loop = asyncio.get_running_loop()
        gone = self._feed.changed(term.key)
        pause = ttl / RENEWALS
        try:
            while not (await asyncio.wait((gone,), timeout=pause))[0]:
                asked = loop.time()
                try:
                    if not await self._leases.keep_alive(term.lease):
                        return
                    limit.reschedule(asked + ttl)
                    pause = ttl / RENEWALS
                except EtcdError as error:
                    log.warning("etcd refuses to prolong the leader's lease: %s", error)
                    return
                except StoreError:
                    pause = ttl / RETRY_FRACTION
        finally:
            gone.cancel()

    def _finish(self, term: _Term) -> None:
        term.over.set()
        self._terms.pop(term.revision, None)
