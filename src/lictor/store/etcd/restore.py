"""Replacing everything at one revision, however much it is.

etcd takes only so much in a transaction, so a restore writes a new generation of the content in several, of which
nobody sees anything, and in its last one names that generation and deletes the one before. Writes that were made for
the old generation fail then, and are made again for the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lictor.errors import StoreConflict, StoreError
from lictor.store.base import Entry
from lictor.store.etcd.cluster import Cluster
from lictor.store.etcd.feed import Feed
from lictor.store.etcd.keys import Content, Generation, Layout
from lictor.store.etcd.rpc import TXN, EtcdError
from lictor.store.etcd.schema import (
    EQUAL,
    MOD,
    VERSION,
    Compare,
    DeleteRangeRequest,
    PutRequest,
    RangeRequest,
    RequestOp,
    TxnRequest,
)

_OPS_BESIDE = 4
"""Operations of the last transaction that are not puts of entries."""
_BYTES_BESIDE = 64
"""What a put takes in a message beside its key and value."""


async def restore(
    cluster: Cluster, feed: Feed, layout: Layout, entries: list[Entry], unique: bytes, max_ops: int, max_bytes: int
) -> int:
    """Replaces everything by `entries`, which were checked. Returns the revision, which the listeners have heard.

    `unique` names this attempt. Raises StoreConflict when another restore went first, StoreError with nothing changed.
    """
    before = feed.content
    new = Content(layout, Generation(before.generation.next_id(unique)))
    if not entries and (revision := await _is_empty(cluster, before)):
        return await feed.reach(revision)
    *firsts, last = list(_pieces(new, entries, max_ops - _OPS_BESIDE, max_bytes // 2)) or [[]]
    try:
        for piece in firsts:
            await cluster.ask(TXN, TxnRequest(success=piece))
        revision = await _name(cluster, before, new, last)
    except BaseException:
        with_nothing = [_delete(new.start, new.end)]
        await _tidy(cluster, TxnRequest(compare=[_named(layout, before.base)], success=with_nothing))
        raise
    await feed.reach(revision)
    return revision


async def _name(cluster: Cluster, before: Content, new: Content, last: list[Any]) -> int:
    """Makes the new generation the content and returns the revision of that."""
    layout = before.layout
    number = new.generation.id.partition(b"-")[0]
    request = TxnRequest(
        compare=[_named(layout, before.base)],
        success=[
            *last,
            RequestOp(request_put=PutRequest(key=layout.generation, value=new.generation.id)),
            # All that came before, and what other restores have left behind that were begun and not finished.
            _delete(layout.contents(), new.start),
            _delete(new.end, layout.contents() + b"%08x" % (int(number, 16) + 1)),
        ],
        failure=[RequestOp(request_range=RangeRequest(key=layout.generation))],
    )
    response = await cluster.ask(TXN, request)
    if response.succeeded:
        revision: int = response.header.revision
        return revision
    named = response.responses[0].response_range.kvs
    if named and named[0].value == new.generation.id:  # the answer to an earlier attempt was lost
        revision = named[0].mod_revision
        return revision
    raise StoreConflict("another restore went first: nothing was changed")


async def _is_empty(cluster: Cluster, content: Content) -> int:
    """The revision at which there was no content, 0 when there is some."""
    nothing = Compare(target=VERSION, result=EQUAL, key=content.start, range_end=content.end)
    read = RequestOp(request_range=RangeRequest(key=content.layout.generation))
    response = await cluster.ask(TXN, TxnRequest(compare=[nothing], success=[read], failure=[read]))
    return response.header.revision if response.succeeded else 0


async def _tidy(cluster: Cluster, request: Any) -> None:
    """Deletes what a restore that failed has written; where that fails too, the next restore does it."""
    try:
        await cluster.ask(TXN, request)
    except (StoreError, EtcdError):
        return


def _pieces(content: Content, entries: list[Entry], most: int, most_bytes: int) -> Iterator[list[Any]]:
    """The puts of all entries, in pieces that fit into a transaction."""
    piece: list[Any] = []
    size = 0
    for entry in entries:
        key = content.stored(entry.key)
        needs = len(key) + len(entry.value) + _BYTES_BESIDE
        if piece and (len(piece) == most or size + needs > most_bytes):
            yield piece
            piece, size = [], 0
        piece.append(RequestOp(request_put=PutRequest(key=key, value=entry.value, lease=entry.lease)))
        size += needs
    if piece:
        yield piece


def _named(layout: Layout, base: int) -> Any:
    return Compare(target=MOD, result=EQUAL, key=layout.generation, mod_revision=base)


def _delete(start: bytes, end: bytes) -> Any:
    return RequestOp(request_delete_range=DeleteRangeRequest(key=start, range_end=end))
