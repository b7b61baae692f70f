"""/v1/query: prepared queries, stored, run and explained."""

from __future__ import annotations

import ipaddress
import re

import msgspec

from lictor import limits
from lictor.acl import Authorizer
from lictor.acl.authorizer import Access, require
from lictor.api.context import Context
from lictor.api.http import Request, Response, empty_response, json_response
from lictor.api.options import check_datacenter, read_options
from lictor.api.router import Reply, Router
from lictor.errors import MethodNotAllowed, NotFound, Refused
from lictor.server.commands import queries as commands
from lictor.server.query_run import Asker, resolve, run
from lictor.server.transaction import Tx
from lictor.state.views import HealthEntry, raw_entry
from lictor.types.gojson import always, decode
from lictor.types.query import PreparedQuery, QueryDNS
from lictor.types.readmeta import ReadMeta
from lictor.types.validate import lookup_error

router = Router()

_EXECUTE, _EXPLAIN = "/execute", "/explain"


class Executed(ReadMeta, frozen=True, kw_only=True):
    """What running a query answers."""

    service: str
    nodes: list[HealthEntry]
    dns: QueryDNS
    datacenter: str
    failovers: int = always(0)


class Explained(ReadMeta, frozen=True, kw_only=True):
    """The query that a name means, rendered if it is a template."""

    query: PreparedQuery


@router.action("POST", "/v1/query")
async def create(context: Context, request: Request) -> Response:
    """Stores a new query and tells its id."""
    check_datacenter(request, context.config.datacenter)
    query = await request.decode(PreparedQuery, limits.BODY_BYTES)
    if query.id:
        raise Refused("ID must be empty when creating a new prepared query")
    _require(request, query, "write")
    query = msgspec.structs.replace(commands.checked(query), id=context.entropy.uuid())
    await context.server.write(lambda tx: commands.put(tx, query))
    return json_response({"ID": query.id})


@router.read("/v1/query")
def queries(context: Context, request: Request) -> Reply:
    """Every query that may be seen, by id."""
    table = context.state.queries
    rows = [_shown(request.authorizer, row) for row in table.scan() if _may(request.authorizer, row, "list")]
    return Reply(rows, (context.state.cells.get((table.prefix,)),))


@router.read("/v1/query/")
def read(context: Context, request: Request) -> Reply:
    """One query by its id, or with /execute and /explain what a name or an id finds and means."""
    name, suffix = _split(request)
    if suffix == _EXECUTE:
        return _execute(context, request, name)
    if suffix == _EXPLAIN:
        return _explain(context, request, name)
    table = context.state.queries
    query = table.get(_query_id(request))
    if query is None:
        raise NotFound("Query not found")
    _require(request, query, "read")
    return Reply([_shown(request.authorizer, query)], (context.state.cells.get((table.prefix,)),))


@router.action("PUT", "/v1/query/")
async def update(context: Context, request: Request) -> Response:
    """Replaces a query. The id in the path counts."""
    query_id = _writable(context, request)
    body = await request.body(limits.BODY_BYTES)
    query = decode(body, PreparedQuery) if body else PreparedQuery()
    query = msgspec.structs.replace(query, id=query_id)
    _require(request, query, "write")

    def plan(tx: Tx) -> None:
        old = commands.require_existing(tx, query_id)
        _require(request, old, "write")
        commands.put(tx, msgspec.structs.replace(commands.checked(query), id=old.id))

    await context.server.write(plan)
    return empty_response()


@router.action("DELETE", "/v1/query/")
async def delete(context: Context, request: Request) -> Response:
    """Deletes a query."""
    query_id = _writable(context, request)

    def plan(tx: Tx) -> None:
        _require(request, commands.require_existing(tx, query_id), "write")
        commands.delete(tx, query_id)

    await context.server.write(plan)
    return empty_response()


def _execute(context: Context, request: Request, name: str) -> Reply:
    asker = Asker(
        node=context.node_of(request),
        datacenter=context.config.datacenter,
        near=request.param("near"),
        address=_address(request),
        limit=_limit(request),
        connect=request.has("connect"),
    )
    outcome = run(context.state, name, asker, context.entropy.random)
    may = request.authorizer.may
    executed = Executed(
        service=outcome.query.service.service,
        nodes=[
            raw_entry(row)
            for row in outcome.nodes
            if may("node", row.node.node, "read") and may("service", row.service.service, "read")
        ],
        dns=outcome.query.dns,
        datacenter=context.config.datacenter,
        failovers=outcome.failovers,
        consistency_level=read_options(request).consistency or "leader",
    )
    return Reply(executed, (), once=True)


def _explain(context: Context, request: Request, name: str) -> Reply:
    _limit(request)
    query = resolve(context.state, name).value
    if query is None:
        raise NotFound("Query not found")
    _require(request, query, "read")
    explained = Explained(
        query=_shown(request.authorizer, query), consistency_level=read_options(request).consistency or "leader"
    )
    return Reply(explained, (), once=True)


def _split(request: Request) -> tuple[str, str]:
    """The name and what is asked of it: "/execute", "/explain" or nothing."""
    for suffix in (_EXECUTE, _EXPLAIN):
        if f"/{request.rest}".endswith(suffix):
            return request.rest.removesuffix(suffix.lstrip("/")).removesuffix("/"), suffix
    return request.rest, ""


def _writable(context: Context, request: Request) -> str:
    """The id of the query that a write is for."""
    check_datacenter(request, context.config.datacenter)
    if _split(request)[1]:
        raise MethodNotAllowed(request.method, ("GET",))
    return _query_id(request, "Prepared Query lookup failed: ")


def _query_id(request: Request, doing: str = "") -> str:
    if reason := lookup_error(request.rest):
        raise Refused(f"{doing}failed prepared query lookup: index error: {reason}")
    return request.rest


def _limit(request: Request) -> int:
    text = request.param("limit")
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        raise Refused(f'Bad limit: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _address(request: Request) -> str:
    """The client's IP address, or the one that a proxy in front of the agent says it has."""
    forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
    host = request.remote.rpartition(":")[0].strip("[]")
    for candidate in (forwarded, host):
        try:
            return str(ipaddress.ip_address(candidate))
        except ValueError:
            continue
    return ""


def _may(authorizer: Authorizer, query: PreparedQuery, access: Access) -> bool:
    """Whoever knows the id of a query without a name may use it; the others fall under rules for their names."""
    if not query.name and not query.template.type:
        return access != "list" or authorizer.may("acl", "", "write")
    return authorizer.may("query", query.name, "write" if access == "write" else "read")


def _require(request: Request, query: PreparedQuery, access: Access) -> None:
    if not _may(request.authorizer, query, access):
        require(request.authorizer, "query", query.name, access)


def _shown(authorizer: Authorizer, query: PreparedQuery) -> PreparedQuery:
    """A query as it is shown: its token only to those who manage tokens."""
    if not query.token or authorizer.may("acl", "", "write"):
        return query
    return msgspec.structs.replace(query, token=commands.HIDDEN_TOKEN)
