"""The pure parts of the etcd store."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.errors import ConfigError
from lictor.store.base import Compare, Delete, Entry, Event, Put, Txn
from lictor.store.etcd import schema
from lictor.store.etcd.config import EtcdConfig
from lictor.store.etcd.keys import Content, Generation, Layout
from lictor.store.etcd.known import Known
from lictor.store.etcd.order import ALONE, Order
from lictor.store.etcd.requests import Slot, max_changes, transaction
from lictor.store.etcd.revisions import Revisions

LAYOUT = Layout(b"lictor/")


def event(revision: int, key: bytes = b"k") -> Any:
    return schema.Event(kv=schema.KeyValue(key=key, mod_revision=revision))


def response(*events: Any, fragment: bool = False) -> Any:
    return schema.WatchResponse(events=events, fragment=fragment)


def revisions_of(fed: list[tuple[int, list[Any]]]) -> list[tuple[int, list[bytes]]]:
    return [(revision, [event.kv.key for event in events]) for revision, events in fed]


def test_revisions_are_whole_however_a_message_is_cut() -> None:
    revisions = Revisions()
    assert revisions_of(revisions.feed(response(event(5, b"a"), event(5, b"b"), fragment=True))) == []
    cut = response(event(5, b"c"), event(6, b"d"), event(7, b"e"), fragment=True)
    assert revisions_of(revisions.feed(cut)) == [(5, [b"a", b"b", b"c"]), (6, [b"d"])]
    assert revisions_of(revisions.feed(response(event(7, b"f")))) == [(7, [b"e", b"f"])]
    assert revisions_of(revisions.feed(response(event(8), event(9)))) == [(8, [b"k"]), (9, [b"k"])]
    assert revisions.feed(response()) == []


@given(st.lists(st.integers(1, 3), min_size=1, max_size=6), st.data())
def test_fragments_say_the_same_as_one_message(sizes: list[int], data: st.DataObject) -> None:
    events = [event(revision, b"%d" % n) for revision, size in enumerate(sizes, 1) for n in range(size)]
    whole = revisions_of(Revisions().feed(response(*events)))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(events)), max_size=4)))
    pieces = [events[start:end] for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True)]
    revisions = Revisions()
    fed = [
        revisions_of(revisions.feed(response(*piece, fragment=n < len(pieces) - 1))) for n, piece in enumerate(pieces)
    ]
    assert [revision for part in fed for revision in part] == whole


keys = st.sampled_from([b"a", b"b", b"c", b"d"])
contents = st.dictionaries(keys, st.integers(1, 9))


def entries_of(content: dict[bytes, int]) -> list[Entry]:
    return [Entry(key, b"%d" % modified, 1, modified) for key, modified in sorted(content.items())]


@given(contents, contents)
def test_the_difference_leads_from_what_was_known_to_what_is_there(
    old: dict[bytes, int], new: dict[bytes, int]
) -> None:
    known, content, reached = Known(entries_of(old)), dict(old), 0
    steps = known.difference(entries_of(new), 10)
    for revision, events in steps:
        assert reached < revision <= 10
        reached = revision
        known.note(events)
        for change in events:
            assert change.modified == revision
            if change.value is None:
                del content[change.key]
            else:
                content[change.key] = change.modified
    assert content == new
    assert known.difference(entries_of(new), 10) == []


def test_what_own_changes_come_to() -> None:
    known = Known([Entry(b"a", b"", 3, 5), Entry(b"b", b"", 4, 4)])
    changes = (Put(b"a", b"1"), Put(b"c", b"2"), Delete(b"b"), Delete(b"d"))
    events = known.events(changes, 7)
    assert events == [Event(b"a", b"1", 3, 7), Event(b"c", b"2", 7, 7), Event(b"b", None, 0, 7)]
    assert known.events((Delete(b"a", b"z"),), 7) is None


def test_a_restored_generation_looks_as_if_written_at_once() -> None:
    content = Content(LAYOUT, Generation(b"00000001-x", 100))
    early = schema.KeyValue(key=content.stored(b"a"), value=b"1", create_revision=90, mod_revision=95, lease=7)
    late = schema.KeyValue(key=content.stored(b"b"), value=b"2", create_revision=90, mod_revision=105)
    assert content.entry(early) == Entry(b"a", b"1", 100, 100, 7)
    assert content.entry(late) == Entry(b"b", b"2", 100, 105)
    assert content.event(b"b", schema.Event(kv=late)) == Event(b"b", b"2", 100, 105)
    assert content.shown(late.key) == b"b"
    assert content.shown(Content(LAYOUT, Generation()).stored(b"b")) is None


def test_a_generation_is_behind_all_that_began_before_it_was_named() -> None:
    first = Generation()
    begun = [first.next_id(unique) for unique in (b"a", b"b")]
    second = Generation(begun[0], 5)
    assert all(first.id < generation < second.next_id(b"a") for generation in begun)


def test_every_transaction_fits_into_the_operations_that_etcd_takes() -> None:
    content = Content(LAYOUT, Generation(b"00000001-x", 100))
    most = max_changes(128)
    compares = tuple(Compare(b"%d" % n, 100) for n in range(most))
    for changes in (
        tuple(Put(b"%d" % n, b"") for n in range(most)),
        tuple(Delete(b"%d" % n, b"%d/" % n) for n in range(most)),
    ):
        request = transaction(Txn(compares, changes), content, Slot(b"slot"), b"mark")
        around = max(len(request.compare), len(request.success), len(request.failure))
        nested = [op.request_txn for op in request.success if op.HasField("request_txn")]
        inside = max((max(len(txn.compare), len(txn.failure)) for txn in nested), default=0)
        assert around + inside <= 128


async def test_writes_to_one_key_happen_one_after_the_other() -> None:
    order = Order(3)
    await order.enter({b"a"})
    await order.enter({b"b"})
    done: list[str] = []

    async def write(name: str, keys: set[bytes] | None) -> None:
        await order.enter(keys)
        done.append(name)

    tasks = [
        asyncio.ensure_future(write(name, keys))
        for name, keys in (("a again", {b"a", b"z"}), ("c", {b"c"}), ("alone", ALONE), ("d", {b"d"}))
    ]
    await asyncio.sleep(0)
    assert done == []  # what came later waits behind it
    order.leave({b"a"})
    await asyncio.sleep(0)
    assert done == ["a again", "c"][:2] or done == ["a again"]
    order.leave({b"b"})
    await asyncio.sleep(0)
    assert done == ["a again", "c"]
    order.leave({b"a", b"z"})
    await asyncio.sleep(0)
    assert done == ["a again", "c"]
    order.leave({b"c"})
    await asyncio.sleep(0)
    assert done == ["a again", "c", "alone"]
    order.leave(ALONE)
    await asyncio.gather(*tasks)
    assert done[-1] == "d"


async def test_a_turn_that_is_not_wanted_any_more_holds_up_nobody() -> None:
    order = Order(1)
    await order.enter({b"a"})
    given_up = asyncio.ensure_future(order.enter({b"a"}))
    wanted = asyncio.ensure_future(order.enter({b"a"}))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    order.leave({b"a"})
    await wanted
    late = asyncio.ensure_future(order.enter({b"b"}))
    await asyncio.sleep(0)
    order.leave({b"a"})
    late.cancel()  # in the same turn of the loop in which it was let in
    await asyncio.gather(late, return_exceptions=True)
    await order.enter(ALONE)
    passed_over = asyncio.ensure_future(order.enter({b"a"}))
    await asyncio.sleep(0)
    passed_over.cancel()
    order.leave(ALONE)
    (outcome,) = await asyncio.gather(passed_over, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)
    await order.enter(ALONE)


@pytest.mark.parametrize(
    ("endpoint", "target"),
    [
        ("http://127.0.0.1:2379", "127.0.0.1:2379"),
        ("etcd.example:23", "etcd.example:23"),
        ("etcd.example", "etcd.example:2379"),
        ("http://[::1]:4", "[::1]:4"),
    ],
)
def test_endpoints(endpoint: str, target: str) -> None:
    assert EtcdConfig(endpoints=(endpoint,)).targets() == (target,)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"endpoints": ()}, "store.endpoints"),
        ({"endpoints": ("ftp://a:1",)}, "store.endpoints"),
        ({"endpoints": ("http://a:x",)}, "store.endpoints"),
        ({"endpoints": ("http://a:1/path",)}, "store.endpoints"),
        ({"endpoints": ("http://a:1", "https://b:1")}, "store.endpoints"),
        ({"cert_file": "c"}, "store.key_file"),
        ({"username": "u"}, "store.password"),
        ({"prefix": "/"}, "store.prefix"),
        ({"max_txn_ops": 3}, "store.max_txn_ops"),
    ],
)
def test_a_configuration_that_cannot_be_used(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        EtcdConfig(**{"endpoints": ("a:1",), **fields}).check()


def test_a_configuration_shows_no_password() -> None:
    assert "secret" not in repr(EtcdConfig(endpoints=("a:1",), username="u", password="secret"))
