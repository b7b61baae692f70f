"""Plans laid over the state and over each other, and when one has to wait for the next commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lictor.server.transaction import PENDING, Batch, BatchFull, Tx
from lictor.state import State
from lictor.state.tables import NUL, pack
from lictor.store import Compare, Delete, Event, Put
from lictor.store.checks import check_txn
from lictor.types.catalog import Service
from lictor.types.kv import KVEntry, SessionAlive

MOST = 10


@pytest.fixture
def state() -> State:
    """A state that holds the keys a/1, a/2 and b since revision 5."""
    state = State()
    state.apply(5, [event(key) for key in ("a/1", "a/2", "b")])
    return state


def event(key: str, value: bytes = b"old") -> Event:
    return Event(f"kv/{key}".encode(), pack(KVEntry(key=key, value=value)), 5, 5)


def put(*keys: str) -> Callable[[Tx], Any]:
    return lambda tx: [tx.put(tx.state.keys.kv, KVEntry(key=key, value=b"new"), key) for key in keys]


def delete(*keys: str) -> Callable[[Tx], Any]:
    return lambda tx: [tx.delete(tx.state.keys.kv, key) for key in keys]


def below(*prefixes: str) -> Callable[[Tx], Any]:
    return lambda tx: [tx.delete_below(tx.state.keys.kv, prefix) for prefix in prefixes]


def shown(tx: Tx) -> list[tuple[str, bytes | None]]:
    return [(row.key, row.value) for row in tx.scan(tx.state.keys.kv)]


def keys(batch: Batch) -> list[str]:
    return [key for key, _ in batch.run(shown)]


def changes(batch: Batch) -> set[tuple[str, str]]:
    """The transaction's changes, which the store must take."""
    txn = batch.txn([])
    check_txn(txn, MOST)
    return {
        (
            "put" if isinstance(change, Put) else "range" if isinstance(change, Delete) and change.end else "delete",
            change.key.decode(),
        )
        for change in txn.changes
    }


def test_reads_see_what_was_planned(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(put("a/3"))
    batch.run(delete("a/1"))
    batch.run(lambda tx: (put("a/2")(tx), _assert(shown(tx)[0] == ("a/2", b"new"))))
    assert keys(batch) == ["a/2", "a/3", "b"]
    assert changes(batch) == {("put", "kv/a/3"), ("delete", "kv/a/1"), ("put", "kv/a/2")}


def _assert(truth: bool) -> None:
    assert truth


def test_what_is_read_is_compared(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(lambda tx: (tx.get(tx.state.keys.kv, "b"), tx.get(tx.state.keys.kv, "none")))
    batch.run(put("a/1"))
    compares = {Compare(b"kv/b", 5), Compare(b"kv/none", 0), Compare(b"kv/a/1", 5)}
    assert set(batch.txn([]).compares) == compares


def test_a_plan_that_raises_leaves_nothing(state: State) -> None:
    batch = Batch(state, MOST)

    def plan(tx: Tx) -> None:
        put("x")(tx)
        tx.delete_below(tx.state.keys.kv, "a")
        raise KeyError

    with pytest.raises(KeyError):
        batch.run(plan)
    assert not batch.writes and not batch.ranges and keys(batch) == ["a/1", "a/2", "b"]


def test_indexes_are_pending(state: State) -> None:
    batch = Batch(state, MOST)
    (old,) = batch.run(put("b"))
    (new,) = batch.run(put("c"))
    assert (old.create_index, old.modify_index) == (5, PENDING)
    assert (new.create_index, new.modify_index) == (PENDING, PENDING)


def test_nothing_is_changed_by_deleting_what_is_not_there(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(delete("none"))
    assert not batch.writes


def test_deleted_by_one_plan_and_made_by_another(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(delete("b"))
    with pytest.raises(BatchFull):
        batch.run(put("b"))
    batch.run(put("c"))  # others still join


def test_made_by_one_plan_and_deleted_by_another(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(put("c"))
    batch.run(delete("c"))
    batch.run(put("c"))
    assert changes(batch) == {("put", "kv/c")}


def test_deleted_and_made_by_the_same_plan(state: State) -> None:
    batch = Batch(state, MOST)
    (row,) = batch.run(lambda tx: (delete("b")(tx), put("b")(tx))[1])
    # The store keeps when a key was created that never goes between two revisions; the plan says the same.
    assert row.create_index == 5 and changes(batch) == {("put", "kv/b")}


def test_a_range_is_one_change(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(below("a/"))
    assert keys(batch) == ["b"] and changes(batch) == {("range", "kv/a/")}


def test_ranges_that_overlap_become_the_widest(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(below("a/1", "a/", "a/2", "a/"))
    batch.run(below("a/2"))
    assert changes(batch) == {("range", "kv/a/")}
    with pytest.raises(BatchFull):
        batch.run(below(""))


def test_a_range_waits_for_the_writes_before_it(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(put("c"))
    with pytest.raises(BatchFull):
        batch.run(below("a/"))


def test_a_row_made_inside_a_range_of_another_plan_waits(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(below("a/"))
    for key in ("a/1", "a/new"):
        with pytest.raises(BatchFull):
            batch.run(put(key))
    batch.run(put("b"))
    assert changes(batch) == {("range", "kv/a/"), ("put", "kv/b")}


def test_a_row_made_inside_a_range_of_its_own_plan(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(lambda tx: (put("a/0", "c")(tx), below("a/")(tx), put("a/2", "a/new")(tx)))
    assert keys(batch) == ["a/2", "a/new", "b", "c"]
    assert changes(batch) == {("put", "kv/c"), ("put", "kv/a/2"), ("put", "kv/a/new"), ("delete", "kv/a/1")}


def test_a_range_over_what_its_own_plan_made(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(lambda tx: (below("a/")(tx), put("a/new")(tx), below("a")(tx)))
    assert keys(batch) == ["b"] and changes(batch) == {("range", "kv/a")}


def test_a_batch_has_room_for_so_many_changes(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(put(*(f"k{n}" for n in range(8))))
    with pytest.raises(BatchFull):
        batch.run(put("x", "y", "z"))
    batch.run(put("x", "y"))


def test_a_batch_has_room_for_so_many_compares(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(lambda tx: [tx.get(tx.state.keys.kv, f"k{n}") for n in range(8)])
    with pytest.raises(BatchFull):
        batch.run(lambda tx: [tx.get(tx.state.keys.kv, f"x{n}") for n in range(3)])


def test_a_plan_too_large_for_any_batch_has_one_for_itself(state: State) -> None:
    batch = Batch(state, MOST)
    batch.run(put(*(f"k{n}" for n in range(MOST + 1))))
    with pytest.raises(BatchFull):
        batch.run(put("x"))


def test_leases_are_numbered_until_they_are_granted(state: State) -> None:
    batch = Batch(state, MOST)

    def plan(session: str) -> Callable[[Tx], Any]:
        def run(tx: Tx) -> None:
            lease = tx.grant(10.0)
            tx.put(tx.state.keys.alive, SessionAlive(id=session), session, lease=lease)

        return run

    batch.run(plan("s1"))
    batch.run(plan("s2"))
    assert batch.leases == [10.0, 10.0]
    puts = [change for change in batch.txn([71, 72]).changes if isinstance(change, Put)]
    rows = [state.keys.alive.decode(change.value, 0, 0) for change in puts]
    assert [(change.lease, row.id, row.lease) for change, row in zip(puts, rows, strict=True)] == [
        (71, "s1", 71),
        (72, "s2", 72),
    ]


def test_rows_of_an_index_with_what_is_planned(state: State) -> None:
    services = state.catalog.services
    rows = [Service(id=name, service="web") for name in ("w1", "w2")]
    state.apply(6, [Event(services.store_key(f"n\0{row.id}"), pack(row), 6, 6) for row in rows])
    batch = Batch(state, MOST)

    def plan(tx: Tx) -> list[str]:
        tx.delete(services, "n", "w1")
        tx.put(services, Service(id="w3", service="web"), "n", "w3")
        tx.put(services, Service(id="x", service="other"), "n", "x")
        return [row.id for row in tx.rows(services, services.by_name.rows("web"), lambda row: row.service == "web")]

    assert batch.run(plan) == ["w2", "w3"]
    assert [row.service for row in batch.run(lambda tx: tx.scan(services, "n" + NUL))] == ["web", "web", "other"]
