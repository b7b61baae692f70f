"""Plans for /v1/txn: every verb, all or nothing, each operation seeing those before it.

All operations are looked at before the first is run. A failed one does not stop the rest from being tried, so that the
answer lists every reason; then nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TypeVar

import msgspec

from lictor.errors import LictorError, Refused
from lictor.server.commands import catalog, kv
from lictor.server.transaction import PENDING, Tx
from lictor.state.views import raw_check, raw_service
from lictor.types.catalog import Check, Node, Record, Service
from lictor.types.kv import KVEntry
from lictor.types.txn import CheckOp, KVOp, NodeOp, Op, OpError, ServiceOp, TxnResult

_KV_WRITES = ("set", "delete", "delete-cas", "delete-tree", "cas", "lock", "unlock")
_DENIED = "Permission denied"


class TxnFailed(LictorError):
    """Some operations failed; `errors` says which and why. Nothing was done."""

    def __init__(self, errors: list[OpError]) -> None:
        super().__init__("; ".join(error.what for error in errors))
        self.errors = errors


class _Stale(Exception):
    """An operation's condition does not hold; the text is the answer's."""


R = TypeVar("R", bound=Record)
Rows = list[tuple[str, Record]]


def reads_only(ops: list[Op]) -> bool:
    """True when no operation writes; such a transaction is answered like a read."""
    return not any(_writes(op) for op in ops)


def execute(tx: Tx, ops: list[Op], values: list[bytes | None], denied: Container[int] = ()) -> Rows:
    """Runs the operations; `values` holds each KV operation's decoded value, `denied` those the token may not do.

    Raises TxnFailed with every reason.
    """
    errors = [
        OpError(op_index=position, what=reason)
        for position, op in enumerate(ops)
        if (reason := _unfit(tx, op, position in denied))
    ]
    if errors:
        raise TxnFailed(errors)
    rows: Rows = []
    for position, (op, value) in enumerate(zip(ops, values, strict=True)):
        try:
            rows += _run(tx, op, value)
        except (_Stale, Refused) as error:
            errors.append(OpError(op_index=position, what=str(error)))
    if errors:
        raise TxnFailed(errors)
    return rows


def result(rows: Rows, revision: int) -> TxnResult:
    """The answer, with the commit's revision in the rows that it wrote."""
    return TxnResult(results=[{kind: _stamped(row, revision)} for kind, row in rows])


def _stamped(row: Record, revision: int) -> Record:
    if row.modify_index != PENDING:
        return row
    created = revision if row.create_index == PENDING else row.create_index
    return msgspec.structs.replace(row, create_index=created, modify_index=revision)


def _writes(op: Op) -> bool:
    if op.kv is not None:
        return op.kv.verb in _KV_WRITES
    return any(part is not None and part.verb != "get" for part in (op.node, op.service, op.check))


def _unfit(tx: Tx, op: Op, denied: bool) -> str:
    """Why an operation is refused before any is run; empty when it is not."""
    if op.kv is not None and not op.kv.key and op.kv.verb != "delete-tree":
        return "Must provide key"
    if denied:
        return _DENIED
    if op.kv is not None:
        if op.kv.verb == "lock" and kv.delayed(tx, op.kv.key):
            return f'failed to lock key "{op.kv.key}" due to lock delay'
        return ""
    if not _writes(op):
        return ""
    if op.node is not None:
        return catalog.node_reason(op.node.node.node, op.node.node.id)
    if op.service is not None:
        return catalog.service_reason(op.service.service)
    return ""


def _run(tx: Tx, op: Op, value: bytes | None) -> Rows:
    if op.kv is not None:
        verb = _KV.get(op.kv.verb)
        if verb is None:
            raise _Stale(f'unknown KV verb "{op.kv.verb}"')
        return verb(tx, op.kv, value)
    if op.node is not None:
        return _node(tx, op.node)
    if op.service is not None:
        return _service(tx, op.service)
    if op.check is not None:
        return _check(tx, op.check)
    return []


# KV verbs


def _entry(op: KVOp, value: bytes | None) -> KVEntry:
    return KVEntry(key=op.key, flags=op.flags, value=value or None)


def _shown(entry: KVEntry) -> Rows:
    """What a write returns: the row without its value."""
    return [("KV", msgspec.structs.replace(entry, value=None))]


def _existing(tx: Tx, op: KVOp, doing: str = "") -> KVEntry:
    entry = tx.get(tx.state.keys.kv, op.key)
    if entry is None:
        raise _Stale(f'{doing}key "{op.key}" doesn\'t exist')
    return entry


def _kv_set(tx: Tx, op: KVOp, value: bytes | None) -> Rows:
    return _shown(kv.set_entry(tx, _entry(op, value)))


def _kv_cas(tx: Tx, op: KVOp, value: bytes | None) -> Rows:
    entry = kv.cas(tx, _entry(op, value), op.index)
    if entry is None:
        raise _Stale(f'failed to set key "{op.key}", index is stale')
    return _shown(entry)


def _kv_lock(tx: Tx, op: KVOp, value: bytes | None) -> Rows:
    entry = kv.lock(tx, _entry(op, value), op.session)
    if entry is None:
        raise _Stale(f'failed to lock key "{op.key}", lock is already held')
    return _shown(entry)


def _kv_unlock(tx: Tx, op: KVOp, value: bytes | None) -> Rows:
    entry = kv.unlock(tx, _entry(op, value), op.session)
    if entry is None:
        raise _Stale(f'failed to unlock key "{op.key}", lock isn\'t held, or is held by another session')
    return _shown(entry)


def _kv_delete(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    kv.delete(tx, op.key)
    return []


def _kv_delete_cas(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    if not kv.delete_cas(tx, op.key, op.index):
        raise _Stale(f'failed to delete key "{op.key}", index is stale')
    return []


def _kv_delete_tree(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    kv.delete_tree(tx, op.key)
    return []


def _kv_get(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    return [("KV", _existing(tx, op))]


def _kv_get_or_empty(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    return [("KV", _or_empty(tx, op))]


def _or_empty(tx: Tx, op: KVOp) -> KVEntry:
    found = tx.get(tx.state.keys.kv, op.key)
    return found if found is not None else KVEntry(key=op.key)


def _kv_get_tree(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    return [("KV", entry) for entry in tx.scan(tx.state.keys.kv, op.key)]


def _kv_check_index(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    entry = _existing(tx, op, "failed to check index, ")
    if entry.modify_index != op.index:
        raise _Stale(f'failed index check for key "{op.key}", current modify index {entry.modify_index} != {op.index}')
    return _shown(entry)


def _kv_check_session(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    entry = _existing(tx, op, "failed to check session, ")
    if entry.session != op.session:
        raise _Stale(f'failed session check for key "{op.key}", current session "{entry.session}" != "{op.session}"')
    return _shown(entry)


def _kv_check_not_exists(tx: Tx, op: KVOp, _: bytes | None) -> Rows:
    if tx.get(tx.state.keys.kv, op.key) is not None:
        raise _Stale(f'key "{op.key}" exists')
    return []


_KV: dict[str, Callable[[Tx, KVOp, bytes | None], Rows]] = {
    "set": _kv_set,
    "cas": _kv_cas,
    "lock": _kv_lock,
    "unlock": _kv_unlock,
    "delete": _kv_delete,
    "delete-cas": _kv_delete_cas,
    "delete-tree": _kv_delete_tree,
    "get": _kv_get,
    "get-or-empty": _kv_get_or_empty,
    "get-tree": _kv_get_tree,
    "check-index": _kv_check_index,
    "check-session": _kv_check_session,
    "check-not-exists": _kv_check_not_exists,
}


# Catalog verbs: get, set, cas, delete, delete-cas on nodes, services and checks


def _apply(
    verb: str,
    kind: str,
    what: str,
    index: int,
    old: Record | None,
    put: Callable[[], Record],
    delete: Callable[[], None],
) -> Rows:
    """What the five verbs have in common. `what` names the row as the reference does."""
    if verb == "get":
        if old is None:
            raise _Stale(f"{what} doesn't exist")
        return _row(kind, old)
    if verb == "set":
        return _row(kind, put())
    if verb == "cas":
        if (old is None) != (index == 0) or (old is not None and old.modify_index != index):
            raise _Stale(f"failed to set {what}, index is stale")
        return _row(kind, put())
    if verb == "delete":
        delete()
        return []
    if verb == "delete-cas":
        if old is None or old.modify_index != index:
            raise _Stale(f"failed to delete {what}, index is stale")
        delete()
        return []
    raise _Stale(f'unknown {kind} verb "{verb}"')


def _row(kind: str, record: Record) -> Rows:
    if isinstance(record, Check):
        record = raw_check(record)
    elif isinstance(record, Service):
        record = raw_service(record)
    return [(kind, record)]


def _plain(kind: type[R], record: R) -> R:
    """A record as the catalog keeps it, without what clients may send beside."""
    return kind(**{name: getattr(record, name) for name in kind.__struct_fields__})


def _node(tx: Tx, op: NodeOp) -> Rows:
    node: Node = op.node
    table = tx.state.catalog.nodes
    name = node.node
    if op.verb == "get" and node.id:
        name = table.by_id.get(node.id.lower(), "")
    old = tx.get(table, name)
    return _apply(
        op.verb,
        "Node",
        f'node "{node.node}"',
        node.modify_index,
        old,
        lambda: catalog.ensure_node(tx, node),
        lambda: catalog.delete_node(tx, name),
    )


def _service(tx: Tx, op: ServiceOp) -> Rows:
    service = _plain(Service, op.service)
    if not service.id and op.verb != "get":
        service = msgspec.structs.replace(service, id=service.service)
    old = tx.get(tx.state.catalog.services, op.node, service.id)
    return _apply(
        op.verb,
        "Service",
        f'service "{service.id}" on node "{op.node}"',
        service.modify_index,
        old,
        lambda: catalog.ensure_service(tx, op.node, service),
        lambda: catalog.delete_service(tx, op.node, service.id),
    )


def _check(tx: Tx, op: CheckOp) -> Rows:
    check = _plain(Check, op.check)
    if not check.check_id:
        check = msgspec.structs.replace(check, check_id=check.name)
    old = tx.get(tx.state.catalog.checks, check.node, check.check_id)
    return _apply(
        op.verb,
        "Check",
        f'check "{check.check_id}" on node "{check.node}"',
        check.modify_index,
        old,
        lambda: catalog.ensure_check(tx, check),
        lambda: catalog.delete_check(tx, check.node, check.check_id),
    )
