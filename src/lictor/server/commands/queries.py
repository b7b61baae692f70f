"""Plans for prepared queries, and what makes one invalid. Texts and their order are the reference's."""

from __future__ import annotations

from lictor.errors import Refused
from lictor.server.query_run import check_template
from lictor.server.transaction import Tx
from lictor.types.duration import Duration
from lictor.types.query import PreparedQuery
from lictor.types.validate import meta_error

HIDDEN_TOKEN = "<hidden>"
"""What stands for a query's token where it is not shown."""


def checked(query: PreparedQuery) -> PreparedQuery:
    """The query, if it can be. Raises Refused with the reason."""
    reason = _reason(query)
    if reason:
        raise Refused(f"Invalid prepared query: {reason}")
    return query


def require_existing(tx: Tx, query_id: str) -> PreparedQuery:
    """The query of that id. Raises Refused when there is none."""
    old = tx.get(tx.state.queries, query_id)
    if old is None:
        raise Refused(f"Cannot modify non-existent prepared query: '{query_id}'")
    return old


def put(tx: Tx, query: PreparedQuery) -> PreparedQuery:
    """Creates or replaces a query. Its name must be no other's name or id, its session must live."""
    queries = tx.state.queries
    if query.name:
        if any(other.id != query.id for other in _named(tx, query.name)):
            raise Refused(f"raft apply failed: name '{query.name}' aliases an existing query name")
        if tx.get(queries, query.name) is not None:
            raise Refused(f"raft apply failed: name '{query.name}' aliases an existing query ID")
    elif query.template.type and any(other.template.type and other.id != query.id for other in _named(tx, "")):
        raise Refused("raft apply failed: a query template with an empty name already exists")
    if query.session and tx.get(tx.state.keys.sessions, query.session) is None:
        raise Refused(f'raft apply failed: invalid session "{query.session}"')
    if query.template.type:
        try:
            check_template(query)
        except Refused as error:
            raise Refused(f"raft apply failed: failed compiling template: {error}") from None
    return tx.put(queries, query, query.id)


def delete(tx: Tx, query_id: str) -> None:
    """Deletes a query. Raises Refused when there is none."""
    require_existing(tx, query_id)
    tx.delete(tx.state.queries, query_id)


def _named(tx: Tx, name: str) -> list[PreparedQuery]:
    """Queries and templates of exactly that name, those planned in this commit included."""
    queries = tx.state.queries
    known = [q.id.lower() for q in (queries.named(name), queries.template_named(name)) if q is not None]
    return tx.rows(queries, known, lambda query: query.name.lower() == name.lower())


def _reason(query: PreparedQuery) -> str:
    if not query.name and not query.template.type and not query.session:
        return "Must be bound to a session"
    if query.token == HIDDEN_TOKEN:
        return f"Bad Token '{query.token}', it looks like a query definition with a redacted token was submitted"
    if not query.service.service:
        return "Must provide a Service name to query"
    if query.service.failover.nearest_n < 0:
        return f"Bad NearestN '{query.service.failover.nearest_n}', must be >= 0"
    if reason := meta_error(query.service.node_meta or {}, reserved=False):
        return reason
    if query.dns.ttl:
        try:
            ttl = Duration.parse(query.dns.ttl)
        except ValueError as error:
            return f"Bad DNS TTL '{query.dns.ttl}': {error}"
        if ttl.ns < 0:
            return f"DNS TTL '{ttl.ns}', must be >=0"
    return ""
