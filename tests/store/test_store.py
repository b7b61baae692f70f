"""What every store must do, whatever it is made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lictor.errors import StoreClosed, StoreConflict, StoreError
from lictor.store.base import Compare, Delete, Entry, Event, Put, Store, Txn
from tests.store.backends import Backend, Follower, content_of


def put(key: bytes, value: bytes = b"", lease: int = 0) -> Txn:
    return Txn((), (Put(key, value, lease),))


async def stream(*entries: Entry) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry


async def until(holds: Any) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_an_empty_store_has_a_positive_revision(store: Store) -> None:
    assert await store.load(lambda revision, events: None) == (await store.barrier(), [])
    assert await store.barrier() > 0
    assert await store.campaign("leader", 10) >= await store.barrier()


async def test_a_term_lasts_until_the_store_closes(backend: Backend, tmp_path: Path) -> None:
    store = backend.create(tmp_path, None)
    await store.open()
    term = await store.campaign("leader", 10)
    lost = asyncio.ensure_future(store.lost(term))
    await asyncio.sleep(0.05)
    assert not lost.done()
    await store.close()
    await asyncio.wait_for(lost, 5)


async def test_a_put_creates_and_then_changes(store: Store) -> None:
    created = await store.commit(put(b"a", b"1"))
    modified = await store.commit(put(b"a", b"1"))
    assert modified > created
    assert await content_of(store) == {b"a": Entry(b"a", b"1", created, modified)}
    await store.commit(Txn((), (Delete(b"a"),)))
    again = await store.commit(put(b"a", b"2"))
    assert await content_of(store) == {b"a": Entry(b"a", b"2", again, again)}


async def test_compares_hold_or_nothing_is_written(store: Store) -> None:
    revision = await store.commit(Txn((Compare(b"a", 0),), (Put(b"a", b"1"),)))
    for wrong in (0, revision - 1, revision + 1):
        with pytest.raises(StoreConflict):
            await store.commit(Txn((Compare(b"a", wrong),), (Put(b"a", b"2"), Put(b"b", b"2"), Delete(b"c", b"d"))))
    with pytest.raises(StoreConflict):
        await store.commit(Txn((Compare(b"a", revision), Compare(b"b", 5)), (Delete(b"a"),)))
    assert await store.barrier() == revision
    assert list(await content_of(store)) == [b"a"]
    assert await store.commit(Txn((Compare(b"a", revision), Compare(b"b", 0)), (Delete(b"a"),))) > revision


async def test_a_compare_may_name_a_key_that_is_not_changed(store: Store) -> None:
    revision = await store.commit(put(b"a"))
    assert await store.commit(Txn((Compare(b"a", revision),))) == revision
    with pytest.raises(StoreConflict):
        await store.commit(Txn((Compare(b"a", 0),)))


async def test_deleting_what_is_not_there_is_no_change(store: Store) -> None:
    follower = await Follower().follow(store)
    revision = await store.commit(put(b"b"))
    assert await store.commit(Txn((), (Delete(b"a"), Delete(b"c", b"z")))) == revision
    assert await store.commit(Txn()) == revision
    assert len(follower.history) == 1


async def test_a_range_is_deleted_up_to_its_end(store: Store) -> None:
    for key in (b"a", b"a/", b"a/\x00", b"a/b", b"a/\xff\xff", b"a0", b"b"):
        await store.commit(put(key))
    follower = await Follower().follow(store)
    revision = await store.commit(Txn((), (Put(b"new", b""), Delete(b"a/", b"a0"))))
    assert sorted(await content_of(store)) == [b"a", b"a0", b"b", b"new"]
    assert follower.history == [
        (
            revision,
            [
                Event(b"new", b"", revision, revision),
                *(Event(key, None, 0, revision) for key in (b"a/", b"a/\x00", b"a/b", b"a/\xff\xff")),
            ],
        )
    ]


@pytest.mark.parametrize(
    "changes",
    [
        (Put(b"a", b""), Put(b"a", b"")),
        (Put(b"a", b""), Delete(b"a")),
        (Delete(b"a"), Delete(b"a")),
        (Put(b"ab", b""), Delete(b"a", b"b")),
        (Delete(b"a", b"c"), Delete(b"b", b"d")),
        (Delete(b"b", b"a"),),
        (Delete(b"a", b"a"),),
        (Put(b"", b""),),
        (Delete(b""),),
        (Delete(b"", b"z"),),
    ],
)
async def test_malformed_changes_are_refused(store: Store, changes: tuple[Put | Delete, ...]) -> None:
    await store.commit(put(b"a"))
    before = await content_of(store)
    with pytest.raises(StoreError):
        await store.commit(Txn((), changes))
    assert await content_of(store) == before


async def test_as_many_changes_as_promised(store: Store) -> None:
    keys = [b"%06d" % number for number in range(store.max_changes + 1)]
    with pytest.raises(StoreError):
        await store.commit(Txn((), tuple(Put(key, b"") for key in keys)))
    changes = tuple(Put(key, key) for key in keys[:-1])
    revision = await store.commit(Txn(tuple(Compare(key, 0) for key in keys[:-1]), changes))
    follower = await Follower().follow(store)
    assert len(follower.content) == store.max_changes
    assert all(value == (key, revision, revision) for key, value in follower.content.items())
    await store.commit(Txn((), tuple(Delete(key) for key in keys[:-1])))
    assert follower.content == {}


async def test_any_bytes_are_kept(store: Store) -> None:
    keys = [b"\x00", b"\x00\x00", b"'", b",", b" ", b"\xff", b"\xff" * 500, "é".encode(), b"%s", b"a\nb"]
    value = bytes(range(256)) * 1024
    for key in keys:
        await store.commit(Txn((Compare(key, 0),), (Put(key, value),)))
    found = await content_of(store)
    assert sorted(found) == sorted(keys)
    assert {entry.value for entry in found.values()} == {value}
    await store.commit(Txn((), (Delete(b"\x00", b"\xff\xff"),)))
    assert list(await content_of(store)) == [b"\xff" * 500]


async def test_the_listener_has_heard_before_commit_returns(store: Store) -> None:
    follower = await Follower().follow(store)

    async def commit(number: int) -> None:
        revision = await store.commit(put(b"%d" % number))
        assert follower.revision >= revision
        assert await store.barrier() >= revision

    await asyncio.gather(*(commit(number) for number in range(200)))
    assert follower.revision == await store.barrier()
    assert len(follower.content) == 200


async def test_concurrent_commits_each_have_their_own_revision(store: Store, backend: Backend) -> None:
    follower = await Follower().follow(store)
    revisions = await asyncio.gather(
        *(store.commit(put(b"k%d" % (number % 7), b"%d" % number)) for number in range(100))
    )
    assert sorted(set(revisions)) == (list(revisions) if backend.ordered else sorted(revisions))
    assert [revision for revision, _ in follower.history] == sorted(revisions)
    found = await content_of(store)
    assert {key: (entry.value, entry.created, entry.modified) for key, entry in found.items()} == follower.content


async def test_of_concurrent_commits_on_one_compare_one_wins(store: Store) -> None:
    await store.commit(put(b"a", b"0"))
    revision = await store.commit(put(b"other"))
    base = (await content_of(store))[b"a"].modified

    def attempt(number: int) -> Any:
        return store.commit(Txn((Compare(b"a", base),), (Put(b"a", b"%d" % number), Put(b"won/%d" % number, b""))))

    results = await asyncio.gather(*map(attempt, range(20)), return_exceptions=True)
    won = [number for number, result in enumerate(results) if isinstance(result, int)]
    assert len(won) == 1
    assert sum(isinstance(result, StoreConflict) for result in results) == 19
    assert sorted(await content_of(store)) == [b"a", b"other", b"won/%d" % won[0]]
    assert await store.barrier() == revision + 1


async def test_commits_see_those_before_them(store: Store) -> None:
    """Reads that need the table (ranges, leases, loads) between writes that are still on their way to the disk."""
    lease = await store.grant(3600)
    follower = Follower()
    work: list[Any] = [
        store.commit(Txn((), (Put(b"a/1", b""), Put(b"a/2", b"", lease), Put(b"b", b"", lease)))),
        store.commit(Txn((), (Delete(b"a/", b"a0"),))),
        store.commit(Txn((Compare(b"a/1", 0),), (Put(b"a/3", b""),))),
        follower.follow(store),
        store.revoke(lease),
        store.commit(put(b"b", b"", lease)),
        store.commit(Txn((Compare(b"b", 0),), (Put(b"c", b""),))),
    ]
    results = await asyncio.gather(*work, return_exceptions=True)
    assert isinstance(results[5], StoreError)
    assert not any(isinstance(result, Exception) for number, result in enumerate(results) if number != 5)
    assert sorted(await content_of(store)) == sorted(follower.content) == [b"a/3", b"c"]


async def test_a_cancelled_commit_disturbs_no_other(store: Store) -> None:
    tasks = [asyncio.ensure_future(store.commit(put(b"%d" % number))) for number in range(10)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, int) for result in results[1::2])
    assert set(await content_of(store)) >= {b"%d" % number for number in range(1, 10, 2)}


async def test_a_listener_that_fails_disturbs_no_other(store: Store) -> None:
    def fail(revision: int, events: object) -> None:
        raise ValueError("cannot")

    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    await store.load(fail)
    follower = await Follower().follow(store)
    assert await store.commit(put(b"a")) == follower.revision
    assert isinstance(faults[0]["exception"], ValueError)


async def test_a_snapshot_is_of_one_revision(store: Store) -> None:
    for number in range(600):
        await store.commit(put(b"%04d" % number, b"old"))
    before = await content_of(store)
    seen: list[Entry] = []
    async for entry in store.snapshot():
        if not seen:
            await store.commit(Txn((), (Put(b"0300", b"new"), Put(b"9999", b""), Delete(b"0400", b"0500"))))
        seen.append(entry)
    assert seen == list(before.values())
    async for entry in store.snapshot():
        assert entry.key == b"0000"
        break


async def test_restore_replaces_everything_at_one_revision(store: Store) -> None:
    await store.commit(Txn((), (Put(b"gone", b"1"), Put(b"kept", b"1"))))
    old = await store.commit(put(b"kept", b"2"))
    follower = await Follower().follow(store)
    revision = await store.restore(stream(Entry(b"new", b"3", 900, 1000), Entry(b"kept", b"3", 5, 7)))
    assert revision > old
    assert follower.revision == revision == await store.barrier()
    assert len(follower.history) == 1
    assert follower.content == {key: (b"3", revision, revision) for key in (b"kept", b"new")}
    assert await content_of(store) == {key: Entry(key, b"3", revision, revision) for key in (b"kept", b"new")}
    assert await store.commit(Txn((Compare(b"kept", revision), Compare(b"gone", 0)), (Put(b"gone", b""),))) > revision


async def test_a_failed_restore_changes_nothing(store: Store) -> None:
    async def broken() -> AsyncIterator[Entry]:
        yield Entry(b"b", b"", 1, 1)
        raise ValueError("the archive ends too early")

    await store.commit(put(b"a"))
    before = await content_of(store)
    with pytest.raises(ValueError, match="ends too early"):
        await store.restore(broken())
    for bad in ([Entry(b"", b"", 1, 1)], [Entry(b"b", b"", 1, 1)] * 2, [Entry(b"b", b"", 1, 1, lease=12345)]):
        with pytest.raises(StoreError):
            await store.restore(stream(*bad))
    assert await content_of(store) == before


async def test_what_hangs_on_a_lease_ends_with_it(store: Store) -> None:
    lease, other = await store.grant(3600), await store.grant(3600)
    assert lease > 0
    assert lease != other
    await store.commit(Txn((), (Put(b"b", b"", lease), Put(b"a", b"", lease), Put(b"c", b"", other), Put(b"d", b""))))
    await store.commit(put(b"e", b"", lease))
    follower = await Follower().follow(store)
    assert (await content_of(store))[b"a"].lease == lease
    await store.revoke(lease)
    revision = await store.barrier()
    assert follower.history == [(revision, [Event(key, None, 0, revision) for key in (b"a", b"b", b"e")])]
    assert sorted(await content_of(store)) == [b"c", b"d"]
    assert await store.keep_alive(other)
    assert not await store.keep_alive(lease)
    await store.revoke(lease)
    assert await store.barrier() == revision


async def test_a_key_hangs_on_its_last_lease_only(store: Store) -> None:
    lease, other = await store.grant(3600), await store.grant(3600)
    await store.commit(Txn((), (Put(b"a", b"", lease), Put(b"b", b"", lease), Put(b"c", b"", lease))))
    await store.commit(Txn((), (Put(b"a", b""), Put(b"b", b"", other), Delete(b"c"))))
    await store.commit(put(b"c"))
    revision = await store.barrier()
    await store.revoke(lease)
    assert await store.barrier() == revision
    assert sorted(await content_of(store)) == [b"a", b"b", b"c"]
    await store.revoke(other)
    assert sorted(await content_of(store)) == [b"a", b"c"]


async def test_restored_keys_may_hang_on_a_lease_that_lives(store: Store) -> None:
    lease = await store.grant(3600)
    await store.commit(put(b"a", b"", lease))
    await store.restore(stream(Entry(b"b", b"", 1, 1, lease), Entry(b"c", b"", 1, 1)))
    await store.revoke(lease)
    assert sorted(await content_of(store)) == [b"c"]


async def test_a_lease_that_is_not_there_is_refused(store: Store) -> None:
    ended = await store.grant(3600)
    await store.revoke(ended)
    for lease in (ended, ended + 1000):
        with pytest.raises(StoreError, match=str(lease)) as refused:
            await store.commit(Txn((), (Put(b"a", b""), Put(b"b", b"", lease))))
        assert not isinstance(refused.value, StoreConflict)
    assert await content_of(store) == {}
    for ttl in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(StoreError, match="ttl"):
            await store.grant(ttl)


async def test_a_lease_expires(store: Store) -> None:
    follower = await Follower().follow(store)
    lease = await store.grant(1.0)
    before = await store.commit(Txn((), (Put(b"a", b"", lease), Put(b"b", b"", lease), Put(b"c", b""))))
    await until(lambda: follower.revision > before)
    assert follower.history[-1] == (
        before + 1,
        [Event(b"a", None, 0, before + 1), Event(b"b", None, 0, before + 1)],
    )
    assert not await store.keep_alive(lease)
    assert list(await content_of(store)) == [b"c"]


async def test_closing_writes_out_what_is_pending(backend: Backend, tmp_path: Path) -> None:
    store = backend.create(tmp_path, None)
    await store.open()
    tasks = [asyncio.ensure_future(store.commit(put(b"%03d" % number))) for number in range(200)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    revisions = await asyncio.gather(*tasks)
    assert sorted(set(revisions)) == (list(revisions) if backend.ordered else sorted(revisions))
    if backend.durable:
        again = backend.create(tmp_path, None)
        await again.open()
        assert len(await content_of(again)) == 200
        assert await again.barrier() >= max(revisions)
        await again.close()


async def test_nothing_works_before_open_or_after_close(backend: Backend, tmp_path: Path) -> None:
    async def check() -> None:
        calls: list[Any] = [
            store.load(lambda revision, events: None),
            store.commit(put(b"a")),
            store.barrier(),
            store.grant(10),
            store.keep_alive(lease),
            store.revoke(lease),
            store.campaign("leader", 10),
            anext(store.snapshot()),
            store.restore(stream()),
        ]
        for call in calls:
            with pytest.raises(StoreClosed):
                await call

    lease = 1
    store = backend.create(tmp_path, None)
    await check()
    await store.open()
    lease = await store.grant(3600)
    with pytest.raises(StoreClosed):
        await store.open()
    await store.close()
    await check()
    with pytest.raises(StoreClosed):
        await store.open()
    await store.close()


async def test_a_snapshot_ends_when_the_store_closes(backend: Backend, tmp_path: Path) -> None:
    store = backend.create(tmp_path, None)
    await store.open()
    await store.commit(Txn((), tuple(Put(b"%04d" % number, b"") for number in range(2000))))
    entries = store.snapshot()
    await anext(entries)
    await store.close()
    with pytest.raises(StoreClosed):
        async for _ in entries:
            pass


async def test_everything_is_there_after_reopening(backend: Backend, tmp_path: Path) -> None:
    if not backend.durable:
        pytest.skip("keeps nothing")
    store = backend.create(tmp_path, None)
    await store.open()
    lease = await store.grant(3600)
    ended = await store.grant(3600)
    await store.commit(Txn((), (Put(b"a", b"1", lease), Put(b"b", b"2", ended), Put(b"c", b"3"))))
    await store.revoke(ended)
    last = await store.commit(Txn((), (Delete(b"c"),)))
    before = await content_of(store)
    await store.close()

    store = backend.create(tmp_path, None)
    await store.open()
    assert await store.barrier() == last
    assert await content_of(store) == before
    assert await store.keep_alive(lease)
    assert not await store.keep_alive(ended)
    assert await store.grant(3600) not in (lease, ended)
    assert await store.commit(Txn((Compare(b"c", 0),), (Put(b"c", b""),))) > last
    await store.revoke(lease)
    assert list(await content_of(store)) == [b"c"]
    await store.close()
