"""Questions answered as the reference was recorded answering them (conformance, dns-*)."""

from __future__ import annotations

import dns.edns
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.dns import DNSConfig, DNSSettings, QueryResult
from lictor.dns.records import Record, address, txt
from lictor.dns.responder import Chase, Forward, Responder
from lictor.errors import Unavailable
from lictor.state.answer import Answer
from lictor.types.catalog import Node, ServiceAddress, Weights
from tests.dns.asking import Said, ask, heard, question, responder, settings
from tests.dns.catalog import Catalog

SOA = "consul. 0 SOA ns.consul. hostmaster.consul. 1700000000 3600 600 86400 0"


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture
def asked(catalog: Catalog) -> Responder:
    return responder(catalog)


def not_there(said: Said) -> bool:
    return (said.rcode, said.answer, said.authority) == ("NXDOMAIN", [], [SOA])


def no_data(said: Said) -> bool:
    return (said.rcode, said.answer, said.authority) == ("NOERROR", [], [SOA])


def test_nodes(catalog: Catalog, asked: Responder) -> None:
    catalog.put_node("alpha", "10.1.0.1", meta={"k=v": "x=y", "rfc1035-note": "just the text"})
    texts = ['"just the text"', '"k`=v=x=y"']
    said = ask(asked, "aLpHa.NODE.dc1.Consul A")
    assert said.answer == ["aLpHa.NODE.dc1.Consul. 0 A 10.1.0.1"]
    assert said.additional == [f"aLpHa.NODE.dc1.Consul. 0 TXT {text}" for text in texts]
    assert (said.flags, said.rcode, said.authority) == ("QR AA RD", "NOERROR", [])
    said = ask(asked, "alpha.node.consul AAAA")
    assert (said.answer, said.authority, len(said.additional)) == ([], [], 2)
    said = ask(asked, "alpha.node.consul ANY")
    assert said.answer == ["alpha.node.consul. 0 A 10.1.0.1"] + [f"alpha.node.consul. 0 TXT {text}" for text in texts]
    assert ask(asked, "alpha.node.consul TXT").answer == [f"alpha.node.consul. 0 TXT {text}" for text in texts]
    assert not_there(ask(asked, "beta.node.consul A"))
    assert ask(asked, "beta.node.consul SRV").rcode == "NOERROR"
    assert not_there(ask(asked, "alpha.node.dc2.consul A"))


def test_nodes_that_are_host_names(catalog: Catalog, asked: Responder) -> None:
    catalog.put_node("alpha", "10.1.0.1", meta={"a": "b"})
    catalog.put_node("outside", "www.example.com")
    catalog.put_node("alias", "alpha.node.consul")
    catalog.put_node("loop", "loop.node.consul")
    assert ask(asked, "outside.node.consul A").answer == ["outside.node.consul. 0 CNAME www.example.com."]
    assert ask(asked, "alias.node.consul A").answer == [
        "alias.node.consul. 0 CNAME alpha.node.consul.",
        "alpha.node.consul. 0 A 10.1.0.1",
        'alpha.node.consul. 0 TXT "a=b"',
    ]
    assert ask(asked, "loop.node.consul A", tcp=True).answer == ["loop.node.consul. 0 CNAME loop.node.consul."]


def test_an_address_a_family(catalog: Catalog, asked: Responder) -> None:
    node = catalog.put_node("dual", "10.1.0.9", tagged_addresses={"lan_ipv4": "10.1.0.10", "lan_ipv6": "2001:db8::9"})
    catalog.put(
        node,
        "both",
        90,
        address="10.2.9.9",
        tagged_addresses={
            "lan_ipv4": ServiceAddress(address="10.2.9.1", port=91),
            "lan_ipv6": ServiceAddress(address="2001:db8::2:9", port=92),
        },
    )
    assert ask(asked, "dual.node.consul A").answer == ["dual.node.consul. 0 A 10.1.0.10"]
    assert ask(asked, "dual.node.consul ANY").answer == ["dual.node.consul. 0 AAAA 2001:db8::9"]
    assert ask(asked, "both.service.consul A").answer == ["both.service.consul. 0 A 10.2.9.1"]
    said = ask(asked, "both.service.consul SRV")
    assert said.answer == ["both.service.consul. 0 SRV 1 1 90 20010db8000000000000000000020009.addr.dc1.consul."]
    assert said.additional == ["20010db8000000000000000000020009.addr.dc1.consul. 0 AAAA 2001:db8::2:9"]


@pytest.fixture
def db(catalog: Catalog) -> Catalog:
    n1 = catalog.put_node("n1", "10.2.0.1", meta={"rack": "one"})
    n2 = catalog.put_node("n2", "10.2.0.2")
    catalog.put(n1, "Db", 5432, tags=["Primary", "v1.2"])
    catalog.put(n2, "Db", 5433, tags=["replica", "tcp"])
    catalog.put(n2, "Db", 5434, tags=["replica"], address="10.2.1.2")
    return catalog


def test_services(db: Catalog, asked: Responder) -> None:
    addresses = [f"db.service.consul. 0 A {ip}" for ip in ("10.2.0.1", "10.2.0.2", "10.2.1.2")]
    for rtype in ("A", "TXT", "ANY"):
        assert ask(asked, f"db.service.consul {rtype}").answer == addresses
    for rtype in ("AAAA", "MX"):
        assert no_data(ask(asked, f"db.service.consul {rtype}"))
    said = ask(asked, "DB.Service.dc1.CONSUL SRV")
    assert said.answer == [
        "DB.Service.dc1.CONSUL. 0 SRV 1 1 5432 n1.node.dc1.consul.",
        "DB.Service.dc1.CONSUL. 0 SRV 1 1 5433 n2.node.dc1.consul.",
        "DB.Service.dc1.CONSUL. 0 SRV 1 1 5434 0a020102.addr.dc1.consul.",
    ]
    assert said.additional == [
        "0a020102.addr.dc1.consul. 0 A 10.2.1.2",
        "n1.node.dc1.consul. 0 A 10.2.0.1",
        'n1.node.dc1.consul. 0 TXT "rack=one"',
        "n2.node.dc1.consul. 0 A 10.2.0.2",
    ]


@pytest.mark.parametrize(
    ("name", "ports"),
    [
        ("v1.2.db.service", [5432]),
        ("REPLICA.db.service", [5433, 5434]),
        ("_db._tcp.service", [5432, 5433, 5434]),
        ("_db._replica.dc1", [5433, 5434]),
        ("_db._tcp", [5432, 5433, 5434]),
        ("nope.db.service", []),
        ("db.service.dc2", []),
        ("db.virtual", []),
    ],
)
def test_tags_and_rfc_2782(db: Catalog, asked: Responder, name: str, ports: list[int]) -> None:
    said = ask(asked, f"{name}.consul SRV")
    assert [int(line.split()[5]) for line in said.answer] == ports
    assert not_there(said) == (not ports)


def test_services_that_are_host_names(catalog: Catalog, asked: Responder) -> None:
    catalog.put(catalog.put_node("ext", "db.example.com"), "far", 3306)
    assert ask(asked, "far.service.consul AAAA").answer == ["far.service.consul. 0 CNAME db.example.com."]
    assert ask(asked, "far.service.consul SRV").answer == ["far.service.consul. 0 SRV 1 1 3306 db.example.com."]
    n2 = catalog.put_node("n2", "10.2.0.2")
    catalog.put(n2, "far", 3307)
    assert ask(asked, "far.service.consul A").answer == ["far.service.consul. 0 A 10.2.0.2"]
    catalog.put(n2, "inner", 81, address="n2.node.consul")
    assert ask(asked, "inner.service.consul A").answer == [
        "inner.service.consul. 0 CNAME n2.node.consul.",
        "n2.node.consul. 0 A 10.2.0.2",
    ]
    catalog.put(n2, "self", 82, address="self.service.consul")
    assert ask(asked, "self.service.consul A").answer == ["self.service.consul. 0 A 10.2.0.2"]


def test_the_same_address_twice(catalog: Catalog, asked: Responder) -> None:
    node = catalog.put_node("n1", "10.2.0.1")
    catalog.put(node, "twice", 70)
    catalog.put(node, "twice", 71)
    assert ask(asked, "twice.service.consul A").answer == ["twice.service.consul. 0 A 10.2.0.1"]
    said = ask(asked, "twice.service.consul SRV")
    assert (len(said.answer), said.additional) == (2, ["n1.node.dc1.consul. 0 A 10.2.0.1"])


def test_health_and_weights(catalog: Catalog, asked: Responder) -> None:
    for number, status in enumerate(("passing", "warning", "critical"), 1):
        node = catalog.put_node(f"w{number}", f"10.3.0.{number}")
        catalog.put(node, "web", 80, status=status, weights=Weights(passing=10 * number, warning=number + 1))
    assert ask(asked, "web.service.consul SRV").answer == [
        "web.service.consul. 0 SRV 1 10 80 w1.node.dc1.consul.",
        "web.service.consul. 0 SRV 1 3 80 w2.node.dc1.consul.",
    ]
    asked.configure(settings(only_passing=True))
    assert ask(asked, "web.service.consul A").answer == ["web.service.consul. 0 A 10.3.0.1"]
    catalog.instances["web", "service"].clear()
    catalog.change("service", "web")
    assert not_there(ask(asked, "web.service.consul A"))


def test_connect_and_ingress(catalog: Catalog, asked: Responder) -> None:
    node = catalog.put_node("q1", "10.4.0.1")
    catalog.put(node, "shop", 21000, reach="connect")
    catalog.put(node, "shop", 8443, reach="ingress", address="10.4.9.3")
    assert ask(asked, "shop.connect.dc1.consul SRV").answer == [
        "shop.connect.dc1.consul. 0 SRV 1 1 21000 q1.node.dc1.consul."
    ]
    assert ask(asked, "shop.ingress.consul SRV").answer == [
        "shop.ingress.consul. 0 SRV 1 1 8443 0a040903.addr.dc1.consul."
    ]
    assert not_there(ask(asked, "shop.service.consul A"))


def test_prepared_queries(db: Catalog, asked: Responder) -> None:
    nodes = db.instances["db", "service"]
    db.queries["good.dbs"] = QueryResult(service="Db", datacenter="dc1", nodes=nodes[:1], ttl="15s")
    db.queries["none"] = QueryResult(service="Db", datacenter="dc1", nodes=[])
    assert ask(asked, "GOOD.dbs.query.dc1.consul SRV").answer == [
        "GOOD.dbs.query.dc1.consul. 15 SRV 1 1 5432 n1.node.dc1.consul."
    ]
    assert no_data(ask(asked, "good.dbs.query.consul AAAA"))
    for name in ("none", "unknown", "good.dbs.query.dc2"):
        assert not_there(ask(asked, f"{name}{'' if 'query' in name else '.query'}.consul A"))


def test_queries_for_one_client_are_not_kept(db: Catalog, asked: Responder) -> None:
    nodes = db.instances["db", "service"]
    db.queries["near"] = QueryResult(service="Db", datacenter="dc1", nodes=nodes, in_order=True, for_client="192.0.2.1")
    message = question("near.query.consul SRV", edns=1232)
    for _ in range(5):
        packet = asked.respond(message.to_wire(), "192.0.2.1", False)
        assert isinstance(packet, bytes)
        assert [row.port for rrset in heard(packet).message.answer for row in rrset] == [5432, 5433, 5434]
    assert (db.clients, len(asked.shelves[False].entries)) == (["192.0.2.1"] * 5, 0)
    message.use_edns(0, options=[dns.edns.ECSOption("198.51.100.0", 24)])
    packet = asked.respond(message.to_wire(), "192.0.2.1", False)
    assert isinstance(packet, bytes)
    assert db.clients[-1] == "198.51.100.0"
    assert heard(packet).message.options[0].scopelen == 24


def test_the_zone_itself(catalog: Catalog, asked: Responder) -> None:
    catalog.put(catalog.put_node("node1", "127.0.0.1"), "consul", 8300)
    catalog.put(catalog.put_node("no_host", "127.0.0.2"), "consul", 8300)
    said = ask(asked, "consul SOA")
    assert (said.answer, said.authority) == ([SOA], ["consul. 0 NS node1.node.dc1.consul."])
    assert said.additional == ["node1.node.dc1.consul. 0 A 127.0.0.1"]
    said = ask(asked, "whatever.Consul NS")
    assert (said.answer, said.authority) == (["consul. 0 NS node1.node.dc1.consul."], [])
    assert not_there(ask(asked, "consul A"))
    assert not_there(ask(asked, "*.node.consul A"))
    said = ask(asked, "consul AXFR", tcp=True)
    assert (said.rcode, said.flags, said.authority) == ("NOTIMP", "QR AA RD", [])


def test_addresses_spelled_as_names(asked: Responder) -> None:
    assert ask(asked, "0A0203FF.addr.dc1.consul A").answer == ["0a0203ff.addr.dc1.consul. 0 A 10.2.3.255"]
    assert ask(asked, "0a0203ff.addr.consul AAAA").answer == ["0a0203ff.addr.consul. 0 A 10.2.3.255"]
    said = ask(asked, "0a0203.addr.consul A")
    assert (said.rcode, said.answer, said.authority) == ("NOERROR", [], [])
    assert not_there(ask(asked, "0a0203zz.addr.consul A"))


def test_reverse(catalog: Catalog, asked: Responder) -> None:
    catalog.put_node("Delta", "10.9.8.7")
    zeta = catalog.put_node("zeta", "10.9.8.6")
    catalog.put(zeta, "Cache", 6379, address="10.77.0.5")
    catalog.put(zeta, "six", 6380, address="2001:db8:77::5")
    for rtype in ("PTR", "A"):
        assert ask(asked, f"7.8.9.10.IN-ADDR.arpa {rtype}").answer == [
            "7.8.9.10.IN-ADDR.arpa. 0 PTR Delta.node.dc1.consul."
        ]
    assert ask(asked, "7.8.9.10.in-addr.arpa SOA").authority == [SOA]
    assert ask(asked, "5.0.77.10.in-addr.arpa PTR").answer == [
        "5.0.77.10.in-addr.arpa. 0 PTR Cache.service.dc1.consul."
    ]
    six = "5." + "0." * 19 + "7.7.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    assert ask(asked, f"{six} PTR").answer == [f"{six}. 0 PTR six.service.dc1.consul."]
    said = ask(asked, "1.1.1.10.in-addr.arpa PTR")
    assert (said.rcode, said.flags, said.authority) == ("SERVFAIL", "QR RD RA", [])
    said = ask(asked, "www.example.com A")
    assert (said.rcode, said.flags) == ("REFUSED", "QR RD")


def test_other_domains_and_ttls() -> None:
    catalog = Catalog("north")
    node = catalog.put_node("c1", "10.5.0.1")
    catalog.put(node, "web")
    asked = responder(
        catalog,
        DNSSettings(
            datacenter="north",
            domain="minne.lan.",
            alt_domain="old.example",
            recursors=("127.0.0.1:1",),
            dns_config=DNSConfig(node_ttl=90.0, service_ttl={"*": 10.0, "web": 20.0}),
        ),
    )
    assert ask(asked, "web.service.minne.lan A").answer == ["web.service.minne.lan. 20 A 10.5.0.1"]
    said = ask(asked, "WEB.service.north.OLD.example SRV")
    assert said.answer == ["WEB.service.north.OLD.example. 20 SRV 1 1 80 c1.node.north.minne.lan."]
    assert said.flags == "QR AA RD RA"
    assert ask(asked, "c1.node.old.example A").answer == ["c1.node.old.example. 90 A 10.5.0.1"]
    assert ask(asked, "0a050001.addr.north.old.example A").answer == ["0a050001.addr.north.minne.lan. 90 A 10.5.0.1"]
    assert ask(asked, "2.0.5.10.old.example A").authority[0].startswith("minne.lan. 0 SOA ns.minne.lan.")
    message = question("web.service.consul A").to_wire()
    forward = asked.respond(message, "192.0.2.1", False)
    assert isinstance(forward, Forward)
    assert forward.message == message
    assert (heard(forward.failed).rcode, heard(forward.failed).flags) == ("SERVFAIL", "QR RD RA")


def test_names_elsewhere_are_looked_up_first(catalog: Catalog) -> None:
    asked = responder(catalog, DNSSettings(recursors=("127.0.0.1:1",), dns_config=DNSConfig(service_ttl={"far": 7.0})))
    catalog.put(catalog.put_node("ext", "DB.example.com"), "far", 3306)
    message = question("far.service.consul A").to_wire()
    host = (b"db", b"example", b"com")
    assert asked.respond(message, "192.0.2.1", False) == Chase((host,), 1)
    assert asked.respond(question("far.service.consul AAAA").to_wire(), "192.0.2.1", False) == Chase((host,), 28)
    records = [record for number in range(9) for record in _address(host, number)]
    packet = asked.respond(message, "192.0.2.1", True, {host: records})
    assert isinstance(packet, bytes)
    assert heard(packet).answer == [f"db.example.com. 7 A 10.0.0.{number}" for number in range(5)] + [
        "far.service.consul. 7 CNAME DB.example.com."
    ]
    assert not asked.shelves[True].entries


def _address(owner: tuple[bytes, ...], number: int) -> list[Record]:
    return [address(owner, 300, bytes((10, 0, 0, number))), txt(owner, 300, "not wanted")]


def test_limits(catalog: Catalog) -> None:
    for number in range(1, 10):
        node = catalog.put_node(f"n{number}", f"10.7.0.{number}")
        catalog.put(node, "wide", 8000 + number)
    asked = responder(catalog, settings(a_record_limit=4))
    assert [
        len(ask(asked, "wide.service.consul A", tcp=tcp, edns=edns).answer)
        for tcp, edns in ((False, 0), (True, 0), (False, 4096))
    ] == [3, 4, 4]
    assert len(ask(asked, "wide.service.consul SRV", tcp=True).answer) == 9
    asked.configure(settings(udp_answer_limit=0))
    assert len(ask(asked, "wide.service.consul A").answer) == 1


def test_a_source_that_cannot_answer() -> None:
    class Down(Catalog):
        def node(self, name: str, datacenter: str) -> Answer[Node | None] | None:
            raise Unavailable("no server is known") if name == "known" else RuntimeError("a fault")

    asked = responder(Down())
    for name in ("known", "unforeseen"):
        said = ask(asked, f"{name}.node.consul A")
        assert (said.rcode, said.flags) == ("SERVFAIL", "QR AA RD")
    assert asked.faults == 2


@given(st.binary(max_size=100), st.booleans())
def test_any_question_gets_an_answer(name: bytes, tcp: bool) -> None:
    asked = responder(Catalog())
    message = b"\0\1\1\0\0\1" + bytes(6) + name + b"\4node\6consul\0\0\xff\0\1"
    packet = asked.respond(message, "192.0.2.1", tcp)
    assert packet is None or isinstance(packet, bytes)
    assert not asked.faults


@given(st.text(max_size=260), st.text(max_size=260), st.text(max_size=80), st.text(max_size=40))
def test_any_names_in_the_catalog_give_an_answer(node: str, address: str, service_address: str, key: str) -> None:
    catalog = Catalog()
    row = catalog.put_node(node, address, meta={key: address})
    catalog.put(row, "web", address=service_address)
    catalog.put(row, "consul")
    asked = responder(catalog)
    for text in ("web.service.consul SRV", "web.service.consul A", "web.service.consul ANY", "consul NS", "consul SOA"):
        ask(asked, text, edns=1232)
    assert not asked.faults


@given(
    st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=240), st.integers(1, 40), st.integers(0, 1500)
)
def test_any_number_of_instances_on_any_nodes_gives_one_at_least(node: str, count: int, payload: int) -> None:
    catalog = Catalog()
    for number in range(count):
        catalog.put(catalog.put_node(f"{number}{node}", f"10.0.0.{number}"), "web", number)
    asked = responder(catalog, settings(udp_answer_limit=8))
    for rtype in ("A", "SRV"):
        said = ask(asked, f"web.service.consul {rtype}", edns=payload)
        assert 1 <= len(said.answer) <= count
        assert said.size <= max(512, payload)
