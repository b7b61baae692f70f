"""Prepared queries at work: which query a name means, what a template becomes for it, and what it finds. Pure.

The HTTP API and DNS both run queries through here; randomness comes in where the order of the answer shall be random.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

from lictor.errors import NotFound, Refused
from lictor.runtime.log import get_logger
from lictor.server.interpolation import Scope, interpolate
from lictor.state import Answer, State
from lictor.state.cells import Cell
from lictor.state.distance import nearest
from lictor.state.gateways import connect_health
from lictor.state.views import HealthEntry
from lictor.types.catalog import CRITICAL, PASSING
from lictor.types.query import PreparedQuery, QueryService
from lictor.types.regexp import compile_regexp, groups
from lictor.types.validate import uuid_error

NAME_PREFIX_MATCH = "name_prefix_match"
_AGENT, _IP = "_agent", "_ip"
_NEAR_FIRST = 10
"""How far down the answer the node asked for may stand to be moved to its top."""
log = get_logger("server.query")


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs a query, from where, and what it asks for beyond the query itself.

    `node` is the agent's own, `near` what stands before the query's own wish ("_agent" and "_ip" allowed), `address`
    the client's IP address, `limit` 0 for no limit.
    """

    node: str
    datacenter: str
    near: str = ""
    address: str = ""
    limit: int = 0
    connect: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a query found, the best first. `in_order`: by distance; `for_client`: the only address it holds for."""

    query: PreparedQuery
    nodes: list[HealthEntry]
    cells: tuple[Cell, ...]
    failovers: int = 0
    in_order: bool = False
    for_client: str = ""


def resolve(state: State, name_or_id: str, segment: str = "") -> Answer[PreparedQuery | None]:
    """The query that a name or an id means, rendered if it is a template; None when there is none.

    Raises Refused for an empty name, a template's id, and a template that cannot be rendered for the name.
    """
    queries = state.queries
    cells = (state.cells.get((queries.prefix,)),)
    if not name_or_id:
        raise Refused("Missing prepared query ID")
    by_id = queries.get(name_or_id) if not uuid_error(name_or_id) else None
    if by_id is not None:
        if by_id.template.type:
            raise Refused("prepared query templates can only be resolved up by name, not by ID")
        return Answer(by_id, cells)
    exact = queries.named(name_or_id)
    if exact is not None:
        return Answer(exact, cells)
    template = queries.template_for(name_or_id)
    return Answer(render(template, name_or_id, segment) if template is not None else None, cells)


def run(state: State, name_or_id: str, asker: Asker, random: Random | None = None) -> Outcome:
    """Finds the query and runs it. Raises NotFound when there is none, Refused as `resolve` does."""
    resolved = resolve(state, name_or_id)
    if resolved.value is None:
        raise NotFound("Query not found")
    outcome = execute(state, resolved.value, asker, random)
    return msgspec.structs.replace(outcome, cells=resolved.cells + outcome.cells)


def execute(state: State, query: PreparedQuery, asker: Asker, random: Random | None = None) -> Outcome:
    """Runs a query that is no template (any more). Without `random` the order is the catalog's."""
    wanted = query.service
    by_connect = wanted.connect or asker.connect
    found = connect_health(state, wanted.service) if by_connect else state.catalog.health(wanted.service)
    rows = [row for row in found.value if _fits(row, wanted)]
    cells = found.cells
    if random is not None:
        random.shuffle(rows)
    near, more = _near(state, asker, wanted)
    cells += more
    in_order = False
    if near:
        rows, more, in_order = nearest(state, near, rows, lambda row: row.node.node)
        cells += more
        _put_first(rows, near)
    if asker.limit > 0:
        rows = rows[: asker.limit]
    if not rows:
        _skip_failover(query, asker.datacenter)
    by_client = _IP in (asker.near, wanted.near)
    return Outcome(
        query=query, nodes=rows, cells=cells, in_order=in_order, for_client=asker.address if by_client else ""
    )


def render(query: PreparedQuery, name: str, segment: str = "") -> PreparedQuery:
    """A template as it is for a name that was looked up. Raises Refused naming the field that cannot be rendered."""
    prefix = query.name
    suffix = name[len(prefix) :] if name.lower().startswith(prefix.lower()) else name
    variables = {"name.full": name, "name.prefix": prefix, "name.suffix": suffix, "agent.segment": segment}
    pattern = query.template.regexp
    scope = Scope(variables, groups(pattern, name) if pattern else ())

    def text(value: str, field: str) -> str:
        try:
            return interpolate(value, scope)
        except ValueError as error:
            raise Refused(f"Bad evaluation for '{value}' in Service.{field}: {error}") from None

    service = _each_text(query.service, text)
    if query.template.remove_empty_tags:
        service = msgspec.structs.replace(service, tags=[tag for tag in service.tags or [] if tag])
    return msgspec.structs.replace(query, service=service)


def check_template(query: PreparedQuery) -> None:
    """Raises Refused for a template that could never be rendered."""
    if query.template.type != NAME_PREFIX_MATCH:
        raise Refused(f"Bad Template.Type '{query.template.type}'")
    try:
        compile_regexp(query.template.regexp, capture=True)
    except ValueError as error:
        raise Refused(f"Bad Regexp: {error}") from None
    render(query, query.name)


def _each_text(service: QueryService, change: Callable[[str, str], str]) -> QueryService:
    """A copy with every text of it changed, lists and values of maps included."""

    def texts(values: list[str] | None, field: str) -> list[str] | None:
        return None if values is None else [change(value, f"{field}[{i}]") for i, value in enumerate(values)]

    def values(pairs: dict[str, str] | None, field: str) -> dict[str, str] | None:
        return None if pairs is None else {key: change(value, f"{field}[{key}]") for key, value in pairs.items()}

    return msgspec.structs.replace(
        service,
        service=change(service.service, "Service"),
        failover=msgspec.structs.replace(
            service.failover, datacenters=texts(service.failover.datacenters, "Failover.Datacenters")
        ),
        ignore_check_ids=texts(service.ignore_check_ids, "IgnoreCheckIDs"),
        near=change(service.near, "Near"),
        tags=texts(service.tags, "Tags"),
        node_meta=values(service.node_meta, "NodeMeta"),
        service_meta=values(service.service_meta, "ServiceMeta"),
    )


def _fits(row: HealthEntry, wanted: QueryService) -> bool:
    """True when an instance is healthy enough for the query and has the metadata and tags that it asks for."""
    ignored = wanted.ignore_check_ids or ()
    for check in row.checks:
        if check.check_id in ignored:
            continue
        if check.status == CRITICAL or (wanted.only_passing and check.status != PASSING):
            return False
    node_meta, service_meta = row.node.meta or {}, row.service.meta or {}
    if any(node_meta.get(key) != value for key, value in (wanted.node_meta or {}).items()):
        return False
    if any(service_meta.get(key) != value for key, value in (wanted.service_meta or {}).items()):
        return False
    own = {tag.lower() for tag in row.service.tags}
    return all((tag[1:] not in own) if tag[:1] == "!" else (tag in own) for tag in map(str.lower, wanted.tags or ()))


def _near(state: State, asker: Asker, wanted: QueryService) -> tuple[str, tuple[Cell, ...]]:
    """The node from which distance is measured (empty for none), and the cells looked at to find it."""
    near = asker.near or wanted.near
    if near == _AGENT:
        return asker.node, ()
    if near != _IP:
        return near, ()
    nodes = state.catalog.all_nodes()
    return next((node.node for node in nodes.value if asker.address and node.address == asker.address), ""), nodes.cells


def _put_first(rows: list[HealthEntry], near: str) -> None:
    for position, row in enumerate(rows[:_NEAR_FIRST]):
        if row.node.node == near:
            rows[0], rows[position] = row, rows[0]
            return


def _skip_failover(query: PreparedQuery, datacenter: str) -> None:
    """There is no other datacenter to fail over to: those that the query names are passed over, as unknown ones are."""
    for name in query.service.failover.datacenters or ():
        if name != datacenter:
            log.debug("prepared query %s: skipping unknown datacenter %s", query.name or query.id, name)
