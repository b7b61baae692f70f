"""Heads of responses."""

from __future__ import annotations

import pytest

from lictor import limits
from lictor.api.heads import Dates, Heads, length


class Clock:
    now = 1_700_000_000.25

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def test_a_start_has_its_own_headers_and_the_common_ones() -> None:
    heads = Heads([("X-All", "1")])
    assert heads.start(200, [("A", "b")]) == b"HTTP/1.1 200 OK\r\nA: b\r\nX-All: 1\r\n"
    assert heads.start(200, [("A", "b")], complete=True) == b"HTTP/1.1 200 OK\r\nA: b\r\n"
    assert (
        heads.start(429, [("A", "b"), ("C", "d")]) == b"HTTP/1.1 429 Too Many Requests\r\nA: b\r\nC: d\r\nX-All: 1\r\n"
    )
    assert heads.start(599, []) == b"HTTP/1.1 599 Unknown\r\nX-All: 1\r\n"
    assert heads.start(200, [("A", "b")]) is heads.start(200, [("A", "b")])


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", "a\0b", "a\tb", "a\x85b\u2028c"])
@pytest.mark.parametrize("others", [[], [("B", "c")]])
def test_no_value_begins_a_line_of_its_own(value: str, others: list[tuple[str, str]]) -> None:
    start = Heads().start(200, [("A", value), *others])
    assert start.count(b"\r\n") == 2 + len(others) and b"\n" not in start.replace(b"\r\n", b"") and b"\0" not in start


def test_what_latin_1_does_not_know() -> None:
    assert Heads().start(200, [("A", "é漢")]) == b"HTTP/1.1 200 OK\r\nA: \xe9?\r\n"


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADS_KEPT", 10)
    heads = Heads()
    for number in range(100):
        assert heads.start(200, [("A", str(number))]).endswith(b"A: %d\r\n" % number)
    assert len(heads._kept) <= 10


def test_the_date_turns_with_the_second() -> None:
    clock = Clock()
    dates = Dates(clock)
    first = dates.line(10.0)
    assert first == b"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n" and dates.until == 10.75
    clock.now += 0.7
    assert dates.line(10.7) is first
    clock.now += 0.1
    assert dates.line(10.8) == b"Date: Tue, 14 Nov 2023 22:13:21 GMT\r\n"


def test_length() -> None:
    assert length(b"abc") == b"Content-Length: 3\r\n"
