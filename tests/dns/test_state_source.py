from __future__ import annotations

import msgspec
import pytest

from lictor.dns.names import CONNECT, INGRESS, SERVICE, parse_ip
from lictor.dns.source import QueryResult
from lictor.dns.state_source import StateSource
from lictor.state import Answer, State, stamp, unmoved
from lictor.state.tables import Table, pack
from lictor.store import Event
from lictor.types.catalog import CONNECT_PROXY, INGRESS_GATEWAY, Node, Proxy, Record, Service
from lictor.types.query import ConfigEntry


class Writer:
    """Puts rows into a state as a store's events do."""

    def __init__(self) -> None:
        self.state = State()

    def put(self, table: Table[Record], record: Record | None, *parts: str) -> None:
        revision = self.state.revision + 1
        value = pack(record) if record is not None else None
        self.state.apply(revision, [Event(table.store_key(table.name(*parts)), value, revision, revision)])

    def node(self, name: str, address: str) -> None:
        self.put(self.state.catalog.nodes, Node(node=name, address=address), name)  # type: ignore[arg-type]

    def service(self, node: str, service: Service) -> None:
        self.put(self.state.catalog.services, service, node, service.id)  # type: ignore[arg-type]


@pytest.fixture
def writer() -> Writer:
    writer = Writer()
    writer.node("n1", "10.0.0.1")
    writer.node("n2", "2001:DB8::2")
    writer.service("n1", Service(id="web1", service="Web", address="10.1.0.1"))
    return writer


@pytest.fixture
def source(writer: Writer) -> StateSource:
    def execute(name: str, client: str) -> Answer[QueryResult | None]:
        return Answer(QueryResult(service=name, datacenter="dc1", nodes=[], for_client=client), ())

    return StateSource(writer.state, "DC1", execute)


def services(source: StateSource, name: str, reach: str = SERVICE) -> list[str]:
    answer = source.service(name, "", reach)
    assert answer is not None
    return [entry.service.id for entry in answer.value]


def test_only_its_own_datacenter_is_known(source: StateSource) -> None:
    for datacenter in ("", "dc1"):
        assert source.node("N1", datacenter) is not None
        assert source.service("web", datacenter, SERVICE) is not None
        assert source.query("q", datacenter, "") is not None
    assert source.node("n1", "dc2") is None
    assert source.service("web", "dc2", SERVICE) is None
    assert source.query("q", "dc2", "") is None


def test_queries_are_executed_for_the_client(source: StateSource) -> None:
    answer = source.query("q", "", "192.0.2.1")
    assert answer is not None and answer.value is not None
    assert (answer.value.service, answer.value.for_client) == ("q", "192.0.2.1")


def test_services_by_how_they_are_reached(writer: Writer, source: StateSource) -> None:
    proxy = Service(id="p1", service="web-proxy", kind=CONNECT_PROXY, proxy=Proxy(destination_service_name="web"))
    writer.service("n1", proxy)
    assert (services(source, "web"), services(source, "web", CONNECT)) == (["web1"], ["p1"])


def test_ingress_gateways_follow_their_configuration(writer: Writer, source: StateSource) -> None:
    for name, kind in (("edge", INGRESS_GATEWAY), ("all", INGRESS_GATEWAY), ("plain", "")):
        writer.service("n1", Service(id=f"{name}1", service=name, kind=kind))
    before = source.service("web", "", INGRESS)
    assert before is not None and before.value == []
    stamped = stamp(before)
    entries = writer.state.config_entries
    for gateway, listed in (("edge", "WEB"), ("plain", "web"), ("all", "*")):
        body = msgspec.json.encode({"Listeners": [{"Port": 1, "Services": [{"Name": "db"}, {"Name": listed}]}, {}]})
        entry = ConfigEntry(kind=INGRESS_GATEWAY, name=gateway, body=body)
        writer.put(entries, entry, INGRESS_GATEWAY, gateway)  # type: ignore[arg-type]
    assert not unmoved(stamped)
    assert sorted(services(source, "web", INGRESS)) == ["all1", "edge1"]
    assert services(source, "other", INGRESS) == ["all1"]


def test_addresses_follow_the_catalog(writer: Writer, source: StateSource) -> None:
    def at(text: str) -> tuple[str | None, str | None]:
        packed = parse_ip(text)
        assert packed is not None
        return source.node_at(packed).value, source.service_at(packed).value

    assert [at(text) for text in ("10.0.0.1", "2001:db8::2", "10.1.0.1", "10.9.9.9")] == [
        ("n1", None),
        ("n2", None),
        (None, "Web"),
        (None, None),
    ]
    answer = source.node_at(b"\x0a\x09\x09\x09")
    stamped = stamp(answer)
    writer.node("n9", "10.9.9.9")
    assert not unmoved(stamped)
    writer.service("n1", Service(id="web1", service="Web", address="10.1.0.7"))
    assert [at(text) for text in ("10.9.9.9", "10.1.0.1", "10.1.0.7")] == [("n9", None), (None, None), (None, "Web")]
