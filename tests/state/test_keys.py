"""Keys and sessions: prefixes, holders of locks, and sessions whose time has run out."""

from __future__ import annotations

import pytest

from lictor.state.keys import session_checks
from lictor.types.kv import KVEntry, LockDelay, Session, SessionAlive, SessionServiceCheck
from tests.state.fill import Filled


@pytest.fixture
def filled() -> Filled:
    filled = Filled()
    for key in ("a/1", "a/2", "a/b/3", "A/4", "z"):
        filled.put(filled.state.keys.kv, KVEntry(key=key, value=b"x"), key)
    return filled


def names(filled: Filled, prefix: str) -> list[str]:
    return [row.key for row in filled.state.keys.below(prefix).value]


def test_below_a_prefix(filled: Filled) -> None:
    assert names(filled, "a/") == ["a/1", "a/2", "a/b/3"]
    assert names(filled, "") == ["A/4", "a/1", "a/2", "a/b/3", "z"]
    assert names(filled, "none") == []


def test_names_up_to_a_separator(filled: Filled) -> None:
    keys = filled.state.keys
    assert keys.list_keys("", "/").value == ["A/", "a/", "z"]
    assert keys.list_keys("a/", "/").value == ["a/1", "a/2", "a/b/"]
    assert keys.list_keys("a", "").value == ["a/1", "a/2", "a/b/3"]
    assert keys.list_keys("a/b", "/").value == ["a/b/"]


def test_a_change_moves_its_key_and_the_prefixes_that_are_watched(filled: Filled) -> None:
    keys = filled.state.keys
    answers = {prefix: keys.below(prefix) for prefix in ("", "a", "a/", "a/1", "b", "a/12")}
    one, other = keys.get("a/1"), keys.get("a/2")
    filled.put(keys.kv, KVEntry(key="a/1", value=b"y"), "a/1")
    revision = filled.state.revision
    assert {prefix for prefix, answer in answers.items() if answer.index == revision} == {"", "a", "a/", "a/1"}
    assert one.index == revision and other.index < revision


def test_a_deletion_moves_its_prefix(filled: Filled) -> None:
    answer = filled.state.keys.below("a/")
    filled.drop(filled.state.keys.kv, "a/1")
    assert answer.index == filled.state.revision and names(filled, "a/") == ["a/2", "a/b/3"]


def test_who_holds_which_lock(filled: Filled) -> None:
    kv = filled.state.keys.kv
    filled.put(kv, KVEntry(key="a/1", session="s1"), "a/1")
    filled.put(kv, KVEntry(key="a/2", session="s1"), "a/2")
    filled.put(kv, KVEntry(key="a/1", session="s2"), "a/1")
    assert (kv.by_session.rows("s1"), kv.by_session.rows("s2")) == (["a/2"], ["a/1"])
    filled.drop(kv, "a/2")
    assert "s1" not in kv.by_session


def test_sessions_by_node_and_check() -> None:
    filled = Filled()
    sessions = filled.state.keys.sessions
    session = Session(
        id="S1",
        node="N",
        checks=["old"],
        node_checks=["serfHealth"],
        service_checks=[SessionServiceCheck(id="web")],
    )
    assert session_checks(session) == ["n\0old", "n\0serfhealth", "n\0web"] and session_checks(None) == []
    filled.watch(("sessions",), ("session", "s1"), ("node-sessions", "n"), ("node-sessions", "other"))
    filled.put(sessions, session, "S1")
    assert filled.moved(("sessions",), ("session", "s1"), ("node-sessions", "n"), ("node-sessions", "other")) == {
        ("sessions",),
        ("session", "s1"),
        ("node-sessions", "n"),
    }
    assert [row.id for row in filled.state.keys.node_sessions("n").value] == ["S1"]
    assert sessions.by_check.rows("n\0web") == ["s1"]
    filled.drop(sessions, "s1")
    assert "n" not in sessions.by_node and "n\0web" not in sessions.by_check
    assert filled.state.keys.session("S1").value is None


def test_orphans_are_sessions_with_a_ttl_and_no_sign_of_life() -> None:
    filled = Filled()
    keys = filled.state.keys
    for name, ttl in (("s1", "10s"), ("s2", "10s"), ("s3", ""), ("s4", "0s")):
        filled.put(keys.sessions, Session(id=name, node="n", ttl=ttl), name)
    filled.put(keys.alive, SessionAlive(id="s1"), "s1")
    answer = keys.orphans()
    assert [row.id for row in answer.value] == ["s2"]
    filled.drop(keys.alive, "s1")
    assert answer.index == filled.state.revision and [row.id for row in keys.orphans().value] == ["s1", "s2"]


def test_lock_delays_keep_their_case() -> None:
    filled = Filled()
    filled.put(filled.state.keys.lock_delays, LockDelay(key="A"), "A")
    assert filled.state.keys.lock_delays.get("a") is None
    assert filled.state.keys.lock_delays.get("A") is not None
