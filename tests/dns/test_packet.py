"""Packets read back by dnspython, which knows nothing of how they were made."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rdatatype
from hypothesis import given
from hypothesis import strategies as st

from lictor.dns import request
from lictor.dns.names import to_name
from lictor.dns.packet import Sections, Shape, pack
from lictor.dns.records import A, Record, address, srv, txt
from lictor.dns.request import EDNS, Request
from tests.dns.asking import Said, heard

OWNER = (b"big", b"service", b"consul")


def asked(owner: tuple[bytes, ...] = OWNER, rtype: int = A, payload: int = 0) -> Request:
    raw = b"".join(bytes((len(label),)) + label for label in owner) + b"\0" + rtype.to_bytes(2) + b"\0\1"
    return Request(request.RD, owner, rtype, raw, EDNS(payload) if payload else None)


def packed(question: Request, said: Sections, **shape: object) -> Said:
    shaped = Shape(**{"tcp": False, "compress": True, "most": 3, "tell": False, **shape})  # type: ignore[arg-type]
    return heard(b"\x12\x34" + pack(question, said, shaped))


def services(count: int, domain: tuple[bytes, ...] = (b"addr", b"dc1", b"consul")) -> Sections:
    answers, additional = [], []
    for number in range(1, count + 1):
        target = (f"0a0600{number:02x}".encode(), *domain)
        answers.append(srv(OWNER, 0, 1, 8000 + number, target))
        additional += [address(target, 0, bytes((10, 6, 0, number))), txt((b"n1", b"node"), 0, "a=b")]
    return Sections(rcode=0, answers=answers, additional=list(dict.fromkeys(additional)))


def addresses(count: int, owner: tuple[bytes, ...] = OWNER) -> Sections:
    return Sections(rcode=0, answers=[address(owner, 0, number.to_bytes(4)) for number in range(count)])


def test_a_classic_packet_has_few_answers_and_says_so_only_if_told() -> None:
    said = packed(asked(), addresses(12), most=5)
    assert (len(said.answer), said.flags) == (5, "QR AA RD")
    assert packed(asked(), addresses(12), most=5, tell=True).flags == "QR AA TC RD"
    assert packed(asked(), addresses(5), most=5, tell=True).flags == "QR AA RD"
    assert len(packed(asked(payload=512), addresses(12), most=5).answer) == 5


def test_other_packets_have_what_fits() -> None:
    assert len(packed(asked(payload=4096), addresses(200)).answer) == 200
    assert len(packed(asked(), addresses(200), tcp=True).answer) == 200
    said = packed(asked(payload=600), services(12), tell=True)
    assert (len(said.answer), said.flags) == (9, "QR AA TC RD")
    assert [line.split()[0] for line in said.additional] == [line.split()[-1] for line in said.answer]
    assert said.message.payload == 600


def test_few_services_are_measured_uncompressed() -> None:
    assert len(packed(asked(rtype=33), services(12), most=5, tell=True).answer) == 4


def test_without_compression_less_fits() -> None:
    assert len(packed(asked((b"wide", *OWNER[1:]), payload=700), services(9), compress=False).answer) == 6


def test_records_that_no_answer_needs_go_first() -> None:
    question = asked(payload=600)
    said = services(6)
    said.additional = [*said.additional, *(txt((b"n2", b"node"), 0, "x" * 200 + str(i)) for i in range(6))]
    heard_ = packed(question, said, tell=True)
    assert (len(heard_.answer), len(heard_.additional), heard_.flags) == (6, 6, "QR AA RD")


def test_tcp_holds_64_kib() -> None:
    said = packed(
        asked(rtype=33),
        Sections(
            rcode=0,
            answers=[
                srv(OWNER, 0, 1, number, (f"node-{number}".encode(), b"node", b"dc1", b"consul"))
                for number in range(3000)
            ],
        ),
        tcp=True,
        tell=True,
    )
    assert 1000 < len(said.answer) < 3000
    assert (said.size > 65_400, said.flags) == (True, "QR AA TC RD")


def test_an_answer_that_cannot_fit_at_all_sends_the_client_to_tcp() -> None:
    said = Sections(rcode=0, answers=[txt(OWNER, 0, "x" * 600)])
    assert (packed(asked(), said).answer, packed(asked(), said).flags) == ([], "QR AA TC RD")
    assert len(packed(asked(), said, tcp=True).answer) == 1


def test_a_subnet_is_given_back() -> None:
    for subnet_only, scope in ((True, 24), (False, 0)):
        question = Request(0, OWNER, A, asked().raw, EDNS(1400, b"\0\1\x18\0\xc0\0\2", False))
        said = addresses(1)
        said.subnet_only = subnet_only
        [option] = packed(question, said).message.options
        assert (option.address, option.srclen, option.scopelen) == ("192.0.2.0", 24, scope)


labels = st.text(
    st.characters(codec="utf-8", exclude_characters=".", exclude_categories=["Cs"]), min_size=1, max_size=40
)
owners = (
    st.lists(labels, min_size=1, max_size=9)
    .map(".".join)
    .map(to_name)
    .filter(lambda name: bool(name and len(name) < 126))
)


@given(owners, st.integers(1, 60), st.integers(0, 4500), st.booleans(), st.booleans(), st.booleans(), st.integers(1, 8))
def test_whatever_is_said_fits_and_says_something(
    owner: tuple[bytes, ...], count: int, payload: int, tcp: bool, compress: bool, is_srv: bool, most: int
) -> None:
    records: list[Record] = []
    additional: list[Record] = []
    for number in range(count):
        target = (f"0a{number:06x}".encode(), b"addr", b"dc1", b"consul")
        records.append(srv(owner, 3, 1, number, target) if is_srv else address(owner, 3, number.to_bytes(4)))
        additional += [address(target, 3, number.to_bytes(4))] if is_srv else []
    said = packed(
        asked(owner, 33 if is_srv else 1, payload),
        Sections(rcode=0, answers=records, additional=additional),
        tcp=tcp,
        compress=compress,
        most=most,
        tell=True,
    )
    assert said.size <= (65_535 if tcp else max(512, payload))
    assert 1 <= len(said.answer) <= count
    assert bool(said.message.flags & dns.flags.TC) == (len(said.answer) < count)
    if is_srv and said.size < 400:
        targets = {line.split()[-1] for line in said.answer}
        assert targets == {line.split()[0] for line in said.additional}


@given(st.lists(st.tuples(owners, st.text(max_size=700)), max_size=5), st.booleans())
def test_names_and_texts_arrive_as_they_were(rows: list[tuple[tuple[bytes, ...], str]], compress: bool) -> None:
    said = Sections(rcode=0, answers=[txt(owner, 0, text) for owner, text in rows])
    message = packed(asked(), said, tcp=True, compress=compress).message
    found = [(rrset.name.labels[:-1], b"".join(row.strings)) for rrset in message.answer for row in rrset]
    wanted = dict.fromkeys((owner, text.encode("utf-8", "replace")) for owner, text in rows)
    assert sorted({(tuple(label.lower() for label in owner), text) for owner, text in found}) == sorted(
        {(tuple(label.lower() for label in owner), text) for owner, text in wanted}
    )
