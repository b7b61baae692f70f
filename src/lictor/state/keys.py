"""Keys and sessions: the KV table, who holds which lock, and what can be asked of them.

Cells: ("kv", key) one key; ("kv-prefix", p) everything below a prefix; ("sessions",), ("session", id),
("node-sessions", n); ("orphans",) sessions whose time has run out.
"""

from __future__ import annotations

from collections.abc import Hashable

from lictor.state.answer import Answer
from lictor.state.cells import Cells
from lictor.state.tables import NUL, Index, Table
from lictor.types.kv import KVEntry, LockDelay, Session, SessionAlive


class KV(Table[KVEntry]):
    prefix, kind = "kv", KVEntry

    def __init__(self) -> None:
        super().__init__()
        self.by_session = Index()
        # Only these lengths of a changed key can be a watched prefix.
        self.prefix_lengths: set[int] = set()

    def name(self, *parts: str) -> str:
        return parts[0]  # keys keep their case

    def moved(self, name: str, old: KVEntry | None, new: KVEntry | None, touched: set[Hashable]) -> None:
        holder, taker = old.session if old else "", new.session if new else ""
        if holder != taker:
            self.by_session.swap(name, [holder] if holder else [], [taker] if taker else [])
        touched.add(("kv", name))
        for length in self.prefix_lengths:
            if length <= len(name):
                touched.add(("kv-prefix", name[:length]))


class Sessions(Table[Session]):
    prefix, kind = "session", Session

    def __init__(self) -> None:
        super().__init__()
        self.by_node = Index()
        self.by_check = Index()

    def moved(self, name: str, old: Session | None, new: Session | None, touched: set[Hashable]) -> None:
        self.by_node.swap(name, [old.node.lower()] if old else [], [new.node.lower()] if new else [])
        self.by_check.swap(name, session_checks(old), session_checks(new))
        touched.update((("sessions",), ("session", name)))
        for session in (old, new):
            if session is not None:
                touched.add(("node-sessions", session.node.lower()))


class Alive(Table[SessionAlive]):
    """The lease-bound sign of life of each session that has a TTL."""

    prefix, kind, leased = "alive", SessionAlive, True

    def moved(self, name: str, old: SessionAlive | None, new: SessionAlive | None, touched: set[Hashable]) -> None:
        if new is None:
            touched.add(("orphans",))


class LockDelays(Table[LockDelay]):
    """Keys that may not be locked for a while."""

    prefix, kind, leased = "lockdelay", LockDelay, True

    def name(self, *parts: str) -> str:
        return parts[0]


class Keys:
    """The tables above and the questions asked of them."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self.kv = KV()
        self.sessions = Sessions()
        self.alive = Alive()
        self.lock_delays = LockDelays()

    def get(self, key: str) -> Answer[KVEntry | None]:
        """One key."""
        return Answer(self.kv.rows.get(key), (self._cells.get(("kv", key)),))

    def below(self, prefix: str) -> Answer[list[KVEntry]]:
        """Every key that begins so, in order."""
        self.kv.prefix_lengths.add(len(prefix))
        return Answer(list(self.kv.scan(prefix)), (self._cells.get(("kv-prefix", prefix)),))

    def list_keys(self, prefix: str, separator: str) -> Answer[list[str]]:
        """The names below a prefix; with a separator only up to its next occurrence, each once."""
        self.kv.prefix_lengths.add(len(prefix))
        names: list[str] = []
        for name in self.kv.names(prefix):
            if separator:
                cut = name.find(separator, len(prefix))
                if cut >= 0:
                    name = name[: cut + len(separator)]
                    if names and names[-1] == name:
                        continue
            names.append(name)
        return Answer(names, (self._cells.get(("kv-prefix", prefix)),))

    def session(self, session_id: str) -> Answer[Session | None]:
        """One session."""
        return Answer(self.sessions.get(session_id), (self._cells.get(("session", session_id.lower())),))

    def all_sessions(self) -> Answer[list[Session]]:
        """Every session by id."""
        return Answer(list(self.sessions.scan()), (self._cells.get(("sessions",)),))

    def node_sessions(self, node: str) -> Answer[list[Session]]:
        """The sessions of a node."""
        rows = [self.sessions.rows[row] for row in self.sessions.by_node.rows(node.lower())]
        return Answer(rows, (self._cells.get(("node-sessions", node.lower())),))

    def orphans(self) -> Answer[list[Session]]:
        """Sessions with a TTL whose lease has ended."""
        rows = [s for s in self.sessions.scan() if s.id.lower() not in self.alive.rows and s.ttl_seconds > 0]
        return Answer(rows, (self._cells.get(("orphans",)),))


def session_checks(session: Session | None) -> list[str]:
    """The check rows that a session depends on."""
    if session is None:
        return []
    ids = [*(session.checks or []), *(session.node_checks or []), *(c.id for c in session.service_checks or [])]
    return [f"{session.node}{NUL}{check}".lower() for check in ids]
