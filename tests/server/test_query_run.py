"""Running prepared queries without HTTP: the cells that an outcome stands on, and its order."""

from __future__ import annotations

from random import Random

import pytest

from lictor.errors import NotFound, Refused
from lictor.server.query_run import Asker, execute, resolve, run
from lictor.types.catalog import Check, Node, Service
from lictor.types.kv import Coord, Coordinate
from lictor.types.query import PreparedQuery, QueryService, QueryTemplate
from tests.state.fill import Filled

ASKER = Asker(node="n1", datacenter="dc1")


@pytest.fixture
def filled() -> Filled:
    filled = Filled()
    for number in range(1, 6):
        name = f"n{number}"
        filled.put(filled.state.catalog.nodes, Node(node=name, address=f"10.0.0.{number}"), name)
        filled.put(filled.state.catalog.services, Service(id="web", service="web"), name, "web")
    filled.put(filled.state.queries, PreparedQuery(id="1", name="web", service=QueryService(service="web")), "1")
    return filled


def names(filled: Filled, asker: Asker = ASKER, random: Random | None = None) -> list[str]:
    return [row.node.node for row in run(filled.state, "web", asker, random).nodes]


def test_without_chance_the_order_is_the_catalogs(filled: Filled) -> None:
    assert names(filled) == ["n1", "n2", "n3", "n4", "n5"]
    assert names(filled, random=Random(1)) != names(filled, random=Random(2))


def test_the_cells_move_with_what_the_outcome_stands_on(filled: Filled) -> None:
    def moves(asker: Asker = ASKER) -> list[bool]:
        outcome = run(filled.state, "web", asker)
        newest = max(cell.index for cell in outcome.cells)
        assert newest <= filled.state.revision
        return [cell.index == filled.state.revision for cell in outcome.cells]

    run(filled.state, "web", ASKER)
    filled.put(filled.state.catalog.checks, Check(node="n1", check_id="c", status="critical"), "n1", "c")
    assert any(moves()) and "n1" not in names(filled)
    filled.put(filled.state.catalog.services, Service(id="db", service="db"), "n5", "db")
    assert not any(moves())
    filled.put(filled.state.queries, PreparedQuery(id="2", name="other", service=QueryService(service="db")), "2")
    assert any(moves())
    near = Asker(node="n1", datacenter="dc1", near="n2")
    run(filled.state, "web", near)
    filled.put(filled.state.coordinates, Coordinate(node="n3", coord=Coord(vec=[0.0] * 8)), "n3")
    assert any(moves(near)) and not any(moves())


def test_near_a_node_of_unknown_place_puts_it_first_all_the_same(filled: Filled) -> None:
    outcome = run(filled.state, "web", Asker(node="n1", datacenter="dc1", near="n4"))
    assert outcome.nodes[0].node.node == "n4" and not outcome.in_order


def test_near_the_client(filled: Filled) -> None:
    for number, x in ((1, 0.3), (3, 0.1), (4, 0.0)):
        place = Coordinate(node=f"n{number}", coord=Coord(vec=[x, *[0.0] * 7]))
        filled.put(filled.state.coordinates, place, f"n{number}")
    asker = Asker(node="n1", datacenter="dc1", near="_ip", address="10.0.0.4")
    outcome = run(filled.state, "web", asker)
    assert [row.node.node for row in outcome.nodes][:3] == ["n4", "n3", "n1"]
    assert (outcome.in_order, outcome.for_client) == (True, "10.0.0.4")
    assert run(filled.state, "web", Asker(node="n1", datacenter="dc1", near="_agent")).for_client == ""


def test_what_cannot_be_found(filled: Filled) -> None:
    with pytest.raises(NotFound, match="Query not found"):
        run(filled.state, "none", ASKER)
    with pytest.raises(Refused, match="Missing prepared query ID"):
        resolve(filled.state, "")


def test_a_template_is_rendered_for_the_name(filled: Filled) -> None:
    query = PreparedQuery(
        id="9",
        name="t-",
        template=QueryTemplate(type="name_prefix_match"),
        service=QueryService(service="${name.suffix}${agent.segment}", tags=None),
    )
    filled.put(filled.state.queries, query, "9")
    assert resolve(filled.state, "T-web").value.service.service == "web"  # type: ignore[union-attr]
    assert resolve(filled.state, "t-web", "-s").value.service.service == "web-s"  # type: ignore[union-attr]
    assert execute(filled.state, resolve(filled.state, "t-web").value, ASKER).nodes  # type: ignore[arg-type]
