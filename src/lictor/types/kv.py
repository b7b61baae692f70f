"""Keys, sessions and user events, as they are kept and served."""

from __future__ import annotations

from lictor.types.catalog import Record
from lictor.types.duration import Duration
from lictor.types.gojson import Uint, Wire, always, always_list

RELEASE, DELETE = "release", "delete"
BEHAVIORS = (RELEASE, DELETE)


class KVEntry(Record, frozen=True, kw_only=True):
    """One key. `session` is who holds its lock, `lock_index` how often it has been taken (a fencing token)."""

    lock_index: int = always(0)
    key: str = always("")
    flags: int = always(0)
    value: bytes | None = always(None)
    session: str = ""


class SessionServiceCheck(Wire, frozen=True, kw_only=True):
    """A service check that a session depends on."""

    id: str = always("")
    namespace: str = always("")


class Session(Record, frozen=True, kw_only=True):
    """A lock holder bound to a node and to checks. `lock_delay` is in nanoseconds, `ttl` text as it was given.

    `checks` is the older name of `node_checks`; a session stands on both.
    """

    id: str = always("")
    name: str = always("")
    node: str = always("")
    lock_delay: int = always(15 * 10**9)
    behavior: str = always(RELEASE)
    ttl: str = always("")
    node_checks: list[str] | None = always(None)
    service_checks: list[SessionServiceCheck] | None = always(None)
    checks: list[str] | None = None

    @property
    def ttl_seconds(self) -> float:
        """The TTL; 0 for a session that lives until it is ended."""
        return Duration.parse(self.ttl).seconds if self.ttl else 0.0


class SessionRequest(Wire, frozen=True, kw_only=True):
    """The body of /v1/session/create. A lock delay below 1000 without a unit is taken as seconds, as by the reference.

    `id` and the indexes are read and passed over: clients send back what they were shown.
    """

    id: str = ""
    name: str = ""
    node: str | None = None
    lock_delay: str | int | float | None = None
    behavior: str = ""
    ttl: str = ""
    checks: list[str] | None = None
    node_checks: list[str] | None = None
    service_checks: list[SessionServiceCheck] | None = None
    namespace: str = ""
    create_index: Uint = 0
    modify_index: Uint = 0


class UserEvent(Wire, frozen=True, kw_only=True):
    """A user event as fired and as remembered."""

    id: str = always("")
    name: str = always("")
    payload: bytes | None = always(None)
    node_filter: str = always("")
    service_filter: str = always("")
    tag_filter: str = always("")
    version: int = always(1)
    l_time: int = always(0)


class Coord(Wire, frozen=True, kw_only=True):
    """A Vivaldi network coordinate; distances are in seconds."""

    vec: list[float] = always_list()
    error: float = always(1.5)
    adjustment: float = always(0.0)
    height: float = always(1e-5)


class Coordinate(Record, frozen=True, kw_only=True):
    """Where a node is in network terms."""

    node: str = always("")
    segment: str = always("")
    coord: Coord = always(Coord())


class LockDelay(Record, frozen=True, kw_only=True):
    """Kept under a lease for as long as a key whose session was invalidated may not be locked again."""

    key: str = ""


class SessionAlive(Record, frozen=True, kw_only=True):
    """Kept under the lease of a session with a TTL; its end tells the leader to end the session."""

    id: str = ""
    lease: int = 0


__all__ = [
    "BEHAVIORS",
    "DELETE",
    "RELEASE",
    "Coord",
    "Coordinate",
    "Duration",
    "KVEntry",
    "LockDelay",
    "Session",
    "SessionAlive",
    "SessionRequest",
    "SessionServiceCheck",
    "UserEvent",
]
