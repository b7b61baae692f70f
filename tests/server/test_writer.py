"""The writer: many plans in one commit, conflicts planned again, and faults that stay with their plan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from lictor import limits
from lictor.errors import Refused, StoreConflict, StoreError, TooBusy, Unavailable
from lictor.server.commands import kv
from lictor.server.server import Server
from lictor.server.transaction import Batch, Tx
from lictor.store import Txn
from lictor.store.memory import MemoryStore
from lictor.types.kv import KVEntry


class Gated(MemoryStore):
    """A memory store whose commits wait for `gate` and fail with what lies in `faults`."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.faults: list[Exception] = []
        self.txns: list[Txn] = []

    async def commit(self, txn: Txn) -> int:
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        self.txns.append(txn)
        return await super().commit(txn)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server(Gated())
    await server.open()
    server.store.txns.clear()  # type: ignore[attr-defined]
    yield server
    server.store.gate.set()  # type: ignore[attr-defined]
    await server.close()


def store(server: Server) -> Gated:
    assert isinstance(server.store, Gated)
    return server.store


def put(key: str, value: bytes = b"x", flags: int = 0) -> Callable[[Tx], Any]:
    return lambda tx: kv.set_entry(tx, KVEntry(key=key, value=value, flags=flags))


async def test_those_that_wait_together_are_one_commit(server: Server) -> None:
    store(server).gate.clear()
    first = asyncio.create_task(server.write(put("first")))
    await asyncio.sleep(0)
    others = [asyncio.create_task(server.write(put(f"k{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    store(server).gate.set()
    await asyncio.gather(first, *others)
    assert len(store(server).txns) == 2
    rows = server.state.keys.kv.rows
    assert len(rows) == 21 and len({row.modify_index for row in rows.values()}) == 2


async def test_an_answer_comes_when_the_state_has_it(server: Server) -> None:
    found = await server.write(put("k"), lambda row, revision: (revision, server.state.keys.kv.rows["k"].modify_index))
    assert found == (server.state.revision, server.state.revision)


async def test_what_changes_nothing_is_not_committed(server: Server) -> None:
    await server.write(put("k"))
    revision = server.state.revision
    await server.write(put("k"))
    await server.write(lambda tx: kv.delete(tx, "none"))
    assert server.state.revision == revision and len(store(server).txns) == 1


async def test_a_refused_plan_changes_nothing_and_hurts_nobody(server: Server) -> None:
    def refused(tx: Tx) -> None:
        kv.set_entry(tx, KVEntry(key="bad"))
        raise Refused("no")

    results = await asyncio.gather(
        server.write(put("a")), server.write(refused), server.write(put("b")), return_exceptions=True
    )
    assert isinstance(results[1], Refused) and list(server.state.keys.kv.rows) == ["a", "b"]


async def test_a_fault_in_a_plan_is_that_plans_own(server: Server) -> None:
    results = await asyncio.gather(
        server.write(put("a")), server.write(lambda tx: 1 // 0), server.write(put("b")), return_exceptions=True
    )
    assert isinstance(results[1], ZeroDivisionError) and list(server.state.keys.kv.rows) == ["a", "b"]


async def test_a_row_that_cannot_be_stored_is_its_plans_own_fault(server: Server) -> None:
    results = await asyncio.gather(
        server.write(put("a")), server.write(put("bad", flags=1 << 70)), server.write(put("b")), return_exceptions=True
    )
    assert isinstance(results[1], OverflowError) and list(server.state.keys.kv.rows) == ["a", "b"]
    await server.write(put("c"))


async def test_a_fault_in_what_becomes_of_a_result_is_told_to_who_asked(server: Server) -> None:
    results = await asyncio.gather(
        server.write(put("a"), lambda row, revision: 1 // 0), server.write(put("b")), return_exceptions=True
    )
    assert isinstance(results[0], ZeroDivisionError) and list(server.state.keys.kv.rows) == ["a", "b"]


async def test_conflicts_are_planned_again(server: Server) -> None:
    store(server).faults = [StoreConflict("key changed")] * 3
    runs = 0

    def counted(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        put("k")(tx)

    await server.write(counted)
    assert runs == 4 and "k" in server.state.keys.kv.rows


async def test_a_plan_sees_what_another_server_wrote_meanwhile(server: Server) -> None:
    await server.write(put("counter", b"0"))

    def count(tx: Tx) -> None:
        row = tx.get(tx.state.keys.kv, "counter")
        assert row is not None
        put("counter", b"%d" % (int(row.value or b"0") + 1))(tx)

    store(server).gate.clear()
    ours = asyncio.create_task(server.write(count))
    await asyncio.sleep(0)
    # As another server would: past this one's writer, while its commit is on its way.
    batch = Batch(server.state, store(server).max_changes)
    batch.run(count)
    await MemoryStore.commit(store(server), batch.txn([]))
    store(server).gate.set()
    await ours
    assert server.state.keys.kv.rows["counter"].value == b"2"


async def test_endless_conflict_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store(server).faults = [StoreConflict("key changed")] * 1000
    with pytest.raises(Unavailable, match="kept colliding"):
        await server.write(put("k"))
    store(server).faults = []
    await server.write(put("k"))


async def test_a_store_that_fails_is_told_to_all(server: Server) -> None:
    store(server).faults = [StoreError("disk full")]
    results = await asyncio.gather(server.write(put("a")), server.write(put("b")), return_exceptions=True)
    assert [str(result) for result in results] == ["disk full", "disk full"]
    await server.write(put("a"))


async def test_too_many_waiting(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_WRITES", 3)
    store(server).gate.clear()
    tasks = [asyncio.create_task(server.write(put("first")))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(server.write(put(f"k{n}"))) for n in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(TooBusy):
        await tasks[-1]
    store(server).gate.set()
    await asyncio.gather(*tasks[:-1])


async def test_many_reads_in_a_plan_do_not_spoil_a_batch(server: Server) -> None:
    def reader(number: int) -> Callable[[Tx], Any]:
        def plan(tx: Tx) -> None:
            for n in range(100):
                tx.get(tx.state.keys.kv, f"{number}/{n}")
            put(f"k{number}")(tx)

        return plan

    await asyncio.gather(*(server.write(reader(number)) for number in range(200)))
    assert len(server.state.keys.kv.rows) == 200


async def test_one_who_left_is_passed_over(server: Server) -> None:
    store(server).gate.clear()
    first = asyncio.create_task(server.write(put("first")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    left = asyncio.create_task(server.write(put("left")))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    store(server).gate.set()
    await first
    await server.write(put("last"))
    assert list(server.state.keys.kv.rows) == ["first", "last"]


async def test_closing_commits_what_waits() -> None:
    server = Server(Gated())
    await server.open()
    store(server).gate.clear()
    tasks = [asyncio.create_task(server.write(put(f"k{n}"))) for n in range(3)]
    await asyncio.sleep(0)
    store(server).gate.set()
    await server.close()
    await asyncio.gather(*tasks)
    with pytest.raises(Unavailable):
        await server.write(put("late"))
