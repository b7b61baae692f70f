"""From bytes to requests: whatever way the bytes are cut, within every bound, and never two readings of one request."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor import limits
from lictor.api.exchange import Exchange
from lictor.api.parsing import RequestParser, with_plain_url
from tests.api.wire import chunked, get, put


class Straw:
    """A carrier that only remembers."""

    remote = "10.0.0.1:4000"

    def __init__(self) -> None:
        self.written = b""
        self.held = False

    def write(self, data: bytes) -> None:
        self.written += data

    def hold(self, held: bool) -> None:
        self.held = held


def parser(header_bytes: int = limits.HEADER_BYTES) -> RequestParser:
    return RequestParser(Straw(), header_bytes)


def seen(exchange: Exchange) -> tuple[object, ...]:
    body = b"".join(exchange._chunks)
    return exchange.method, exchange.path, exchange.query_string, body, exchange.complete, exchange.keep_alive


def parsed(*pieces: bytes) -> tuple[list[tuple[object, ...]], tuple[int, str] | None]:
    found = parser()
    for piece in pieces:
        found.take(piece)
    return [seen(exchange) for exchange in found.requests], found.refusal


SAMPLE = get("/a%20b?c=d&e", "X-Thing: 1") + put("/body", b"12345") + chunked("/body", b"ab", b"c") + get("/z")


@pytest.mark.parametrize("cut", range(1, len(SAMPLE)))
def test_cut_in_two_anywhere_it_says_the_same(cut: int) -> None:
    whole, refusal = parsed(SAMPLE)
    assert [row[1] for row in whole] == ["/a b", "/body", "/body", "/z"] and refusal is None
    assert [row[3] for row in whole] == [b"", b"12345", b"abc", b""]
    assert parsed(SAMPLE[:cut], SAMPLE[cut:]) == (whole, None)


@given(st.lists(st.integers(0, len(SAMPLE)), max_size=12))
def test_cut_in_pieces_it_says_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(SAMPLE)]
    pieces = [SAMPLE[start:end] for start, end in pairwise(edges)]
    assert parsed(*pieces) == parsed(SAMPLE)


@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([get("/a"), put("/b", b"xy"), b"\r\n", b"0\r\n\r\n"]), max_size=8)
)
def test_nonsense_never_raises_and_ends_in_a_refusal_at_most(pieces: list[bytes]) -> None:
    found = parser()
    for piece in pieces:
        found.take(piece)
        if found.refusal is not None:
            assert 400 <= found.refusal[0] <= 505 and not found.backlog
    assert all(exchange.queued for exchange in found.requests)


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"Content-Length: 3, 3\r\n\r\nabc",
        b"Content-Length: +3\r\n\r\nabc",
        b"Content-Length: -3\r\n\r\nabc",
        b"Content-Length : 3\r\n\r\nabc",
        b"Content-Length: 99999999999999999999999\r\n\r\nabc",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        b"X-Folded: a\r\n b\r\n\r\n",
        b"X-Nul: a\0b\r\n\r\n",
        b"X-Lone-LF: a\nContent-Length: 3\r\n\r\n",
        b"X-Lone-CR: a\rContent-Length: 3\r\n\r\n",
        b": nameless\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
        b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    ],
)
def test_what_two_servers_could_read_differently_is_refused(lines: bytes) -> None:
    requests, refusal = parsed(b"PUT /body HTTP/1.1\r\nHost: h\r\n" + lines)
    assert refusal is not None and refusal[0] in (400, 501)
    assert not any(complete for *_, complete, _ in requests)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"CONNECT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /", 405),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (get("/%ff"), 400),
        (get("/a" * limits.URL_BYTES), 414),
        (get("/", "X: " + "a" * limits.HEADER_BYTES), 431),
    ],
)
def test_what_is_not_spoken_here_says_so(data: bytes, status: int) -> None:
    requests, refusal = parsed(data)
    assert not requests and refusal is not None and refusal[0] == status


def test_the_bound_on_headers_is_the_configured_one() -> None:
    for size, refused in ((150, False), (250, True)):
        found = parser(header_bytes=200)
        found.take(get("/", "X: " + "a" * size))
        assert (found.refusal is not None) is refused
    assert found.refusal == (431, "the headers are larger than 200 bytes")


@pytest.mark.parametrize(
    ("start", "filler"),
    [
        (b"GET /", b"a" * 1000),
        (b"GET / HTTP/1.1\r\nX: ", b"a" * 1000),
        (b"GET / HTTP/1.1\r\n", b"X: a\r\n" * 200),
        (get("/", "Transfer-Encoding: chunked", method="PUT") + b"1;", b"x" * 1000),
        (get("/", "Transfer-Encoding: chunked", method="PUT") + b"0\r\nX: ", b"a" * 1000),
        (get("/", "Transfer-Encoding: chunked", method="PUT"), b"1\r\nx\r\n" * 200),
    ],
)
def test_what_never_ends_is_refused_before_it_fills_the_memory(start: bytes, filler: bytes) -> None:
    found = parser()
    found.take(start)
    taken = 0
    while found.refusal is None and taken < 1_000_000:
        found.take(filler)
        taken += len(filler)
    assert found.refusal is not None and found.refusal[0] in (400, 431)
    assert taken < 4 * limits.HEADER_BYTES + limits.CHUNK_OVERHEAD_BYTES


def test_trailers_change_nothing() -> None:
    found = parser()
    found.take(chunked("/body", b"abc", end=b"0\r\nX-Consul-Token: t\r\nConnection: close\r\n\r\n"))
    [exchange] = found.requests
    assert exchange.complete and "x-consul-token" not in exchange.headers and exchange.keep_alive


def test_what_is_sent_ahead_is_parsed_when_there_is_room() -> None:
    found = parser()
    found.take(get("/a") * 5000)
    assert len(found.requests) < limits.PIPELINED_REQUESTS + limits.PARSE_BYTES // len(get("/a")) + 1
    count = 0
    while found.requests:
        count += len(found.requests)
        found.requests.clear()
        found.parse()
    assert count == 5000 and not found.backlog


@pytest.mark.parametrize("body", [b"", b"abc"])
def test_another_protocol_is_not_taken_up(body: bytes) -> None:
    wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
    data = (put("/a", body, *wish) if body else get("/a", *wish)) + get("/b")
    requests, refusal = parsed(data)
    assert [(path, sent) for _, path, _, sent, _, _ in requests] == [("/a", body), ("/b", b"")] and refusal is None
    for cut in range(1, len(data)):
        assert parsed(data[:cut], data[cut:]) == (requests, None)


def test_nothing_follows_the_last_request() -> None:
    requests, refusal = parsed(get("/a", "Connection: close") + get("/b"))
    assert [(path, keep) for _, path, _, _, _, keep in requests] == [("/a", False)] and refusal is not None


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a/b", "/a/b", ""),
        ("/a%2Fb%3Fc?d=%41", "/a/b?c", "d=%41"),
        ("/a?b?c", "/a", "b?c"),
        ("//a//b", "//a//b", ""),
        ("*", "*", ""),
        ("http://h:1/a?b", "/a", "b"),
        ("http://h:1", "/", ""),
        ("/a#b?c", "/a#b", "c"),
        ("/?", "/", ""),
    ],
)
def test_targets(target: str, path: str, query: str) -> None:
    [(_, *found, _, _, _)], _ = parsed(get(target))
    assert found == [path, query]


def test_names_sent_as_they_are() -> None:
    data = "PUT /v1/kv/é?q=ü HTTP/1.1\r\nX: é\r\nContent-Length: 2\r\n\r\né".encode()
    plain = with_plain_url(data)
    assert plain.split(b"\r\n")[0] == b"PUT /v1/kv/%C3%A9?q=%C3%BC HTTP/1.1"
    assert plain.partition(b"\r\n")[2] == data.partition(b"\r\n")[2]
    assert parsed(plain)[0][0][1:4] == ("/v1/kv/é", "q=%C3%BC", "é".encode())


@pytest.mark.parametrize(
    ("data", "keep_alive", "old"),
    [
        (get("/"), True, False),
        (get("/", "Connection: close"), False, False),
        (get("/", "Connection: Keep-Alive, Close"), False, False),
        (get("/", "connection: keep-alive"), True, False),
        (get("/", version="1.0"), False, True),
        (get("/", "Connection: keep-alive", version="1.0"), True, True),
    ],
)
def test_whether_the_connection_stays(data: bytes, keep_alive: bool, old: bool) -> None:
    found = parser()
    found.take(data)
    [exchange] = found.requests
    assert (exchange.keep_alive, exchange.old) == (keep_alive, old)


def test_a_request_begins_early_when_it_must() -> None:
    found = parser()
    found.take(get("/body", "Content-Length: 3", "Expect: 100-continue", method="PUT"))
    assert [exchange.expects for exchange in found.requests] == [True]
    late = parser()
    late.take(get("/body", f"Content-Length: {2 * limits.BODY_UNASKED_BYTES}", method="PUT"))
    assert not late.requests
    late.take(b"x" * (limits.BODY_UNASKED_BYTES + 1))
    assert len(late.requests) == 1 and not late.requests[0].complete
