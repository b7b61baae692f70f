"""/v1/txn: several operations on keys, nodes, services and checks, all or none."""

from __future__ import annotations

import msgspec

from lictor.acl import Authorizer
from lictor.acl.authorizer import Resource
from lictor.api.context import Context
from lictor.api.http import Request, Response, json_response
from lictor.api.options import check_datacenter, read_options
from lictor.api.router import Router
from lictor.errors import BadRequest, TooLarge
from lictor.server.commands import txn as commands
from lictor.server.transaction import Batch
from lictor.types.base64 import decode_base64
from lictor.types.catalog import Check, Node, Record, Service
from lictor.types.gojson import decode
from lictor.types.kv import KVEntry
from lictor.types.txn import NodeOp, Op, ServiceOp, TxnReadResult, TxnResult

router = Router()

_HELP = " See https://www.consul.io/docs/agent/options.html#txn_max_req_len."
_READ_HEADERS = [("X-Consul-Knownleader", "true"), ("X-Consul-Lastcontact", "0")]
_KV_CHECKS = ("check-index", "check-session")
_KV_READS = ("get", "get-tree", "get-or-empty", "check-not-exists")


@router.action("PUT", "/v1/txn")
async def transact(context: Context, request: Request) -> Response:
    """Runs the operations. One that fails fails all: 409, with every reason."""
    check_datacenter(request, context.config.datacenter)
    ops = await _read(context, request)
    values = [_value(context, op) for op in ops]
    authorizer = request.authorizer
    denied = {position for position, op in enumerate(ops) if not _may(authorizer, op)}
    if commands.reads_only(ops):
        return await _read_only(context, request, ops, values, denied)
    try:
        result: TxnResult = await context.server.write(
            lambda tx: commands.execute(tx, ops, values, denied),
            lambda rows, revision: commands.result(_readable(authorizer, rows), revision),
        )
    except commands.TxnFailed as failed:
        return json_response(TxnResult(errors=failed.errors), 409)
    return json_response(result)


async def _read_only(
    context: Context, request: Request, ops: list[Op], values: list[bytes | None], denied: set[int]
) -> Response:
    options = read_options(request)
    if options.consistent or (not options.stale and context.server.shared):
        await context.server.barrier()
    result, status = TxnReadResult(), 200
    try:
        # Planned like a write, so that the same code answers, and then let go of.
        rows = Batch(context.state, 0).run(lambda tx: commands.execute(tx, ops, values, denied))
        found = commands.result(_readable(request.authorizer, rows), context.state.revision)
        result = msgspec.structs.replace(result, results=found.results)
    except commands.TxnFailed as failed:
        result, status = msgspec.structs.replace(result, errors=failed.errors), 409
    response = json_response(result, status)
    response.headers += _READ_HEADERS
    return response


async def _read(context: Context, request: Request) -> list[Op]:
    limits = context.config.limits
    try:
        body = await request.body(max(limits.txn_body_bytes, limits.kv_value_bytes))
    except TooLarge as error:
        raise TooLarge(f"{error}{_HELP}") from None
    try:
        ops = [] if body.strip() == b"null" else decode(body, list[Op])
    except BadRequest as error:
        raise BadRequest(f"Failed to parse body: {str(error).removeprefix('Request decode failed: ')}") from None
    if len(ops) > limits.txn_ops:
        raise TooLarge(f"Transaction contains too many operations ({len(ops)} > {limits.txn_ops})")
    datacenter = context.config.datacenter
    return [_plain(op, datacenter) for op in ops if op.kv or op.node or op.service or op.check]


def _value(context: Context, op: Op) -> bytes | None:
    """The decoded value of an operation on a key."""
    if op.kv is None or op.kv.value is None:
        return None
    try:
        value = decode_base64(op.kv.value)
    except ValueError as error:
        raise BadRequest(f"Failed to parse body: {error}") from None
    limit = context.config.limits.kv_value_bytes
    if len(value) > limit:
        raise TooLarge(f'Value for key "{op.kv.key}" is too large ({len(value)} > {limit} bytes)')
    return value


def _plain(op: Op, datacenter: str) -> Op:
    """The operation that counts when several are given, a node with its datacenter."""
    if op.kv is not None:
        return Op(kv=op.kv)
    if op.node is None:
        return op
    node = op.node.node
    if not node.datacenter:
        node = msgspec.structs.replace(node, datacenter=datacenter)
    return Op(node=msgspec.structs.replace(op.node, node=node))


def _may(authorizer: Authorizer, op: Op) -> bool:
    """What a write, or a check of a key, needs. What is only read is left out of the answer instead."""
    may = authorizer.may
    if op.kv is not None:
        verb, key = op.kv.verb, op.kv.key
        return verb in _KV_READS or may("key", key, "read" if verb in _KV_CHECKS else "write")
    part = op.node or op.service or op.check
    if part is None or part.verb == "get":
        return True
    record = part.node if isinstance(part, NodeOp) else part.service if isinstance(part, ServiceOp) else part.check
    return may(*_subject(record), "write")


def _readable(authorizer: Authorizer, rows: commands.Rows) -> commands.Rows:
    return [(kind, row) for kind, row in rows if authorizer.may(*_subject(row), "read")]


def _subject(row: Record) -> tuple[Resource, str]:
    """What the right to see or change a row is asked for."""
    if isinstance(row, KVEntry):
        return "key", row.key
    if isinstance(row, Node):
        return "node", row.node
    if isinstance(row, Service):
        return "service", row.service
    assert isinstance(row, Check)
    return ("service", row.service_name) if row.service_name else ("node", row.node)
