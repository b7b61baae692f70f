"""Keys, locks and sessions through the writer over a memory store behave as a simple model does, one after the other.

Operations are submitted in groups that the writer may put into one commit; what they answer and leave behind must be
what they would have alone, in the order of their submission.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lictor.errors import Refused
from lictor.server.commands import catalog, kv, sessions
from lictor.server.server import Server
from lictor.server.transaction import Tx
from lictor.store.memory import MemoryStore
from lictor.types.catalog import Node
from lictor.types.kv import DELETE, RELEASE, KVEntry, Session

KEYS = ["a", "a/1", "a/1/x", "a/2", "b", "bb"]
SESSIONS = [f"{n}{n}{n}{n}{n}{n}{n}{n}-0000-0000-0000-000000000000" for n in range(1, 4)]
MINUTE = 60 * 10**9

keys = st.sampled_from(KEYS)
ids = st.sampled_from(SESSIONS)
contents = st.tuples(st.sampled_from([None, b"1", b"2"]), st.sampled_from([0, 7]))
indexes = st.sampled_from(["now", "none", "wrong"])
operations = st.one_of(
    st.tuples(st.just("set"), keys, contents),
    st.tuples(st.just("cas"), keys, contents, indexes),
    st.tuples(st.just("lock"), keys, contents, ids),
    st.tuples(st.just("unlock"), keys, contents, ids),
    st.tuples(st.just("delete"), keys),
    st.tuples(st.just("delete_cas"), keys, indexes),
    st.tuples(st.just("delete_tree"), st.sampled_from(["", "a", "a/", "a/1", "b", "zz"])),
    st.tuples(st.just("create"), ids, st.sampled_from([RELEASE, DELETE]), st.sampled_from([0, MINUTE])),
    st.tuples(st.just("destroy"), ids),
)


class Row:
    def __init__(self, content: Any, stamp: int, born: int, session: str = "", locked: int = 0) -> None:
        self.content, self.stamp, self.born, self.session, self.locked = content, stamp, born, session, locked


class Model:
    """The meaning of the operations. `stamp` stands for a change, `born` for a row's life."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.sessions: dict[str, tuple[str, int]] = {}
        self.delayed: set[str] = set()
        self.now = 0

    def put(self, key: str, content: Any, session: str | None = None, locked: int = 0) -> bool:
        old = self.rows.get(key)
        holder = (old.session if old else "") if session is None else session
        if old is not None and (old.content, old.session, old.locked) == (content, holder, locked):
            return True
        self.now += 1
        self.rows[key] = Row(content, self.now, old.born if old else self.now, holder, locked)
        return True

    def set(self, key: str, content: Any) -> bool:
        return self.put(key, content)

    def cas(self, key: str, content: Any, stamp: int) -> bool:
        old = self.rows.get(key)
        return (old.stamp if old else 0) == stamp and self.put(key, content)

    def lock(self, key: str, content: Any, session: str) -> bool | str:
        if key in self.delayed:
            return False
        if session not in self.sessions:
            return "refused"
        old = self.rows.get(key)
        if old is not None and old.session not in ("", session):
            return False
        count = old.locked if old else 0
        return self.put(key, content, session, count + (0 if old and old.session == session else 1))

    def unlock(self, key: str, content: Any, session: str) -> bool:
        old = self.rows.get(key)
        return old is not None and old.session == session and self.put(key, content, "", old.locked)

    def delete(self, key: str) -> bool:
        self.rows.pop(key, None)
        return True

    def delete_cas(self, key: str, stamp: int) -> bool:
        old = self.rows.get(key)
        if old is not None and old.stamp != stamp:
            return False
        return self.delete(key)

    def delete_tree(self, prefix: str) -> bool:
        for key in [key for key in self.rows if key.startswith(prefix)]:
            del self.rows[key]
        return True

    def create(self, session: str, behavior: str, delay: int) -> bool:
        self.sessions[session] = behavior, delay
        return True

    def destroy(self, session: str) -> bool:
        behavior, delay = self.sessions.pop(session, ("", 0))
        for key, row in [(key, row) for key, row in self.rows.items() if behavior and row.session == session]:
            if behavior == DELETE:
                del self.rows[key]
            else:
                self.put(key, row.content, "", row.locked)
            if delay:
                self.delayed.add(key)
        return True


def entry(key: str, content: Any) -> KVEntry:
    return KVEntry(key=key, value=content[0], flags=content[1])


def plan_of(operation: tuple[Any, ...], index: int) -> Callable[[Tx], Any]:
    """The operation as the API would plan it."""
    name, *rest = operation
    plans: dict[str, Callable[[Tx], Any]] = {
        "set": lambda tx: kv.set_entry(tx, entry(*rest[:2])) is not None,
        "cas": lambda tx: kv.cas(tx, entry(*rest[:2]), index) is not None,
        "lock": lambda tx: kv.lock(tx, entry(*rest[:2]), rest[2]) is not None,
        "unlock": lambda tx: kv.unlock(tx, entry(*rest[:2]), rest[2]) is not None,
        "delete": lambda tx: kv.delete(tx, rest[0]) is None,
        "delete_cas": lambda tx: kv.delete_cas(tx, rest[0], index),
        "delete_tree": lambda tx: kv.delete_tree(tx, rest[0]) is None,
        "create": lambda tx: (
            sessions.create(tx, Session(id=rest[0], node="n", behavior=rest[1], lock_delay=rest[2])) is not None
        ),
        "destroy": lambda tx: sessions.destroy(tx, rest[0]) is None,
    }
    return plans[name]


class Run:
    """Model and server side by side."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.model = Model()
        self.index_of: dict[int, int] = {}
        self.created: dict[int, int] = {}

    async def group(self, operations: list[tuple[Any, ...]]) -> None:
        before = {key: row.stamp for key, row in self.model.rows.items()}
        expected, plans = [], []
        for operation in operations:
            name, *rest = operation
            if name in ("cas", "delete_cas"):
                stamp = {"now": before.get(rest[0], 0), "none": 0, "wrong": -5}[rest[-1]]
                rest = [*rest[:-1], stamp]
                plans.append(plan_of(operation, self.index_of[stamp] if stamp > 0 else max(stamp, 0) or -stamp * 10**6))
            else:
                plans.append(plan_of(operation, 0))
            expected.append(getattr(self.model, name)(*rest))
        answers = await asyncio.gather(*(self.server.write(plan) for plan in plans), return_exceptions=True)
        assert ["refused" if isinstance(a, Refused) else a for a in answers] == expected
        self.compare()

    def compare(self) -> None:
        table = self.server.state.keys.kv
        assert list(table.rows) == sorted(self.model.rows)
        for key, row in self.model.rows.items():
            found = table.rows[key]
            assert (found.value, found.flags) == row.content, key
            assert (found.session, found.lock_index) == (row.session, row.locked), key
            # The same change has the same index for ever, the same life the same creation.
            assert self.index_of.setdefault(row.stamp, found.modify_index) == found.modify_index
            assert self.created.setdefault(row.born, found.create_index) == found.create_index
        assert set(self.server.state.keys.sessions.rows) == set(self.model.sessions)
        for session in SESSIONS:
            held = sorted(key for key, row in self.model.rows.items() if row.session == session)
            assert table.by_session.rows(session) == held


async def play(groups: list[list[tuple[Any, ...]]]) -> None:
    server = Server(MemoryStore())
    await server.open()
    await server.write(lambda tx: catalog.ensure_node(tx, Node(node="n")))
    run = Run(server)
    for group in groups:
        await run.group(group)
    revision, entries = await server.store.load(lambda revision, events: None)
    fresh = type(server.state)()
    fresh.load(revision, entries)
    assert fresh.keys.kv.rows == server.state.keys.kv.rows  # what was said of changes is what is stored
    await server.close()


@settings(max_examples=250)
@given(st.lists(st.lists(operations, min_size=1, max_size=8), min_size=1, max_size=8))
def test_groups_behave_as_one_after_the_other(groups: list[list[tuple[Any, ...]]]) -> None:
    asyncio.run(play(groups))
