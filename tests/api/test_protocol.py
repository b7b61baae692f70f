"""A connection: answers in order, however the requests come; bounded in every direction; nobody lost."""

from __future__ import annotations

import asyncio
import gc
import gzip
import logging
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lictor import limits
from lictor.api.context import APIConfig
from lictor.api.protocol import Connection
from lictor.limits import Limits
from tests.api.wire import BODY_LIMIT, Site, Straw, answers, chunked, get, put


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    yield Site()


def bodies(straw: Straw) -> list[bytes]:
    return [answer.body for answer in straw.answers]


async def ask(straw: Straw, data: bytes) -> None:
    straw.send(data)
    await straw.settle()


# answers


async def test_the_same_answer_on_every_path(site: Site) -> None:
    straw = Straw(site)
    for _ in range(3):  # a task, a ready answer, the very bytes again
        await ask(straw, get("/read"))
    assert bodies(straw) == [b'"first"'] * 3
    assert straw.answers[0] == straw.answers[1] == straw.answers[2]
    assert (site.runs, site.app.hot_answers, site.app.requests) == (1, 1, 3)
    site.move("second")
    await ask(straw, get("/read"))
    assert bodies(straw)[-1] == b'"second"' and site.app.hot_answers == 1


async def test_every_answer_has_a_date_that_goes_with_the_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    straw = Straw(site)
    loop = asyncio.get_running_loop()
    ahead = 0.0
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + ahead)
    site.app.dates._clock = type("C", (), {"time": staticmethod(lambda: 1_700_000_000.25 + ahead)})()
    for path in ("/read", "/read", "/read", "/echo/a", "/none"):
        await ask(straw, get(path))
    ahead = 1.0
    await ask(straw, get("/read"))
    dates = [answer.headers["date"] for answer in straw.answers]
    assert dates == ["Tue, 14 Nov 2023 22:13:20 GMT"] * 5 + ["Tue, 14 Nov 2023 22:13:21 GMT"]
    assert site.app.hot_answers == 2


async def test_head_has_the_head_of_get_and_no_body(site: Site) -> None:
    for path in ("/read", "/echo/abc", "/none"):
        one, other = Straw(site), Straw(site)
        await ask(one, get(path))
        await ask(other, get(path, method="HEAD"))
        assert other.sent.endswith(b"\r\n\r\n") and one.sent.startswith(other.sent[: other.sent.index(b"Date")])
        assert one.sent.count(b"Content-Length") == other.sent.count(b"Content-Length") == 1


async def test_unforeseen_faults_have_an_id_and_leave_the_connection(site: Site, caplog: Any) -> None:
    logging.getLogger("lictor").propagate = True
    straw = Straw(site)
    await ask(straw, get("/broken") + get("/read"))
    assert [answer.status for answer in straw.answers] == [500, 200]
    assert b"a fault of ours" not in straw.sent and b"internal error, id" in straw.sent


@pytest.mark.parametrize(
    ("data", "closes", "connection"),
    [
        (get("/read"), False, None),
        (get("/read", "Connection: close"), True, "close"),
        (get("/read", version="1.0"), True, "close"),
        (get("/read", "Connection: keep-alive", version="1.0"), False, "keep-alive"),
        (put("/body", b"abc", "Connection: close"), True, "close"),
    ],
)
async def test_whether_the_connection_stays(site: Site, data: bytes, closes: bool, connection: str | None) -> None:
    for _ in range(2):
        straw = Straw(site)
        await ask(straw, data)
        assert straw.closed is closes
        assert straw.answers[0].headers.get("connection") == connection


# bytes and their order

SAMPLE = get("/read") + put("/body", b"12345") + chunked("/body", b"abc", b"de") + get("/echo/x?y") + get("/read")
EXPECTED = [b'"first"', b"5", b"5", b"x?y", b'"first"']


async def test_cut_at_any_byte(site: Site) -> None:
    for cut in range(1, len(SAMPLE)):
        straw = Straw(site)
        await ask(straw, SAMPLE[:cut])
        await ask(straw, SAMPLE[cut:])
        await straw.settle()
        assert bodies(straw) == EXPECTED, cut


async def test_byte_by_byte(site: Site) -> None:
    straw = Straw(site)
    for byte in SAMPLE:
        straw.send(bytes([byte]))
    await straw.settle()
    await straw.settle()
    assert bodies(straw) == EXPECTED


async def test_answers_keep_the_order_of_the_requests(site: Site) -> None:
    straw = Straw(site)
    await ask(straw, get("/read"))  # so that the second is ready before the first
    await ask(straw, get("/slow/a") + get("/read") + get("/slow/b"))
    straw.send(get("/read"))
    await straw.settle()
    assert bodies(straw) == [b'"first"']
    site.gate.set()
    await straw.settle()
    await straw.settle()
    assert bodies(straw)[1:] == [b"a", b'"first"', b"b", b'"first"']


async def test_hot_bytes_count_only_as_a_whole_request_between_others(site: Site) -> None:
    straw, hot = Straw(site), get("/read")
    for _ in range(3):
        await ask(straw, hot)
    count = site.app.hot_answers
    straw.send(get("/slow/a"))  # not while another is being answered
    await ask(straw, hot)
    site.gate.set()
    await straw.settle()
    assert bodies(straw)[3:] == [b"a", b'"first"']
    body = put("/body", hot)  # not as the body of another
    straw.send(body[: -len(hot)])
    await ask(straw, hot)
    assert bodies(straw)[5:] == [str(len(hot)).encode()] and site.bodies == [hot]
    straw.send(hot[:5])  # not cut in two, where neither half is known
    await ask(straw, hot[5:])
    straw.send(b"GET /echo/a HTTP/1.1\r\nX: ")  # not as a header's value
    await ask(straw, hot)
    assert bodies(straw)[6:] == [b'"first"', b"a?"] and site.app.hot_answers == count


async def test_only_whole_requests_become_hot(site: Site) -> None:
    straw = Straw(site)
    await ask(straw, get("/read"))
    pair = get("/read") + get("/read")
    await ask(straw, pair)
    await ask(straw, pair)
    await ask(straw, get("/read") + b"GET")
    await ask(straw, b" /echo/z HTTP/1.1\r\n\r\n")
    await ask(straw, get("/read") + b"GET")
    await ask(straw, b" /echo/z HTTP/1.1\r\n\r\n")
    assert bodies(straw) == [b'"first"'] * 6 + [b"z?", b'"first"', b"z?"]
    assert site.app.hot_answers == 0


async def test_thousands_of_requests_sent_ahead(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    straw = Straw(site)
    await ask(straw, get("/read"))
    straw.send(get("/read") * 4000)
    done = len(straw.answers)
    assert done <= 1 + limits.PIPELINED_REQUESTS  # then others have their turn
    assert straw.paused
    for _ in range(400):
        await asyncio.sleep(0)
    assert bodies(straw) == [b'"first"'] * 4001 and not straw.paused


async def test_sent_ahead_of_a_slow_one_they_wait_unparsed(site: Site) -> None:
    straw = Straw(site)
    straw.send(get("/slow/a") + get("/echo/b") * 6000)
    await straw.settle()
    assert straw.sent == b"" and straw.paused
    site.gate.set()
    while straw.sent.count(b"HTTP/1.1") < 6001:
        await asyncio.sleep(0)
    assert bodies(straw) == [b"a"] + [b"b?"] * 6000 and not straw.paused


# bodies


async def test_bodies_of_all_sizes(site: Site) -> None:
    straw = Straw(site)
    for size in (0, 1, limits.PARSE_BYTES, limits.BODY_UNASKED_BYTES, limits.BODY_UNASKED_BYTES + 1, BODY_LIMIT):
        await ask(straw, put("/body", b"x" * size))
        await ask(straw, chunked("/body", *([b"x" * size] if size else [])))
        assert [len(body) for body in site.bodies[-2:]] == [size, size]
    assert {answer.status for answer in straw.answers} == {200} and not straw.paused


async def test_a_client_that_waits_to_be_told_to_send(site: Site) -> None:
    straw = Straw(site)
    head, body = get("/body", "Content-Length: 3", "Expect: 100-continue", method="PUT"), b"abc"
    await ask(straw, head)
    assert [answer.status for answer in straw.answers] == [100]
    await ask(straw, body)
    await ask(straw, head + body)  # it did not wait
    assert [answer.status for answer in straw.answers] == [100, 200, 200] and not straw.closed
    await ask(straw, get("/body", f"Content-Length: {BODY_LIMIT + 1}", "Expect: 100-continue", method="PUT"))
    assert [answer.status for answer in straw.answers][3:] == [413] and straw.eof
    old = Straw(site)
    await ask(old, get("/body", "Content-Length: 3", "Expect: 100-continue", method="PUT", version="1.0") + body)
    assert [answer.status for answer in old.answers] == [200]


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 20 * BODY_LIMIT])
async def test_a_body_over_the_limit_is_refused_and_its_client_hears_it(site: Site, size: int) -> None:
    straw = Straw(site)
    data = put("/body", b"x" * size)
    for start in range(0, len(data), 50_000):
        straw.send(data[start : start + 50_000])
        await straw.settle()
    [answer] = straw.answers
    assert answer.status == 413
    assert answer.body == f"Request body({size} bytes) too large, max size: {BODY_LIMIT} bytes.".encode()
    assert site.bodies == [] and not straw.closed  # what still comes is read off
    straw.leave()
    await straw.settle()
    assert straw.closed


async def test_a_chunked_body_over_the_limit(site: Site) -> None:
    straw = Straw(site)
    await ask(straw, chunked("/body", *[b"x" * 30_000] * 5))
    [answer] = straw.answers
    assert answer.status == 413 and site.bodies == []


async def test_who_sends_on_for_ever_after_the_answer_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINGER_BYTES", 500_000)
    straw = Straw(site)
    await ask(straw, get("/body", f"Content-Length: {10**9}", method="PUT"))
    for _ in range(20):
        straw.send(b"x" * 50_000)
        await straw.settle()
    assert straw.answers[0].status == 413 and straw.closed


async def test_a_small_rest_of_a_body_nobody_read_is_read_off(site: Site) -> None:
    straw = Straw(site)
    head = get("/unread", "Content-Length: 1000", method="PUT")
    await ask(straw, head + b"x" * 400)
    assert straw.sent == b""  # small bodies are waited for
    await ask(straw, b"x" * 600 + get("/echo/a"))
    assert bodies(straw) == [b"done", b"a?"]
    size = 2 * limits.BODY_UNASKED_BYTES
    await ask(straw, get("/unread", f"Content-Length: {size}", method="PUT") + b"x" * (size - 100))
    assert bodies(straw)[2:] == [b"done"] and "connection" not in straw.answers[2].headers
    await ask(straw, b"x" * 50)
    await ask(straw, b"x" * 50 + get("/echo/b"))
    assert bodies(straw)[3:] == [b"b?"] and not straw.eof


async def test_a_large_rest_ends_the_connection(site: Site) -> None:
    straw = Straw(site)
    await ask(straw, get("/unread", "Content-Length: 10000000", method="PUT") + b"x" * 100_000)
    assert bodies(straw) == [b"done"] and straw.answers[0].headers["connection"] == "close" and straw.eof


async def test_a_large_body_is_not_taken_before_somebody_asks(site: Site) -> None:
    straw = Straw(site)
    straw.send(get("/slow/a") + get("/body", f"Content-Length: {BODY_LIMIT}", method="PUT") + b"x" * 70_000)
    await straw.settle()
    assert straw.paused
    site.gate.set()
    await straw.settle()
    assert not straw.paused
    await ask(straw, b"x" * (BODY_LIMIT - 70_000))
    assert bodies(straw) == [b"a", str(BODY_LIMIT).encode()]


async def test_piece_by_piece_the_client_is_held_back(site: Site) -> None:
    straw = Straw(site)
    size = 500_000
    straw.send(get("/pieces", f"Content-Length: {size}", method="PUT"))
    sent = 0
    while sent < size:
        if straw.paused:
            await asyncio.sleep(0)
            continue
        straw.send(b"x" * 50_000)
        sent += 50_000
    await straw.settle()
    assert bodies(straw) == [str(size).encode()]


async def test_piece_by_piece_over_the_limit(site: Site) -> None:
    straw = Straw(site)
    straw.send(get("/pieces", "Transfer-Encoding: chunked", method="PUT"))
    for _ in range(400):
        if straw.answers:
            break
        if not straw.paused:
            straw.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        await asyncio.sleep(0)
    assert straw.answers[0].status == 413


async def test_a_body_that_breaks_off_in_nonsense(site: Site) -> None:
    straw = Straw(site)
    start = get("/body", "Transfer-Encoding: chunked", method="PUT") + b"11170\r\n" + b"x" * 70_000 + b"\r\n"
    await ask(straw, start)
    await ask(straw, b"zz\r\n")
    [answer] = straw.answers
    assert answer.status == 400 and b"malformed request" in answer.body and straw.eof and site.bodies == []


# refusals


async def test_a_malformed_request_is_refused_in_its_turn(site: Site) -> None:
    straw = Straw(site)
    await ask(straw, get("/slow/a") + get("/echo/b") + b"NONSENSE\r\n\r\n" + get("/echo/c"))
    assert straw.sent == b""
    site.gate.set()
    await straw.settle()
    assert [answer.status for answer in straw.answers] == [200, 200, 400]
    assert straw.answers[2].headers["connection"] == "close" and straw.eof and not straw.closed
    await ask(straw, get("/echo/d"))  # nothing more counts
    straw.leave()
    await straw.settle()
    assert len(straw.answers) == 3 and straw.closed


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (get("/" + "a" * limits.URL_BYTES), 414),
        (get("/", "X: " + "a" * limits.HEADER_BYTES), 431),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400),
    ],
)
async def test_refusals(site: Site, data: bytes, status: int) -> None:
    straw = Straw(site)
    await ask(straw, data)
    [answer] = straw.answers
    assert answer.status == status and answer.body and straw.eof


async def test_a_wish_for_another_protocol_is_passed_over(site: Site) -> None:
    straw = Straw(site)
    wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
    await ask(straw, get("/echo/a", *wish))
    await ask(straw, put("/body", get("/echo/smuggled"), *wish))
    await ask(straw, get("/echo/b"))
    assert bodies(straw) == [b"a?", str(len(get("/echo/smuggled"))).encode(), b"b?"]


async def test_names_sent_as_they_are(site: Site) -> None:
    straw = Straw(site)
    for _ in range(2):
        await ask(straw, "GET /echo/é HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert bodies(straw) == ["é?".encode()] * 2


async def test_connections_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 2)
    first, second, third = Straw(site), Straw(site), Straw(site)
    assert third.answers[0].status == 503 and third.eof
    third.leave()
    first.leave()
    await third.settle()
    await ask(Straw(site), get("/read"))
    await ask(second, get("/read"))
    assert second.answers[0].status == 200
    assert (site.app.gate.connections, site.app.gate.refused) == (2, 1)


async def test_connections_of_one_client_are_bounded_when_so_configured() -> None:
    site = Site(connections_per_client=2)
    here = [Straw(site, peer=("10.0.0.1", 1)) for _ in range(3)]
    there = Straw(site, peer=("10.0.0.2", 1))
    local = [Straw(site, peer="") for _ in range(5)]
    assert here[2].answers[0].status == 429
    assert here[2].answers[0].body.startswith(b"Your IP is issuing too many concurrent connections")
    assert not any(straw.sent for straw in (*here[:2], there, *local))


# clients that leave


async def test_half_closed_clients_hear_their_answers(site: Site) -> None:
    straw = Straw(site)
    straw.send(get("/slow/a") + get("/echo/b") + b"GET /half")
    straw.leave()
    await straw.settle()
    assert not straw.closed
    site.gate.set()
    await straw.settle()
    assert bodies(straw) == [b"a", b"b?"] and straw.closed


async def test_a_held_query_ends_with_its_client(site: Site) -> None:
    for end in ("leave", "abort"):
        straw = Straw(site)
        await ask(straw, get("/read?index=5&wait=60s"))
        assert site.app.reads.watching == 1 and straw.sent == b""
        getattr(straw, end)()
        await straw.settle()
        assert site.app.reads.watching == 0 and not site.cell.wakers and straw.closed
    assert len(asyncio.all_tasks()) == 1


async def test_a_held_query_sent_ahead_ends_too(site: Site) -> None:
    straw = Straw(site)
    straw.send(get("/slow/a") + get("/read?index=5"))
    straw.leave()
    site.gate.set()
    await straw.settle()
    assert len(straw.answers) == 2 and straw.closed and site.app.reads.watching == 0


@pytest.mark.parametrize("size", [10, 70_000])
async def test_leaving_within_a_body(site: Site, size: int) -> None:
    for end in ("leave", "abort"):
        straw = Straw(site)
        await ask(straw, get("/body", "Content-Length: 90000", method="PUT") + b"x" * size)
        getattr(straw, end)()
        await straw.settle()
        assert straw.closed and site.bodies == []
    assert len(asyncio.all_tasks()) == 1


async def test_leaving_during_a_stream_ends_it(site: Site) -> None:
    for end in ("leave", "abort"):
        straw = Straw(site)
        await ask(straw, get("/stream"))
        assert straw.sent.endswith(b"3\r\none\r\n")
        getattr(straw, end)()
        await straw.settle()
        assert straw.closed
    assert site.ended == ["stream", "stream"] and len(asyncio.all_tasks()) == 1


async def test_streams(site: Site) -> None:
    site.gate.set()
    straw, old, head = Straw(site), Straw(site), Straw(site)
    await ask(straw, get("/stream") + get("/echo/a"))
    assert bodies(straw) == [b"onetwo", b"a?"]
    await ask(old, get("/stream", "Connection: keep-alive", version="1.0"))
    assert old.sent.endswith(b"\r\n\r\nonetwo") and b"chunked" not in old.sent and old.closed
    await ask(head, get("/stream", method="HEAD") + get("/echo/a"))
    assert head.sent.count(b"HTTP/1.1 200") == 2 and b"one" not in head.sent


async def test_a_source_that_fails_cuts_its_stream_off(site: Site) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    straw = Straw(site)
    site.gate.set()
    await ask(straw, get("/stream?fail=yes") + get("/echo/a"))
    assert straw.closed and not straw.sent.endswith(b"0\r\n\r\n") and b"a?" not in straw.sent
    gc.collect()
    await straw.settle()
    assert told == [] and site.ended == ["stream"]


# clients that are slow


class Hour:
    """A loop's time that can be put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self.ahead = 0.0
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + self.ahead)

    def passes(self, straw: Straw, seconds: float) -> None:
        """Time goes by, and whose time is up by then is cut off."""
        self.ahead += seconds
        if straw.connection.deadline < asyncio.get_running_loop().time() and not straw.closed:
            straw.connection.expire()


@pytest.fixture
async def hour(monkeypatch: pytest.MonkeyPatch) -> Hour:
    return Hour(monkeypatch)


async def test_silence_between_requests_has_an_end(site: Site, hour: Hour) -> None:
    for asked in (b"", get("/echo/a"), get("/read"), get("/read"), get("/read")):
        straw = Straw(site)
        hour.passes(straw, limits.IDLE_CONNECTION_SECONDS - 1)
        if asked:
            await ask(straw, asked)
            hour.passes(straw, limits.IDLE_CONNECTION_SECONDS - 1)
        straw.send(b"\r\n")  # this is not a request
        hour.passes(straw, 2)
        await straw.settle()
        assert straw.closed
    assert site.app.gate.expired == 5 and site.app.hot_answers == 1


async def test_a_head_that_trickles_in_has_an_end(site: Site, hour: Hour) -> None:
    straw = Straw(site)
    straw.send(b"GET / HTTP/1.1\r\n")
    for number in range(100):
        hour.passes(straw, 1)
        straw.send(b"X-%d: y\r\n" % number)
        await straw.settle()
        if straw.closed:
            break
    assert limits.HEAD_SECONDS <= number + 1 <= limits.HEAD_SECONDS + 1 and straw.sent == b""


@pytest.mark.parametrize("path", ["/body", "/pieces"])
@pytest.mark.parametrize("start", [0, 70_000])
async def test_a_body_that_trickles_in_has_an_end(site: Site, hour: Hour, start: int, path: str) -> None:
    straw = Straw(site)
    straw.send(get(path, "Content-Length: 90000", method="PUT") + b"x" * start)
    await straw.settle()
    seconds = 0
    while not straw.closed and seconds < 100:
        seconds += 1
        hour.passes(straw, 1)
        straw.send(b"x")
        await straw.settle()
    assert seconds <= limits.BODY_STALL_SECONDS + 1 and not straw.sent and not site.bodies
    assert len(asyncio.all_tasks()) == 1


async def test_a_slow_body_that_keeps_coming_is_taken(site: Site, hour: Hour) -> None:
    straw = Straw(site)
    straw.send(get("/pieces", "Content-Length: 900000", method="PUT"))
    for _ in range(45):
        hour.passes(straw, limits.BODY_STALL_SECONDS - 1)
        await ask(straw, b"x" * 20_000)
    assert bodies(straw) == [b"900000"]


async def test_work_has_all_the_time_it_takes(site: Site, hour: Hour) -> None:
    straw = Straw(site)
    await ask(straw, get("/read"))
    for data in (get("/slow/a"), get("/read?index=5&wait=600s") + get("/echo/a")):
        await ask(straw, data)
        hour.passes(straw, 10_000)
    assert not straw.closing
    straw.connection.abort()


async def test_who_does_not_read_gets_nothing_more_to_keep_for_it(site: Site) -> None:
    straw = Straw(site)
    await ask(straw, get("/read"))
    await ask(straw, get("/read"))
    straw.connection.pause_writing()
    assert straw.paused
    sent = straw.sent
    for data in (get("/read"), get("/echo/a"), get("/read")):  # what was on its way already
        straw.connection.data_received(data)
    await straw.settle()
    assert straw.sent == sent
    straw.connection.resume_writing()
    await straw.settle()
    assert bodies(straw)[2:] == [b'"first"', b"a?", b'"first"'] and not straw.paused


async def test_a_slow_reader_has_time_while_it_reads(site: Site, hour: Hour) -> None:
    straw = Straw(site)
    straw.send(get("/large"))
    await straw.settle()
    straw.buffered = 300_000
    straw.connection.pause_writing()
    for _ in range(20):
        straw.buffered -= 10_000
        hour.passes(straw, limits.WRITE_STALL_SECONDS + 1)
    assert not straw.closing
    straw.buffered = 0
    straw.connection.resume_writing()
    assert not straw.paused
    await ask(straw, get("/echo/a"))
    straw.buffered = 100_000
    straw.connection.pause_writing()
    hour.passes(straw, limits.WRITE_STALL_SECONDS + 1)
    await straw.settle()
    assert straw.closed and bodies(straw)[-1] == b"a?"


async def test_a_stream_waits_for_its_reader(site: Site) -> None:
    straw = Straw(site)
    await ask(straw, get("/stream"))
    straw.connection.pause_writing()
    site.gate.set()
    await straw.settle()
    straw.connection.resume_writing()
    await straw.settle()
    assert bodies(straw) == [b"onetwo"]


async def test_lingering_has_an_end(site: Site, hour: Hour) -> None:
    straw = Straw(site)
    await ask(straw, b"NONSENSE\r\n\r\n")
    assert straw.eof and not straw.closed
    hour.passes(straw, limits.LINGER_SECONDS + 1)
    await straw.settle()
    assert straw.closed


# the end


async def test_closing_answers_who_waits_and_what_is_done_in_time(site: Site) -> None:
    connections: set[Connection] = set()
    watcher, worker, idle, half = (Straw(site, connections) for _ in range(4))
    await ask(watcher, get("/read?index=5&wait=60s"))
    await ask(worker, get("/slow/a"))
    await ask(half, b"GET /ha")
    closing = asyncio.gather(*(connection.close() for connection in list(connections)))
    await asyncio.sleep(0)
    site.gate.set()
    await closing
    assert [answer.body for straw in (watcher, worker) for answer in straw.answers] == [b'"first"', b"a"]
    assert idle.closed and half.closed and not connections and len(asyncio.all_tasks()) == 1


async def test_closing_does_not_wait_for_ever(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GOODBYE_SECONDS", 0.01)
    connections: set[Connection] = set()
    worker, stream = Straw(site, connections), Straw(site, connections)
    await ask(worker, get("/slow/a"))
    await ask(stream, get("/stream"))
    await asyncio.gather(*(connection.close() for connection in list(connections)))
    await worker.settle()
    assert worker.closed and stream.closed and not connections and len(asyncio.all_tasks()) == 1


async def test_answers_are_compressed_for_those_who_take_it(site: Site) -> None:
    straw = Straw(site)
    site.move("x" * 5000)
    for path in ("/read", "/read", "/large", "/read?cached"):
        await ask(straw, get(path))
        await ask(straw, get(path, "Accept-Encoding: deflate, gzip;q=0.5"))
        for _ in range(100):
            if len(straw.answers) % 2 == 0:
                break
            await asyncio.sleep(0.01)
        plain, packed = straw.answers[-2:]
        assert gzip.decompress(packed.body) == plain.body and packed.headers["content-encoding"] == "gzip"
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
        assert "content-encoding" not in plain.headers
    await ask(straw, get("/read", "Accept-Encoding: gzip;q=0"))
    assert "content-encoding" not in straw.answers[-1].headers


# whatever comes

PIECES = st.sampled_from(
    [
        get("/read"),
        get("/echo/a"),
        get("/read?index=5&wait=1ms"),
        put("/body", b"abc"),
        put("/unread", b"abc"),
        chunked("/body", b"ab", b"c"),
        get("/stream", method="HEAD"),
        get("/none"),
        get("/read", "Connection: close"),
        get("/read", version="1.0"),
        b"\r\n",
        b"0\r\n\r\n",
        b"PUT /body HTTP/1.1\r\nContent-Length: 100000\r\n\r\n",
        b"PUT /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Content-Length: 5\r\n",
    ]
)


@settings(max_examples=150)
@given(
    data=st.lists(PIECES | st.binary(max_size=40), max_size=12).map(b"".join),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
    leaves=st.booleans(),
)
def test_any_bytes_in_any_pieces(data: bytes, cuts: list[int], leaves: bool) -> None:
    """Nothing raises, nothing hangs, and the next connection is served."""

    async def run() -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        site = Site()
        straw = Straw(site)
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        for start, end in pairwise(edges):
            if not straw.paused and end > start:
                straw.send(data[start:end])
            await asyncio.sleep(0)
        if leaves:
            straw.leave()
        for _ in range(200):
            await asyncio.sleep(0)
        other = Straw(site)
        await ask(other, get("/echo/a"))
        assert bodies(other) == [b"a?"]
        for one in (straw, other):
            one.leave()
        for _ in range(50):
            await asyncio.sleep(0)
        assert straw.closed and other.closed and told == []
        assert site.app.gate.connections == 0 and site.app.reads.watching == 0 and len(asyncio.all_tasks()) == 1

    asyncio.run(run())


REQUESTS = st.sampled_from(
    [
        (get("/read"), b'"first"'),
        (get("/read", "X: y"), b'"first"'),
        (get("/echo/a?b"), b"a?b"),
        (put("/body", b"abc"), b"3"),
        (put("/body", b""), b"0"),
        (chunked("/body", b"ab", b"cde"), b"5"),
        (put("/unread", b"x" * 50), b"done"),
        (get("/stream"), b"onetwo"),
        (put("/body", get("/read")), str(len(get("/read"))).encode()),
    ]
)


@settings(max_examples=150)
@given(
    asked=st.lists(REQUESTS, max_size=60),
    cuts=st.lists(st.integers(0, 6000), max_size=30),
    waits=st.lists(st.booleans()),
)
def test_any_requests_in_any_pieces_are_answered_in_order(
    asked: list[tuple[bytes, bytes]], cuts: list[int], waits: list[bool]
) -> None:
    async def run() -> None:
        site = Site()
        site.gate.set()
        straw = Straw(site)
        data = b"".join(request for request, _ in asked)
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        rest = [data[start:end] for start, end in pairwise(edges) if end > start]
        for number, piece in enumerate(rest):
            for _ in range(5000):
                if not straw.paused:
                    break
                await asyncio.sleep(0)
            straw.send(piece)
            if number < len(waits) and waits[number]:
                await asyncio.sleep(0)
        for _ in range(5000):
            if straw.sent.count(b"HTTP/1.1 ") >= len(asked):
                break
            await asyncio.sleep(0)
        await straw.settle()
        assert bodies(straw) == [body for _, body in asked]
        straw.connection.abort()
        await straw.settle()

    asyncio.run(run())


async def test_the_configuration_s_bound_on_headers() -> None:
    site = Site(header_bytes=500)
    straw = Straw(site)
    await ask(straw, get("/read", "X: " + "a" * 400))
    await ask(straw, get("/read", "X: " + "a" * 600))
    assert [answer.status for answer in straw.answers] == [200, 431]
    assert APIConfig("dc1", "n", Limits()).header_bytes == limits.HEADER_BYTES


def test_answers_reads_what_it_should() -> None:
    assert [answer.status for answer in answers(b"HTTP/1.1 100 Continue\r\n\r\n")] == [100]
