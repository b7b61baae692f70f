"""Transactions as etcd's: what is sent, and what an answer says. Pure.

Besides what the caller wants, every transaction compares two things: that the content is still the generation which
it was made for, and that its slot was last written by whom we think. With the changes it writes its *mark* into the
slot. So a transaction can happen once at most, however often it is sent, and reading the slot tells whether it has.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from lictor.store.base import Delete, Put, Txn
from lictor.store.etcd.keys import Content
from lictor.store.etcd.schema import (
    EQUAL,
    GREATER,
    LESS,
    MOD,
    VERSION,
    Compare,
    DeleteRangeRequest,
    PutRequest,
    RangeRequest,
    RequestOp,
    TxnRequest,
)

OPS_BESIDE = 3
"""Operations in a transaction that are not the caller's."""


class Slot(msgspec.Struct):
    """A key by which the fate of one write at a time is known. `modified` is when it was last written; 0 for never."""

    key: bytes
    modified: int = 0


class Outcome(NamedTuple):
    """What an answer says: done at a revision (with or without a change), or what was there instead."""

    revision: int
    done: bool
    changed: bool = False
    slot: int = 0
    mark: bytes = b""
    base: int = 0


def max_changes(max_txn_ops: int) -> int:
    """How many changes, and as many compares, fit into a transaction of so many operations.

    A compare may become two, and the operations of a nested transaction count on top of those around it.
    """
    return (max_txn_ops - OPS_BESIDE) // 3


def transaction(txn: Txn, content: Content, slot: Slot, mark: bytes) -> Any:
    """The request for one of the store's transactions."""
    request = TxnRequest(compare=_guards(content, slot))
    for compare in txn.compares:
        key = content.stored(compare.key)
        if content.base and compare.revision == content.base:
            # Whatever the restore wrote counts as written at the base; after that revision nothing else has touched it.
            request.compare.append(Compare(target=MOD, result=LESS, key=key, mod_revision=content.base + 1))
            request.compare.append(Compare(target=MOD, result=GREATER, key=key))
        else:
            request.compare.append(Compare(target=MOD, result=EQUAL, key=key, mod_revision=compare.revision))
    read_slot = RequestOp(request_range=RangeRequest(key=slot.key))
    changes = [_operation(change, content) for change in txn.changes]
    marked = [RequestOp(request_put=PutRequest(key=slot.key, value=mark)), *changes]
    if not changes:
        # Without an operation etcd would answer from what one member has applied so far.
        request.success.append(read_slot)
    elif all(isinstance(change, Delete) for change in txn.changes):
        # The mark must not make a revision where there is nothing to delete.
        nothing = [_nothing_there(op.request_delete_range) for op in changes]
        request.success.append(RequestOp(request_txn=TxnRequest(compare=nothing, success=[read_slot], failure=marked)))
    else:
        request.success.extend(marked)
    request.failure.extend((read_slot, RequestOp(request_range=RangeRequest(key=content.layout.generation))))
    return request


def fence(slot: Slot, mark: bytes) -> Any:
    """Writes into a slot, so that what was sent before for it cannot happen any more, or reads what is there."""
    return TxnRequest(
        compare=[_unchanged(slot.key, slot.modified)],
        success=[RequestOp(request_put=PutRequest(key=slot.key, value=mark))],
        failure=[RequestOp(request_range=RangeRequest(key=slot.key))],
    )


def outcome(response: Any) -> Outcome:
    """What the answer to `transaction` or `fence` says."""
    revision = response.header.revision
    if response.succeeded:
        first = response.responses[0]
        changed = first.HasField("response_put") or (
            first.HasField("response_txn") and not first.response_txn.succeeded
        )
        return Outcome(revision, done=True, changed=changed)
    slot, *rest = (op.response_range.kvs for op in response.responses)
    base = rest[0][0].mod_revision if rest and rest[0] else 0
    if not slot:
        return Outcome(revision, done=False, base=base)
    return Outcome(revision, done=False, slot=slot[0].mod_revision, mark=slot[0].value, base=base)


def _guards(content: Content, slot: Slot) -> list[Any]:
    return [_unchanged(content.layout.generation, content.base), _unchanged(slot.key, slot.modified)]


def _unchanged(key: bytes, modified: int) -> Any:
    return Compare(target=MOD, result=EQUAL, key=key, mod_revision=modified)


def _operation(change: Put | Delete, content: Content) -> Any:
    key = content.stored(change.key)
    if isinstance(change, Put):
        return RequestOp(request_put=PutRequest(key=key, value=change.value, lease=change.lease))
    end = content.stored(change.end) if change.end else b""
    return RequestOp(request_delete_range=DeleteRangeRequest(key=key, range_end=end))


def _nothing_there(deletion: Any) -> Any:
    return Compare(target=VERSION, result=EQUAL, key=deletion.key, range_end=deletion.range_end)
