from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.dns import names
from lictor.dns.names import AddressQuestion, NodeQuestion, QueryQuestion, Question, ServiceQuestion, parse
from lictor.dns.records import SRV, A

DOMAIN = (b"minne", b"lan")

FORMS: list[tuple[str, int, Question | None]] = [
    ("alpha.node", A, NodeQuestion("alpha")),
    ("alpha.node.dc2", A, NodeQuestion("alpha", "dc2")),
    ("six.east.node", A, NodeQuestion("six.east")),
    ("web.service", A, ServiceQuestion("web")),
    ("v1.2.web.service.dc1", A, ServiceQuestion("web", "v1.2", "dc1")),
    ("_web._tcp.service", SRV, ServiceQuestion("web")),
    ("_web._tcp.service", A, ServiceQuestion("web")),
    ("_web._udp.service.dc1", SRV, ServiceQuestion("web", "udp", "dc1")),
    ("_web._udp", SRV, ServiceQuestion("web", "udp")),
    ("_web._udp.dc1", SRV, ServiceQuestion("web", "udp", "dc1")),
    ("_web._udp", A, None),
    ("_web", SRV, ServiceQuestion("_web")),
    ("node.service", A, ServiceQuestion("node")),
    ("service.node", A, NodeQuestion("service")),
    ("web.connect", A, ServiceQuestion("web", reach="connect")),
    ("any.web.connect.dc1", A, ServiceQuestion("web", "", "dc1", "connect")),
    ("web.ingress", SRV, ServiceQuestion("web", reach="ingress")),
    ("good.shops.query", A, QueryQuestion("good.shops")),
    ("shops.query.dc1", A, QueryQuestion("shops", "dc1")),
    ("0a0203ff.addr", A, AddressQuestion(bytes((10, 2, 3, 255)))),
    ("0a0203ff.addr.dc1", A, AddressQuestion(bytes((10, 2, 3, 255)))),
    ("20010db8000000000000000000000001.addr", A, AddressQuestion(bytes.fromhex("20010db8" + "0" * 23 + "1"))),
    ("0a0203.addr", A, AddressQuestion(None)),
    ("0a0203zz.addr", A, None),
    ("0a0203fff.addr", A, None),
    ("x.0a0203ff.addr", A, None),
    ("web.virtual", A, None),
    ("web.service.dc1.more", A, None),
    ("service", A, None),
    ("node.dc1", A, None),
    ("whatever", A, None),
    ("*", A, None),
]


@pytest.mark.parametrize(("text", "rtype", "asked"), FORMS, ids=lambda value: str(value)[:40])
def test_each_form(text: str, rtype: int, asked: Question | None) -> None:
    assert parse(tuple(text.encode().split(b".")), rtype) == asked


def test_no_labels_ask_for_nothing() -> None:
    assert parse((), A) is None


hosts = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)


@given(hosts, hosts)
def test_a_nodes_name_leads_back_to_it(node: str, datacenter: str) -> None:
    name = names.node_name(node, datacenter, DOMAIN)
    assert name is not None
    assert parse(name[:-2], A) == NodeQuestion(node, datacenter)


@given(hosts, hosts)
def test_a_services_name_leads_back_to_it(service: str, datacenter: str) -> None:
    name = names.service_name(service, datacenter, DOMAIN)
    assert name is not None
    assert parse(name[:-2], A) == ServiceQuestion(service, "", datacenter)


@given(st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)))
def test_an_addresses_name_leads_back_to_it(packed: bytes) -> None:
    assert parse(names.address_name(packed, "dc1", DOMAIN)[:-2], A) == AddressQuestion(packed)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8))
def test_any_labels_can_be_asked_for(labels: list[bytes]) -> None:
    parse(tuple(labels), A)
    parse(tuple(labels), SRV)
    names.reverse_address(tuple(labels))


@given(st.text(max_size=300))
def test_a_name_from_text_fits_in_a_packet_or_is_none(text: str) -> None:
    name = names.to_name(text)
    if name is not None:
        assert names.wire_length(name) <= names.NAME_BYTES
        assert all(0 < len(label) <= names.LABEL_BYTES for label in name)
    names.node_name(text, "dc1", DOMAIN)


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("7.8.9.10.in-addr.arpa", bytes((10, 9, 8, 7))),
        ("8.9.10.in-addr.arpa", None),
        ("07.8.9.10.in-addr.arpa", None),
        ("300.8.9.10.in-addr.arpa", None),
        ("1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa", bytes.fromhex("20010db8" + "0" * 23 + "1")),
        ("1." + "0." * 22 + "8.b.d.0.1.0.0.2.ip6.arpa", None),
        ("g." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa", None),
        ("arpa", None),
    ],
)
def test_reverse_names(text: str, packed: bytes | None) -> None:
    assert names.reverse_address(tuple(text.encode().split(b"."))) == packed


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("10.0.0.1", b"\n\0\0\1"),
        ("::ffff:10.0.0.1", b"\n\0\0\1"),
        ("::1", bytes(15) + b"\1"),
        ("10.0.0", None),
        ("www.example.com", None),
        ("", None),
        ("fe80::1%eth0", None),
        ("10.0.0.1\0", None),
    ],
)
def test_addresses(text: str, packed: bytes | None) -> None:
    assert names.parse_ip(text) == packed
