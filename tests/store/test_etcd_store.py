"""What only a store over etcd has to do: other writers, gaps in the watch, lost answers, elections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc.aio
import msgspec
import pytest

from lictor.errors import StoreClosed, StoreConflict, StoreError
from lictor.store.base import Compare, Delete, Entry, Put, Txn
from lictor.store.etcd import progress
from lictor.store.etcd.config import EtcdConfig
from lictor.store.etcd.rpc import RANGE, TXN, Connection
from lictor.store.etcd.schema import PutRequest, RangeRequest, RequestOp, TxnRequest
from lictor.store.etcd.store import EtcdStore
from tests.store.backends import Follower, content_of
from tests.store.etcd_process import HAVE_ETCD, shared_config
from tests.store.etcd_proxy import Proxy

pytestmark = pytest.mark.skipif(not HAVE_ETCD, reason="etcd is not installed")

Open = Callable[..., Awaitable[EtcdStore]]


def put(key: bytes, value: bytes = b"", lease: int = 0) -> Txn:
    return Txn((), (Put(key, value, lease),))


@pytest.fixture
def config(tmp_path: Path) -> EtcdConfig:
    return shared_config(tmp_path)


@pytest.fixture
async def opened(config: EtcdConfig) -> AsyncIterator[Open]:
    """Opens stores, each of another server unless told; closes them at the end."""
    stores: list[EtcdStore] = []

    async def open_one(server: str = "", **changes: Any) -> EtcdStore:
        store = EtcdStore(msgspec.structs.replace(config, **changes), server or f"s{len(stores)}")
        stores.append(store)
        await store.open()
        return store

    yield open_one
    await asyncio.gather(*(store.close() for store in stores))


@pytest.fixture
async def etcd(config: EtcdConfig) -> AsyncIterator[Connection]:
    """The etcd itself."""
    connection = Connection(config, config.targets()[0])
    yield connection
    await connection.close()


async def raw_put(etcd: Connection, key: bytes) -> None:
    await etcd.call(TXN, TxnRequest(success=[RequestOp(request_put=PutRequest(key=key))]), 5)


async def raw_keys(etcd: Connection, start: bytes) -> list[bytes]:
    found = await etcd.call(RANGE, RangeRequest(key=start, range_end=start[:-1] + b"0", keys_only=True), 5)
    return [kv.key for kv in found.kvs]


async def compact(config: EtcdConfig, revision: int) -> None:
    """Has etcd forget everything before a revision; the request is two bytes of tag and a number, and one for more."""
    number = b""
    while revision > 0x7F:
        number += bytes((revision & 0x7F | 0x80,))
        revision >>= 7
    async with grpc.aio.insecure_channel(config.targets()[0]) as channel:
        call = channel.unary_unary("/etcdserverpb.KV/Compact")
        await call(b"\x08" + number + bytes((revision,)) + b"\x10\x01", timeout=5)


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)


async def stream(*entries: Entry) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry


async def test_a_read_after_a_barrier_sees_what_any_server_wrote(opened: Open) -> None:
    one, other = await opened(), await opened()
    assert one.shared
    follower = await Follower().follow(other)
    for number in range(50):
        revision = await one.commit(put(b"a", b"%d" % number))
        assert await other.barrier() == revision == follower.revision
        assert follower.content[b"a"][0] == b"%d" % number


async def test_of_two_servers_that_compare_and_set_no_step_is_lost(opened: Open) -> None:
    stores = [await opened(), await opened()]

    async def count(store: EtcdStore) -> None:
        follower = await Follower().follow(store)
        done = 0
        while done < 30:
            value, _, modified = follower.content.get(b"counter", (b"0", 0, 0))
            try:
                await store.commit(Txn((Compare(b"counter", modified),), (Put(b"counter", b"%d" % (int(value) + 1)),)))
                done += 1
            except StoreConflict:
                # What it lost against was heard before the conflict is told.
                assert follower.content[b"counter"][2] > modified

    await asyncio.gather(*(count(store) for store in stores for _ in range(2)))
    assert (await content_of(stores[0]))[b"counter"].value == b"120"


async def test_what_others_do_in_the_same_etcd_is_not_ours(opened: Open, etcd: Connection) -> None:
    store = await opened()
    follower = await Follower().follow(store)
    revision = await store.commit(put(b"a"))
    for _ in range(3):
        await raw_put(etcd, b"of somebody else")
        assert await store.barrier() == revision
        assert await store.commit(Txn((Compare(b"a", revision),))) == revision
        assert (await store.load(lambda revision, events: None))[0] == revision
    later = await store.commit(put(b"b"))
    assert [known for known, _ in follower.history] == [revision, later]


async def test_a_transaction_in_progress_survives_lost_answers(opened: Open, config: EtcdConfig) -> None:
    """Every commit happens once, though the connection breaks all the time and answers to it are lost."""
    async with Proxy(int(config.targets()[0].rpartition(":")[2])) as proxy:
        store = await opened(endpoints=(proxy.endpoint,))
        follower = await Follower().follow(store)
        witness = await Follower().follow(await opened())
        stop = asyncio.Event()

        async def break_it() -> None:
            while not stop.is_set():
                await asyncio.sleep(0.03)
                proxy.mute()
                await asyncio.sleep(0.02)
                proxy.heal()
                await asyncio.sleep(0.1)

        async def count(key: bytes) -> int:
            modified = number = 0
            while proxy.connections < 16:
                number += 1
                modified = await store.commit(Txn((Compare(key, modified),), (Put(key, b"%d" % number),)))
                assert follower.content[key] == (b"%d" % number, follower.content[key][1], modified)
            return number

        breaking = asyncio.ensure_future(break_it())
        counts = await asyncio.gather(*(count(b"k%d" % n) for n in range(5)))
        stop.set()
        await breaking
    await until(lambda: witness.revision == follower.revision)
    assert witness.content == follower.content
    written = [revision for revision, _ in witness.history]
    assert len(written) == sum(counts) == len(set(written))


async def test_a_deletion_whose_answer_was_lost_happened(opened: Open, config: EtcdConfig) -> None:
    async with Proxy(int(config.targets()[0].rpartition(":")[2])) as proxy:
        store = await opened(endpoints=(proxy.endpoint,))
        witness = await Follower().follow(await opened())
        revision = await store.commit(put(b"a"))
        for txn in (Txn((Compare(b"a", revision),), (Delete(b"a"),)), Txn((), (Delete(b"a"),))):
            proxy.mute()
            commit = asyncio.ensure_future(store.commit(txn))
            await asyncio.sleep(0.05)
            proxy.heal()
            assert await commit == witness.revision
        assert len(witness.history) == 2


async def test_when_etcd_stays_away_a_commit_says_what_is_known_of_it(opened: Open, config: EtcdConfig) -> None:
    async with Proxy(int(config.targets()[0].rpartition(":")[2])) as proxy:
        store = await opened(endpoints=(proxy.endpoint,), wait_seconds=0.4)
        await store.commit(put(b"a"))
        proxy.mute()
        first, second = store.commit(put(b"a", b"1")), store.commit(put(b"a", b"2"))
        unknown, unwritten = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(unknown, StoreError) and "not known" in str(unknown)
        assert isinstance(unwritten, StoreError) and "nothing was written" in str(unwritten)
        for call in (store.barrier(), store.grant(10), store.keep_alive(5)):
            with pytest.raises(StoreError, match="does not answer"):
                await call
        proxy.heal()
        await until(lambda: not store._commits._tasks)
        await store.commit(put(b"b"))
        assert {key: entry.value for key, entry in (await content_of(store)).items()} == {b"a": b"1", b"b": b""}


async def test_after_a_gap_the_listener_hears_the_difference(opened: Open, config: EtcdConfig) -> None:
    async with Proxy(int(config.targets()[0].rpartition(":")[2])) as proxy:
        store, writer = await opened(endpoints=(proxy.endpoint,)), await opened()
        await writer.commit(Txn((), (Put(b"changed", b"1"), Put(b"gone", b"1"), Put(b"same", b"1"), Put(b"new", b"1"))))
        await writer.commit(Txn((), (Delete(b"new"),)))
        follower = await Follower().follow(store)
        proxy.mute()
        await writer.commit(put(b"changed", b"2"))
        await writer.commit(put(b"new", b"2"))
        last = await writer.commit(Txn((), (Delete(b"gone"), Put(b"changed", b"3"))))
        await compact(config, await writer.commit(put(b"also", b"")))
        proxy.heal()
        await until(lambda: b"also" in follower.content)
        found = await content_of(writer)
        assert follower.content == {key: (entry.value, entry.created, entry.modified) for key, entry in found.items()}
        assert all(event.key != b"same" for _, events in follower.history for event in events)
        assert await store.barrier() >= follower.revision > last
        assert await store.commit(put(b"after")) == follower.revision


async def test_a_load_and_a_gap_at_the_same_time(opened: Open, config: EtcdConfig) -> None:
    async with Proxy(int(config.targets()[0].rpartition(":")[2])) as proxy:
        store, writer = await opened(endpoints=(proxy.endpoint,)), await opened()
        await writer.commit(put(b"a"))
        proxy.mute()
        follower = Follower()
        loading = asyncio.ensure_future(follower.follow(store))
        await writer.commit(Txn((), (Delete(b"a"),)))
        revision = await writer.commit(put(b"b"))
        await compact(config, revision)
        proxy.heal()
        await loading
        await until(lambda: list(follower.content) == [b"b"])
        await writer.commit(put(b"c"))
        await until(lambda: sorted(follower.content) == [b"b", b"c"])
        assert follower.revision == await store.barrier()


async def test_revisions_that_come_in_fragments(opened: Open, config: EtcdConfig) -> None:
    """More than etcd sends in one message: what a watch catches up with after it was cut off."""
    size = config.max_request_bytes // 12
    async with Proxy(int(config.targets()[0].rpartition(":")[2])) as proxy:
        store, writer = await opened(endpoints=(proxy.endpoint,)), await opened()
        follower = await Follower().follow(store)
        proxy.mute()
        revisions = []
        for number in range(5):
            changes = tuple(Put(b"%d/%d" % (number, n), bytes(size)) for n in range(10))
            revisions.append(await writer.commit(Txn((), changes)))
        proxy.heal()
        await until(lambda: len(follower.history) >= 5)
    assert [(revision, len(events)) for revision, events in follower.history] == [(known, 10) for known in revisions]


async def test_a_restore_of_any_size_is_seen_at_once(opened: Open, etcd: Connection, config: EtcdConfig) -> None:
    small = {"max_txn_ops": 16, "max_request_bytes": 4_000}
    one, other = await opened(**small), await opened(**small)
    await one.commit(put(b"old"))
    await one.commit(put(b"k7", b"old"))
    lease = await one.grant(3600)
    followers = [await Follower().follow(store) for store in (one, other)]
    entries = [Entry(b"k%d" % number, b"%d" % number * 50, 1, 1, lease if number < 3 else 0) for number in range(100)]
    revision = await one.restore(stream(*entries))
    assert await other.barrier() == revision
    for follower in followers:
        assert [known for known, _ in follower.history] == [revision]
        assert follower.content == {entry.key: (entry.value, revision, revision) for entry in entries}
    found = await content_of(await opened())
    assert set(found.values()) == {Entry(e.key, e.value, revision, revision, e.lease) for e in entries}
    # What was restored can be compared like anything else, though it was written at several revisions.
    with pytest.raises(StoreConflict):
        await other.commit(Txn((Compare(b"k1", revision - 1),), (Put(b"k1", b""),)))
    later = await other.commit(Txn((Compare(b"k1", revision), Compare(b"old", 0)), (Put(b"k1", b""), Delete(b"k2"))))
    for wrong in (Compare(b"k1", revision), Compare(b"k2", revision)):
        with pytest.raises(StoreConflict):
            await one.commit(Txn((wrong,), (Put(b"k3", b""),)))
    assert await one.commit(Txn((Compare(b"k1", later),), ())) == later
    await one.revoke(lease)
    assert len(followers[1].content) == 97 + 1
    assert len(await raw_keys(etcd, config.key_prefix() + b"g/")) == 98


async def test_a_restore_that_fails_leaves_nothing(opened: Open, etcd: Connection, config: EtcdConfig) -> None:
    store = await opened(max_txn_ops=16)
    await store.commit(put(b"a"))
    before = await raw_keys(etcd, config.key_prefix() + b"g/")
    entries = [Entry(b"%d" % number, b"", 1, 1) for number in range(50)]
    with pytest.raises(StoreError):
        await store.restore(stream(*entries, Entry(b"z", b"", 1, 1, lease=12345)))
    assert await raw_keys(etcd, config.key_prefix() + b"g/") == before
    assert list(await content_of(store)) == [b"a"]


async def test_writes_during_a_restore_are_before_it_or_after_it(opened: Open) -> None:
    one, other = await opened(max_txn_ops=16), await opened()
    follower = await Follower().follow(one)
    stop = asyncio.Event()
    written: list[int] = []

    async def write() -> None:
        while not stop.is_set():
            written.append(await other.commit(put(b"w%d" % len(written))))

    writing = asyncio.ensure_future(write())
    revision = await one.restore(stream(*(Entry(b"%d" % number, b"", 1, 1) for number in range(200))))
    stop.set()
    await writing
    await one.barrier()
    kept = {b"w%d" % number for number, at in enumerate(written) if at > revision}
    assert set(follower.content) == {b"%d" % number for number in range(200)} | kept
    assert written[0] < revision


async def test_one_leads_and_another_follows(opened: Open) -> None:
    one, other = await opened(), await opened()
    first = await one.campaign("leader", 5)
    waiting = asyncio.ensure_future(other.campaign("leader", 5))
    assert await other.campaign("something else", 5) > first
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await one.close()
    assert await asyncio.wait_for(waiting, 2) > first
    await asyncio.wait_for(one.lost(first), 1)


async def test_a_term_ends_when_its_lease_does(opened: Open) -> None:
    one, other = await opened(), await opened()
    term = await one.campaign("leader", 5)
    waiting = asyncio.ensure_future(other.campaign("leader", 5))
    lost = asyncio.ensure_future(one.lost(term))
    await asyncio.sleep(0.1)
    assert not lost.done()
    (lease,) = (known.lease for known in one._elections._terms.values())
    await other.revoke(lease)
    await asyncio.wait_for(lost, 2)
    assert await asyncio.wait_for(waiting, 2) > term


async def test_a_leader_that_is_cut_off_knows_before_another_leads(opened: Open, config: EtcdConfig) -> None:
    async with Proxy(int(config.targets()[0].rpartition(":")[2])) as proxy:
        one, other = await opened(endpoints=(proxy.endpoint,)), await opened()
        term = await one.campaign("leader", 1)
        lost = asyncio.ensure_future(one.lost(term))
        waiting = asyncio.ensure_future(other.campaign("leader", 1))
        await asyncio.sleep(1.5)
        assert not lost.done()  # a term lasts as long as there are signs of life
        proxy.mute()
        done, _ = await asyncio.wait((lost, waiting), return_when=asyncio.FIRST_COMPLETED)
        assert done == {lost}
        assert await asyncio.wait_for(waiting, 10) > term
        proxy.heal()


async def test_a_store_that_closes_refuses_who_waits(opened: Open) -> None:
    one, other = await opened(), await opened()
    await one.campaign("leader", 5)
    waiting = asyncio.ensure_future(other.campaign("leader", 5))
    await asyncio.sleep(0.05)
    await other.close()
    with pytest.raises(StoreClosed):
        await waiting


async def test_many_leases_are_kept_alive_together(opened: Open) -> None:
    store = await opened()
    leases = await asyncio.gather(*(store.grant(2) for _ in range(50)))
    ended = leases.pop()
    await store.revoke(ended)
    assert all(await asyncio.gather(*(store.keep_alive(lease) for lease in leases * 2)))
    assert await asyncio.gather(store.keep_alive(ended), store.keep_alive(leases[0])) == [False, True]


async def test_another_process_with_the_same_name(opened: Open) -> None:
    """Where a server was started twice, or again before its former process ended, writes go on and happen once."""
    one, twin = await opened("s"), await opened("s")
    witness = await Follower().follow(await opened())
    for number in range(20):
        await asyncio.gather(one.commit(put(b"a", b"%d" % number)), twin.commit(put(b"b", b"%d" % number)))
    await witness_hears(witness, 40)


async def witness_hears(witness: Follower, count: int) -> None:
    await until(lambda: len(witness.history) >= count)
    assert len(witness.history) == count


async def test_an_etcd_that_is_not_there(tmp_path: Path) -> None:
    store = EtcdStore(EtcdConfig(endpoints=("127.0.0.1:1",), wait_seconds=0.5), "s")
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1"):
        await store.open()
    with pytest.raises(StoreClosed):
        await store.commit(put(b"a"))


async def test_a_nudge_is_seldom_needed(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "NUDGE_SECONDS", 5.0)
    one, other = await opened(), await opened()
    async with asyncio.timeout(4):
        for _ in range(20):
            revision = await one.commit(put(b"a"))
            assert await other.barrier() == revision
