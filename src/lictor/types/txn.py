"""The body of /v1/txn and what comes back."""

from __future__ import annotations

from typing import Any

from lictor.types.catalog import Check, Node, Service
from lictor.types.gojson import Uint, Wire, always
from lictor.types.readmeta import ReadMeta


class KVOp(Wire, frozen=True, kw_only=True):
    """`value` is base64."""

    verb: str = ""
    key: str = ""
    value: str | None = None
    flags: Uint = 0
    index: Uint = 0
    session: str = ""
    namespace: str = ""


class NodeOp(Wire, frozen=True, kw_only=True):
    verb: str = ""
    node: Node = always(Node())


class AgentService(Service, frozen=True, kw_only=True):
    """A service as clients know it from the agent; what it has beyond the catalog's is read and passed over."""

    content_hash: str = ""
    namespace: str = ""
    datacenter: str = ""


class ServiceOp(Wire, frozen=True, kw_only=True):
    verb: str = ""
    node: str = ""
    service: AgentService = always(AgentService())


class HealthCheck(Check, frozen=True, kw_only=True):
    namespace: str = ""


class CheckOp(Wire, frozen=True, kw_only=True):
    verb: str = ""
    check: HealthCheck = always(HealthCheck())


class Op(Wire, frozen=True, kw_only=True):
    """One operation: the first of the four that is set. One without any does nothing."""

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


class TxnReadResult(ReadMeta, frozen=True, kw_only=True):
    """The same for one that only reads."""

    results: list[dict[str, Any]] | None = always(None)
    errors: list[OpError] | None = always(None)
