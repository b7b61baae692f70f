"""Reading what is there: the generation, and all entries of one revision page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from lictor import limits
from lictor.errors import StoreError
from lictor.store.base import Entry
from lictor.store.etcd.cluster import Cluster
from lictor.store.etcd.keys import Content, Generation, Layout
from lictor.store.etcd.rpc import RANGE, EtcdError
from lictor.store.etcd.schema import RangeRequest

_FIRST_PAGE = 256
_LARGEST_PAGE = 16_384
"""Entries in a page: between the two as many as make up limits.ETCD_PAGE_BYTES, going by the page before."""


class Found(NamedTuple):
    """All content at a revision."""

    revision: int
    generation: Generation
    entries: list[Entry]


async def read_generation(cluster: Cluster, layout: Layout, revision: int = 0) -> tuple[int, Generation]:
    """Which generation is the content at a revision, by default the newest; and that revision. A linearizable read."""
    response = await cluster.ask(RANGE, RangeRequest(key=layout.generation, revision=revision))
    named = Generation(response.kvs[0].value, response.kvs[0].mod_revision) if response.kvs else Generation()
    return revision or response.header.revision, named


async def pages(cluster: Cluster, content: Content, revision: int) -> AsyncIterator[list[Entry]]:
    """All entries at a revision, in key order. Raises StoreError when etcd has compacted that revision meanwhile."""
    start, limit = content.start, _FIRST_PAGE
    more = True
    while more:
        request = RangeRequest(key=start, range_end=content.end, limit=limit, revision=revision)
        try:
            page = await cluster.ask(RANGE, request)
        except EtcdError as error:
            raise StoreError(f"reading all entries of revision {revision}: {error}") from None
        yield [content.entry(kv) for kv in page.kvs]
        more = page.more
        if more:
            start = page.kvs[-1].key + b"\0"
            size = max(1, sum(len(kv.key) + len(kv.value) for kv in page.kvs))
            limit = max(1, min(_LARGEST_PAGE, 2 * limit, limit * limits.ETCD_PAGE_BYTES // size))


async def read_all(cluster: Cluster, layout: Layout, revision: int = 0) -> Found:
    """Everything at a revision, by default the newest."""
    revision, generation = await read_generation(cluster, layout, revision)
    entries: list[Entry] = []
    async for page in pages(cluster, Content(layout, generation), revision):
        entries += page
    return Found(revision, generation, entries)
