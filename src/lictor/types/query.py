"""Prepared queries, as they are kept and served."""

from __future__ import annotations

from lictor.types.catalog import Record
from lictor.types.gojson import Wire, always


class QueryFailover(Wire, frozen=True, kw_only=True):
    nearest_n: int = always(0)
    datacenters: list[str] | None = always(None)


class QueryService(Wire, frozen=True, kw_only=True):
    """What a query looks for. Tags that begin with "!" must be absent."""

    service: str = always("")
    failover: QueryFailover = always(QueryFailover())
    only_passing: bool = always(False)
    ignore_check_ids: list[str] | None = always(None)
    near: str = always("")
    tags: list[str] | None = always(None)
    node_meta: dict[str, str] | None = always(None)
    service_meta: dict[str, str] | None = always(None)
    connect: bool = always(False)


class QueryTemplate(Wire, frozen=True, kw_only=True):
    type: str = always("")
    regexp: str = always("")
    remove_empty_tags: bool = always(False)


class QueryDNS(Wire, frozen=True, kw_only=True):
    ttl: str = always("")


class PreparedQuery(Record, frozen=True, kw_only=True):
    """A stored search for instances of a service, by id, by name or by a template over names."""

    id: str = always("")
    name: str = always("")
    session: str = always("")
    token: str = always("")
    template: QueryTemplate = always(QueryTemplate())
    service: QueryService = always(QueryService())
    dns: QueryDNS = always(QueryDNS())


class ConfigEntry(Record, frozen=True, kw_only=True):
    """A configuration entry of any kind, kept as the reference's JSON."""

    kind: str
    name: str
    body: bytes = b"{}"
