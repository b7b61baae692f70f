"""The body of /v1/txn and what comes back."""

from __future__ import annotations

from typing import Any

from lictor.types.catalog import Check, Node, Service
from lictor.types.gojson import Wire, always


class KVOp(Wire, frozen=True, kw_only=True):
    verb: str = ""
    key: str = ""
    value: str | None = None
    flags: int = 0
    index: int = 0
    session: str = ""
    namespace: str = ""


class NodeOp(Wire, frozen=True, kw_only=True):
    verb: str = ""
    node: Node


class ServiceOp(Wire, frozen=True, kw_only=True):
    verb: str = ""
    node: str = ""
    service: Service


class CheckOp(Wire, frozen=True, kw_only=True):
    verb: str = ""
    check: Check


class Op(Wire, frozen=True, kw_only=True):
    """One operation: exactly one of the four is set."""

    kv: KVOp | None = None
    node: NodeOp | None = None
    service: ServiceOp | None = None
    check: CheckOp | None = None


class OpError(Wire, frozen=True, kw_only=True):
    op_index: int = always(0)
    what: str = always("")


class TxnResult(Wire, frozen=True, kw_only=True):
    """What a transaction answers: results, or errors and nothing done."""

    results: list[dict[str, Any]] | None = always(None)
    errors: list[OpError] | None = always(None)
