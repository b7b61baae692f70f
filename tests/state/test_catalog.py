"""The catalog's tables: their indexes, and which cells a change moves and which it leaves alone."""

from __future__ import annotations

import pytest

from lictor.types.catalog import CONNECT_PROXY, CRITICAL, PASSING, Check, Connect, Node, Proxy, Service
from tests.state.fill import Filled

CELLS = [
    *(("nodes",), ("services",), ("catalog",), ("node", "n1"), ("node", "n2"), ("node-checks", "n1")),
    *(("node-checks", "n2"), ("service", "web"), ("service", "db"), ("health", "web"), ("health", "db")),
    *(("connect", "web"), ("connect", "db"), ("checks", "web"), ("checks", "db")),
    *(("status", "passing"), ("status", "critical"), ("status", "any")),
]


def web(**fields: object) -> Service:
    return Service(**{"id": "web1", "service": "web", "tags": ["v1"], **fields})  # type: ignore[arg-type]


def check(status: str = PASSING, service: str = "", node: str = "n1", name: str = "c") -> Check:
    return Check(node=node, check_id=name, status=status, service_id=service and f"{service}1", service_name=service)


@pytest.fixture
def filled() -> Filled:
    """Two nodes; web on the first, db on the second, each with a passing check."""
    filled = Filled()
    catalog = filled.state.catalog
    filled.watch(*CELLS)
    for node, service in (("n1", web()), ("n2", Service(id="db1", service="db"))):
        filled.put(catalog.nodes, Node(node=node, id=f"0000000{node[1]}-0000-0000-0000-000000000000"), node)
        filled.put(catalog.services, service, node, service.id)
        filled.put(catalog.checks, check(service=service.service, node=node), node, "c")
    filled.apply([])  # a revision in which nothing moves
    return filled


def moved(filled: Filled) -> set[object]:
    return set(filled.moved(*CELLS))


def test_nothing_moves_by_itself(filled: Filled) -> None:
    assert moved(filled) == set()


def test_a_node_moves_what_is_on_it(filled: Filled) -> None:
    filled.put(filled.state.catalog.nodes, Node(node="n1", address="10.0.0.1"), "n1")
    assert moved(filled) == {("nodes",), ("catalog",), ("node", "n1"), ("service", "web"), ("health", "web")}


def test_an_instance_moves_its_service(filled: Filled) -> None:
    filled.put(filled.state.catalog.services, web(port=80), "n1", "web1")
    assert moved(filled) == {("catalog",), ("node", "n1"), ("service", "web"), ("health", "web")}


def test_tags_move_the_list_of_services(filled: Filled) -> None:
    services = filled.state.catalog.services
    filled.put(services, web(tags=["v2"]), "n1", "web1")
    assert ("services",) in moved(filled)
    filled.put(services, web(id="web2", tags=["v2"]), "n1", "web2")
    assert ("services",) not in moved(filled)
    assert filled.state.catalog.service_names().value == {"db": [], "web": ["v2"]}


def test_another_name_moves_both_services(filled: Filled) -> None:
    filled.put(filled.state.catalog.services, web(service="db"), "n1", "web1")
    assert moved(filled) >= {("service", "web"), ("service", "db"), ("services",)}
    assert [s.id for _, s in filled.state.catalog.instances("DB").value] == ["web1", "db1"]
    assert filled.state.catalog.instances("web").value == []


@pytest.mark.parametrize(
    "service",
    [
        web(id="p", service="proxy", kind=CONNECT_PROXY, proxy=Proxy(destination_service_name="web")),
        web(id="p", service="web", connect=Connect(native=True)),
    ],
)
def test_what_reaches_a_service_through_the_mesh(filled: Filled, service: Service) -> None:
    catalog = filled.state.catalog
    filled.put(catalog.services, service, "n1", "p")
    assert ("connect", "web") in moved(filled) and ("connect", "db") not in moved(filled)
    assert [s.id for _, s in catalog.connect_instances("web").value] == ["p"]
    filled.put(catalog.checks, check(name="node-wide"), "n1", "node-wide")
    assert ("connect", "web") in moved(filled)
    filled.drop(catalog.services, "n1", "p")
    assert ("connect", "web") in moved(filled) and catalog.connect_health("web").value == []


def test_a_services_check_moves_that_service(filled: Filled) -> None:
    filled.put(filled.state.catalog.checks, check(CRITICAL, service="web"), "n1", "c")
    assert moved(filled) == {
        *(("node-checks", "n1"), ("checks", "web"), ("health", "web")),
        *(("status", "passing"), ("status", "critical"), ("status", "any")),
    }


def test_a_nodes_check_moves_every_service_on_it(filled: Filled) -> None:
    filled.put(filled.state.catalog.checks, check(name="all"), "n1", "all")
    assert moved(filled) == {("node-checks", "n1"), ("health", "web"), ("status", "passing"), ("status", "any")}
    (entry,) = filled.state.catalog.health("web").value
    assert [c.check_id for c in entry.checks] == ["all", "c"]


def test_checks_by_service_and_status(filled: Filled) -> None:
    catalog = filled.state.catalog
    filled.put(catalog.checks, check(CRITICAL, service="web"), "n1", "c")
    assert [c.node for c in catalog.checks_in("critical").value] == ["n1"]
    assert [c.node for c in catalog.checks_in("passing").value] == ["n2"]
    assert [c.node for c in catalog.checks_in("any").value] == ["n1", "n2"]
    assert [c.status for c in catalog.service_checks("WEB").value] == ["critical"]
    filled.drop(catalog.checks, "n1", "c")
    assert catalog.service_checks("web").value == [] and catalog.checks_in("critical").value == []


def test_nodes_by_id(filled: Filled) -> None:
    nodes = filled.state.catalog.nodes
    old, new = "00000001-0000-0000-0000-000000000000", "AAAAAAAA-0000-0000-0000-000000000000"
    assert nodes.by_id[old] == "n1"
    filled.put(nodes, Node(node="n1", id=new), "n1")
    assert old not in nodes.by_id and nodes.by_id[new.lower()] == "n1"
    filled.drop(nodes, "n1")
    assert new.lower() not in nodes.by_id


def test_names_are_found_whatever_their_case(filled: Filled) -> None:
    catalog = filled.state.catalog
    assert catalog.node("N1").value is not None
    assert len(catalog.instances("WEB").value) == len(catalog.health("Web").value) == 1
    assert len(catalog.node_services("N1").value) == len(catalog.node_checks("N1").value) == 1


def test_an_instance_whose_node_is_gone_is_not_shown(filled: Filled) -> None:
    filled.drop(filled.state.catalog.nodes, "n1")
    assert filled.state.catalog.instances("web").value == []
    assert filled.state.catalog.health("web").value == []


def test_one_nodes_rows_are_not_anothers(filled: Filled) -> None:
    catalog = filled.state.catalog
    filled.put(catalog.nodes, Node(node="n11"), "n11")
    filled.put(catalog.services, web(id="other"), "n11", "other")
    assert [s.id for s in catalog.node_services("n1").value] == ["web1"]
