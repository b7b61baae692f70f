"""Reads kept ready, waited for, and bounded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lictor import limits
from lictor.api import heads
from lictor.api.http import Request, Response
from lictor.api.options import read_options
from lictor.api.reads import ready_key
from lictor.api.ready import Ready
from lictor.api.router import Reply
from lictor.errors import TooBusy
from lictor.limits import Limits
from lictor.state.cells import Cell, Cells
from tests.api.wire import Site


class Asked(Request):
    """A GET whose client can leave."""

    __slots__ = ("callbacks",)

    def __init__(self, target: str) -> None:
        path, _, query = target.partition("?")
        super().__init__("GET", path, query, {})
        self.callbacks: list[Any] = []

    def when_gone(self, callback: Any) -> None:
        self.callbacks.append(callback)

    def leave(self) -> None:
        for callback in self.callbacks:
            callback()


async def read(site: Site, target: str, request: Asked | None = None) -> Any:
    request = request or Asked(target)
    found = site.app._router.match(request.path)
    assert found is not None
    return await site.app.reads.answer(found[0], request, read_options(request))


def held(site: Site, target: str) -> tuple[asyncio.Task[Any], Asked]:
    request = Asked(target)
    return asyncio.get_running_loop().create_task(read(site, target, request)), request


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def site() -> Site:
    return Site()


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("index=5", ""),
        ("index=5&wait=1s", ""),
        ("a&index=5&wait=1s&b=1", "a&b=1"),
        ("wait=1s&a", "a"),
        ("myindex=5", "myindex=5"),
        ("a=index=5", "a=index=5"),
    ],
)
def test_what_only_says_how_long_to_wait_is_no_part_of_the_key(query: str, kept: str) -> None:
    assert ready_key("", "/p", query) == ("", "/p", kept)


def test_a_path_is_never_taken_for_a_query() -> None:
    assert ready_key("", "/v1/kv/a?raw", "") != ready_key("", "/v1/kv/a", "raw?") != ready_key("", "/v1/kv/a", "raw")


async def test_a_read_runs_once_until_its_cell_moves(site: Site) -> None:
    first = await read(site, "/read")
    assert await read(site, "/read") is first and site.runs == 1 and first.body == b'"first"'
    site.move("second")
    assert not first.fresh()
    assert (await read(site, "/read")).body == b'"second"' and site.runs == 2


async def test_a_thousand_watchers_share_a_run_an_encoding_and_the_bytes(site: Site) -> None:
    tasks = [held(site, "/read?index=5")[0] for _ in range(1000)]
    await settle()
    assert site.app.reads.watching == 1000 and site.runs == 1
    site.move("second")
    found = await asyncio.gather(*tasks)
    assert site.runs == 2 and len({id(ready) for ready in found}) == 1
    wires = {id(site.app.reads.packet(ready, False, heads.KEEP, 0.0).wire) for ready in found}
    assert len(wires) == 1 and site.app.reads.watching == 0


async def test_waking_with_nothing_new_is_not_waking(site: Site) -> None:
    task, _ = held(site, "/read?index=5")
    await settle()
    for _ in range(3):
        site.move("first")
        await settle()
    assert not task.done()
    site.move("second")
    assert (await task).index == 9


async def test_a_changed_status_is_news_even_when_the_body_is_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    status = 404
    [route] = [route for route in site.app._router.routes() if route.path == "/read"]
    monkeypatch.setitem(route.reads, "GET", lambda *_: Reply(None, (site.cell,), status=status, empty=True))
    task, _ = held(site, "/read?index=5")
    await settle()
    status = 200
    site.move("")
    assert (await task).status == 200


async def test_an_older_index_is_answered_at_once_a_newer_one_waits(site: Site) -> None:
    for index in (1, 4):
        assert (await read(site, f"/read?index={index}")).index == 5
    for index in (5, 6, 2**63):
        task, request = held(site, f"/read?index={index}&wait=60s")
        await settle()
        assert not task.done()
        request.leave()
        assert (await task).index == 5
    assert site.app.reads.watching == 0 and not site.cell.wakers


async def test_the_wait_has_an_end_with_what_there_is(site: Site) -> None:
    ready = await read(site, "/read?index=5&wait=10ms")
    assert (ready.index, ready.body) == (5, b'"first"') and not site.cell.wakers


async def test_the_wait_is_lengthened_by_a_sixteenth_at_most(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda seconds, call: waited.append(seconds) or loop.call_soon(call))
    for _ in range(50):
        await read(site, "/read?index=5&wait=32s")
    assert all(32 <= seconds <= 34 for seconds in waited) and len(set(waited)) > 40


async def test_watches_are_bounded() -> None:
    site = Site(limits=Limits(watches=2))
    tasks = [held(site, "/read?index=5") for _ in range(2)]
    await settle()
    with pytest.raises(TooBusy, match=r"2 blocking queries are held already.*http_max_watches"):
        await read(site, "/read?index=5")
    assert site.app.reads.refused == 1
    for task, request in tasks:
        request.leave()
        await task


async def test_a_client_that_left_before_is_not_waited_for(site: Site) -> None:
    class Gone(Asked):
        def when_gone(self, callback: Any) -> None:
            callback()

    assert (await read(site, "", Gone("/read?index=5&wait=60s"))).index == 5


async def test_cells_swept_away_under_a_read_are_asked_for_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = Cells(keep=4)

    def wide(*_: object) -> Reply:
        return Reply(site.value, tuple(cells.get(("part", number)) for number in range(4)))

    [route] = [route for route in site.app._router.routes() if route.path == "/read"]
    monkeypatch.setitem(route.reads, "GET", wide)
    for number in range(3):
        cells.get(("other", number))
    task, _ = held(site, "/read?index=1")
    await settle()
    assert task.done() is False
    site.value = "second"
    for wake in cells.move([("part", 0)], 2):
        wake()
    assert (await task).body == b'"second"'
    for number in range(4):  # swept while it is kept ready: asked again, never stale
        cells.get(("more", number))
    site.value = "third"
    cells.move([("part", 0)], 3)
    assert (await read(site, "/read")).body == b'"third"'


def test_an_answer_on_a_swept_cell_is_never_fresh() -> None:
    cell = Cell(-1)
    assert not Ready(("", "", ""), Reply("x", (cell,)), b"x", []).fresh()


async def test_cached_reads_say_whether_they_were_asked_before(site: Site) -> None:
    for expected in ("MISS", "HIT", "HIT"):
        answer = await read(site, "/read?cached")
        assert isinstance(answer, Response) and dict(answer.headers)["X-Cache"] == expected
        assert dict(answer.headers).get("Age") == ("0" if expected == "HIT" else None)
    assert dict((await read(site, "/read?cached&x=" + "y" * limits.CACHED_KEY_BYTES)).headers)["X-Cache"] == "MISS"
    assert dict((await read(site, "/read?cached&x=" + "y" * limits.CACHED_KEY_BYTES)).headers)["X-Cache"] == "MISS"


async def test_pretty_and_modes(site: Site) -> None:
    site.value = {"a": [1]}
    assert (await read(site, "/read?pretty")).body == b'{\n    "a": [\n        1\n    ]\n}\n'
    assert dict((await read(site, "/read?stale")).headers)["X-Consul-Effective-Consistency"] == "stale"
    assert "X-Consul-Effective-Consistency" not in dict((await read(site, "/read")).headers)


def weigh(site: Site) -> int:
    """What the kept answers really weigh."""
    reads = site.app.reads
    assert all(reads._ready.get(packet.ready.key) is packet.ready for packet in reads._hot.values())
    assert all(data in packet.ready.hot for data, packet in reads._hot.items())
    return sum(ready.weight for ready in reads._ready.values())


async def test_what_is_kept_is_bounded_in_all_its_forms(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READY_ANSWER_BYTES", 100_000)
    monkeypatch.setattr(limits, "READY_ANSWERS", 20)
    monkeypatch.setattr(limits, "HOT_ANSWERS", 10)
    reads = site.app.reads
    for number in range(300):
        if number % 7 == 0:
            site.move("x" * (number * 40))
        ready = await read(site, f"/read?n={number % 50}")
        for packed in (False, True):
            packet = reads.packet(ready, packed, heads.KEEP, 0.0)
            reads.make_hot(b"GET %d %d" % (number, packed), packet)
            reads.make_hot(b"x" * (limits.HOT_REQUEST_BYTES + 1), packet)
        assert reads.bytes == weigh(site) <= 100_000
        assert len(reads) <= 20 and len(reads._hot) <= 10
    site.move("x" * 60_000)
    await read(site, "/read?n=large")
    assert all(ready.key[2] != "n=large" for ready in reads._ready.values())  # it would push out all others
    reads.clear()
    assert (len(reads), reads.bytes, len(reads._hot)) == (0, 0, 0)


async def test_hot_bytes_go_with_their_answer(site: Site) -> None:
    reads = site.app.reads
    ready = await read(site, "/read")
    packet = reads.packet(ready, False, heads.KEEP, 0.0)
    reads.make_hot(b"GET", packet)
    assert reads.find_hot(b"GET", 0.0) == packet.wire
    site.move("second")
    assert reads.find_hot(b"GET", 0.0) is None and not ready.hot
    reads.make_hot(b"GET", packet)  # of an answer that is kept no more
    await read(site, "/read")
    assert reads.find_hot(b"GET", 0.0) is None
    reads.make_hot(b"GET", packet)
    assert reads.find_hot(b"GET", 0.0) is None


async def test_long_answers_are_compressed_aside_and_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PACK_INLINE_BYTES", 1000)
    site.value = "x" * 5000
    ready = await read(site, "/read")
    assert not ready.packed
    await asyncio.gather(*(ready.pack_aside() for _ in range(5)))
    assert ready.packed
    before = ready._packed
    await ready.pack_aside()
    assert ready.add_packet(True, heads.KEEP)._body is before
