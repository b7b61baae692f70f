from __future__ import annotations

import struct

import dns.edns
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.dns import request
from lictor.dns.request import EDNS, Request


def read(message: dns.message.Message) -> Request:
    found = request.read(message.to_wire())
    assert isinstance(found, Request)
    return found


def test_a_plain_question() -> None:
    found = read(dns.message.make_query("Web.service.consul", "SRV"))
    assert (found.name, found.rtype, found.edns) == ((b"Web", b"service", b"consul"), 33, None)
    assert found.raw == b"\3Web\7service\6consul\0\0\x21\0\1"
    assert found.flags & request.RD


def test_edns_with_and_without_a_subnet() -> None:
    message = dns.message.make_query("x.consul", "A", use_edns=0, payload=1400)
    assert read(message).edns == EDNS(1400)
    message.use_edns(0, payload=1400, options=[dns.edns.ECSOption("192.0.2.0", 24)])
    found = read(message).edns
    assert found is not None and not found.plain
    assert found.subnet == b"\0\1\x18\0\xc0\0\2"
    assert request.subnet_address(found.subnet) == "192.0.2.0"


@pytest.mark.parametrize(
    ("subnet", "text"),
    [
        (b"\0\2\x20\0\x20\x01\x0d\xb8", "2001:db8::"),
        (b"\0\0\0\0", ""),
        (b"\0\1\0\0", "0.0.0.0"),
        (b"\0\1\x18\0" + bytes(9), ""),
    ],
)
def test_a_subnets_address(subnet: bytes, text: str) -> None:
    assert request.subnet_address(subnet) == text


def test_what_deserves_no_answer() -> None:
    response = dns.message.make_response(dns.message.make_query("x.consul", "A")).to_wire()
    assert request.read(response) is None
    assert request.read(b"") is None
    assert request.read(bytes(11)) is None


def header(flags: int = 0, questions: int = 1, answers: int = 0, authorities: int = 0, additionals: int = 0) -> bytes:
    return struct.pack("!HHHHHH", 4711, flags, questions, answers, authorities, additionals)


QUESTION = b"\1x\6consul\0\0\1\0\1"


@pytest.mark.parametrize(
    "message",
    [
        header(),
        header(questions=0),
        header(questions=2) + QUESTION * 2,
        header(answers=2) + QUESTION,
        header(additionals=3) + QUESTION,
        header() + b"\xc0\x0c\0\1\0\1",
        header() + b"\x3f" + b"x" * 10,
        header() + (b"\x3f" + b"x" * 63) * 5 + b"\0\0\1\0\1",
        header() + b"\1x\6consul\0\0\1\0",
        header(additionals=1) + QUESTION,
        header(additionals=1) + QUESTION + b"\0\0\x29\x10\0\0\0\0\0\0\5abc",
        header(additionals=1) + QUESTION + b"\0\0\x29\x10\0\0\0\0\0\0\4\0\x08\0\5",
        header(additionals=1) + QUESTION + b"\0\0\x29\x10\0\0\0\0\0\0\4\0\x08\0\0",
    ],
    ids=range(13),
)
def test_what_cannot_be_read(message: bytes) -> None:
    answer = request.read(message)
    assert isinstance(answer, bytes)
    said = dns.message.from_wire(answer)
    assert (said.id, said.rcode()) == (4711, dns.rcode.FORMERR)


def test_other_operations_are_not_implemented() -> None:
    answer = request.read(header(flags=dns.opcode.UPDATE << 11) + QUESTION)
    assert isinstance(answer, bytes)
    assert int.from_bytes(answer[2:4]) == request.QR | dns.opcode.UPDATE << 11 | dns.rcode.NOTIMP


def test_further_records_and_trailing_bytes_are_passed_over() -> None:
    message = (
        header(additionals=2)
        + QUESTION
        + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"
        + b"\0\0\x29\4\xd0\0\0\0\0\0\0"
        + b"rest"
    )
    found = request.read(message)
    assert isinstance(found, Request)
    assert found.edns == EDNS(1232)


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    request.read(data)


@given(st.binary(max_size=200), st.integers(0, 2), st.integers(0, 1))
def test_any_bytes_behind_a_header_are_read_or_refused(data: bytes, additionals: int, answers: int) -> None:
    found = request.read(header(additionals=additionals, answers=answers) + data)
    if isinstance(found, Request):
        assert found.raw == data[: len(found.raw)]


@given(st.binary(max_size=120))
def test_any_bytes_behind_a_question_are_read_or_refused(data: bytes) -> None:
    assert request.read(header(additionals=1) + QUESTION + b"\0\0\x29\4\xd0\0\0\0\0" + data) is not None
