"""Plans for prepared queries, and what makes one invalid."""

from __future__ import annotations

import re

import msgspec

from lictor.errors import NotFound, Refused
from lictor.server.transaction import Tx
from lictor.types.duration import Duration
from lictor.types.query import PreparedQuery
from lictor.types.validate import uuid_error

NAME_PREFIX_MATCH = "name_prefix_match"


def checked(query: PreparedQuery) -> PreparedQuery:
    """Raises Refused for a query that cannot be; returns it as it is kept."""
    if query.template.type:
        if query.template.type != NAME_PREFIX_MATCH:
            raise Refused(f'Invalid prepared query: Bad Template: unrecognized template type "{query.template.type}"')
        try:
            re.compile(query.template.regexp)
        except re.error as error:
            raise Refused(f"Invalid prepared query: Bad Template: {error}") from None
    elif not query.name and not query.session:
        raise Refused("Invalid prepared query: Must be bound to a session")
    if query.session and uuid_error(query.session):
        raise Refused(f'Invalid prepared query: Bad session ID "{query.session}"')
    if not query.service.service:
        raise Refused("Invalid prepared query: Must provide a Service name to query")
    if query.service.failover.nearest_n < 0:
        raise Refused(f"Invalid prepared query: Bad NearestN '{query.service.failover.nearest_n}', must be >= 0")
    if query.dns.ttl:
        try:
            ttl = Duration.parse(query.dns.ttl)
        except ValueError as error:
            raise Refused(f"Invalid prepared query: Bad DNS TTL '{query.dns.ttl}': {error}") from None
        if ttl.ns < 0:
            raise Refused(f"Invalid prepared query: Bad DNS TTL '{query.dns.ttl}', must be >=0")
    return query


def put(tx: Tx, query: PreparedQuery, *, create: bool) -> PreparedQuery:
    """Creates or replaces a query; its name must be no other's."""
    queries = tx.state.queries
    old = tx.get(queries, query.id)
    if not create and old is None:
        raise NotFound(f"Cannot modify non-existent prepared query: '{query.id}'")
    if query.session and tx.get(tx.state.keys.sessions, query.session) is None:
        raise Refused("raft apply failed: invalid session")
    same_name = queries.template_named(query.name) if query.template.type else queries.named(query.name)
    if query.name and same_name is not None and same_name.id != query.id and tx.get(queries, same_name.id) is not None:
        raise Refused(f"raft apply failed: name '{query.name}' aliases an existing query name")
    if query.name and tx.get(queries, query.name) is not None:
        raise Refused(f"raft apply failed: name '{query.name}' aliases an existing query ID")
    if query.template.type and not query.name and same_name is not None and same_name.id != query.id:
        raise Refused("raft apply failed: a query template with an empty name already exists")
    return tx.put(queries, msgspec.structs.replace(query), query.id)


def delete(tx: Tx, query_id: str) -> None:
    """Deletes a query; one that is not there is no error."""
    tx.delete(tx.state.queries, query_id)
