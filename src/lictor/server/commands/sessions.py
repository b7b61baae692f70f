"""Plans for sessions: create, destroy, and the end that a check, a node or a TTL puts to them.

When a session ends, each key it holds is released or deleted (its behaviour) and, with a lock delay, stays closed to
all for that long: a marker under a lease of the store says so on every server.
"""

from __future__ import annotations

import msgspec

from lictor import limits
from lictor.errors import BadRequest, Refused
from lictor.server.transaction import Tx
from lictor.state.keys import session_checks
from lictor.state.tables import NUL
from lictor.types.catalog import CRITICAL, SERF_HEALTH
from lictor.types.duration import Duration
from lictor.types.kv import BEHAVIORS, DELETE, RELEASE, KVEntry, LockDelay, Session, SessionAlive, SessionRequest

DEFAULT_LOCK_DELAY = 15 * 10**9
_SECONDS_BELOW = 1000
_LONGEST = (1 << 63) - 1
TTL_GRACE = 2
"""A session lives for so many times its TTL without being renewed: the TTL is a promise to the client, not to others.
The reference does the same, and clients (Patroni, for one) halve the TTL they want because of it."""


def from_request(request: SessionRequest, session_id: str, node: str, ttl_min: float) -> Session:
    """A session as asked for, with the reference's defaults. Raises Refused for what is out of bounds."""
    behavior = request.behavior or RELEASE
    if behavior not in BEHAVIORS:
        raise Refused(f"Invalid Behavior setting '{behavior}'")
    if request.ttl:
        _check_ttl(request.ttl, ttl_min)
    if request.node == "":
        raise Refused("Must provide Node")
    checks, node_checks = _checks(request)
    return Session(
        id=session_id,
        name=request.name,
        node=node if request.node is None else request.node,
        behavior=behavior,
        ttl=request.ttl,
        lock_delay=_lock_delay(request),
        node_checks=node_checks,
        service_checks=request.service_checks,
        checks=checks,
    )


def create(tx: Tx, session: Session) -> Session:
    """Creates a session; with a TTL also its sign of life."""
    catalog, keys = tx.state.catalog, tx.state.keys
    if tx.get(catalog.nodes, session.node) is None:
        raise Refused("apply failed: Missing node registration")
    for row in session_checks(session):
        node, check_id = row.split(NUL, 1)
        check = tx.get(catalog.checks, node, check_id)
        if check is None:
            raise Refused(f"apply failed: Missing check '{check_id}' registration")
        if check.status == CRITICAL:
            raise Refused(f"apply failed: Check '{check_id}' is in critical state")
    if session.ttl_seconds > 0:
        lease = tx.grant(session.ttl_seconds * TTL_GRACE)
        tx.put(keys.alive, SessionAlive(id=session.id), session.id, lease=lease)
    return tx.put(keys.sessions, session, session.id)


def destroy(tx: Tx, session_id: str) -> None:
    """Ends a session and what it holds. One that is gone already is no error."""
    session = tx.get(tx.state.keys.sessions, session_id)
    if session is not None:
        _end(tx, session)


def end_for_check(tx: Tx, node: str, check_id: str) -> None:
    """Ends the sessions that stand on a check."""
    row = f"{node}{NUL}{check_id}".lower()
    sessions = tx.state.keys.sessions
    for session in tx.rows(sessions, sessions.by_check.rows(row), lambda s: row in session_checks(s)):
        _end(tx, session)


def end_for_node(tx: Tx, node: str) -> None:
    """Ends a node's sessions."""
    sessions, low = tx.state.keys.sessions, node.lower()
    for session in tx.rows(sessions, sessions.by_node.rows(low), lambda s: s.node.lower() == low):
        _end(tx, session)


def _end(tx: Tx, session: Session) -> None:
    keys, queries = tx.state.keys, tx.state.queries
    tx.delete(keys.sessions, session.id)
    alive = tx.get(keys.alive, session.id)
    if alive is not None:
        tx.delete(keys.alive, session.id)
        if alive.lease:  # none yet when it was created in this same commit
            tx.end_lease(alive.lease)
    held = tx.rows(keys.kv, keys.kv.by_session.rows(session.id), lambda e: e.session == session.id)
    for entry in held:
        _let_go(tx, session, entry)
    for query in tx.rows(queries, queries.by_session.rows(session.id), lambda q: q.session == session.id):
        tx.delete(queries, query.id)


def _let_go(tx: Tx, session: Session, entry: KVEntry) -> None:
    keys = tx.state.keys
    if session.behavior == DELETE:
        tx.delete(keys.kv, entry.key)
    else:
        tx.put(keys.kv, msgspec.structs.replace(entry, session=""), entry.key)
    if session.lock_delay > 0:
        lease = tx.grant(min(session.lock_delay / 1e9, limits.LOCK_DELAY_MAX_SECONDS))
        tx.put(keys.lock_delays, LockDelay(key=entry.key), entry.key, lease=lease)


def _checks(request: SessionRequest) -> tuple[list[str] | None, list[str]]:
    """`Checks` and `NodeChecks` of a session. Either one empty takes away what stands in the other by default.

    Nothing said in either means the check of the node's agent.
    """
    checks = [SERF_HEALTH] if request.checks is None else request.checks
    node_checks = [SERF_HEALTH] if request.node_checks is None else request.node_checks
    if not checks:
        return None, []
    if checks == [SERF_HEALTH] or not node_checks:
        return None, node_checks
    return checks, node_checks


def _check_ttl(text: str, ttl_min: float) -> None:
    try:
        ttl = Duration.parse(text)
    except ValueError as error:
        raise Refused(f"Session TTL '{text}' invalid: {error}") from None
    if ttl.ns and not ttl_min <= ttl.seconds <= limits.SESSION_TTL_MAX_SECONDS:
        raise Refused(
            f"Invalid Session TTL '{ttl.ns}', must be between "
            f"[{Duration.of(ttl_min)}={Duration.of(limits.SESSION_TTL_MAX_SECONDS)}]"
        )


def _lock_delay(request: SessionRequest) -> int:
    """Nanoseconds. A number below 1000 is seconds, otherwise nanoseconds, as in the reference."""
    given = request.lock_delay
    if given is None:
        return DEFAULT_LOCK_DELAY
    try:
        nanoseconds = Duration.read(given).ns
    except ValueError as error:
        raise BadRequest(f"Request decode failed: {error}") from None
    if nanoseconds < _SECONDS_BELOW:
        nanoseconds *= 10**9
    return max(nanoseconds, -_LONGEST)
