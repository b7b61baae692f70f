"""Tables: keys in the store, indexes of a record, many-to-many indexes; and the state that holds them all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lictor.state import State
from lictor.state.distance import distance, nearest
from lictor.state.tables import Index, pack
from lictor.store import Entry, Event
from lictor.types.catalog import Node
from lictor.types.kv import Coord, Coordinate, KVEntry
from lictor.types.query import PreparedQuery, QueryTemplate
from tests.state.fill import Filled


def test_a_rows_key() -> None:
    state = State()
    assert state.catalog.checks.store_key(state.catalog.checks.name("Node", "Check")) == b"check/node\0check"
    assert state.keys.kv.store_key(state.keys.kv.name("Key")) == b"kv/Key"


def test_a_rows_indexes_are_the_stores() -> None:
    table = State().catalog.nodes
    node = Node(node="n", create_index=3, modify_index=4)
    found = table.decode(pack(node), 8, 9)
    assert (found.create_index, found.modify_index) == (8, 9)


def test_loading_is_applying() -> None:
    entries = [Entry(b"kv/a", pack(KVEntry(key="a")), 2, 3), Entry(b"future/x", b"?", 4, 4)]
    state = State()
    state.load(7, entries)
    assert state.revision == 7 and state.keys.kv.rows["a"].modify_index == 3


def test_removing_what_is_not_there_is_nothing() -> None:
    state = State()
    cell = state.cells.get(("nodes",))
    state.apply(5, [Event(b"node/none", None, 0, 5)])
    assert cell.index == 1 and state.revision == 5


names = st.sampled_from("abcd")


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sets(names))))
def test_an_index_is_what_its_rows_say(changes: list[tuple[str, set[str]]]) -> None:
    index, rows = Index(), dict[str, set[str]]()
    for row, new in changes:
        index.swap(row, rows.get(row, set()), new)
        rows[row] = new
        for name in "abcd":
            assert index.rows(name) == sorted(row for row, filed in rows.items() if name in filed)
            assert (name in index) == bool(index.rows(name))


def test_queries_by_name_and_template() -> None:
    filled = Filled()
    queries = filled.state.queries
    template = QueryTemplate(type="name_prefix_match")
    filled.put(queries, PreparedQuery(id="1", name="Geo-DB"), "1")
    filled.put(queries, PreparedQuery(id="2", name="geo-", template=template), "2")
    filled.put(queries, PreparedQuery(id="3", template=template), "3")
    filled.put(queries, PreparedQuery(id="4", session="s"), "4")

    def found(name: str) -> str:
        row = queries.named(name) or queries.template_for(name)
        return row.id if row is not None else ""

    assert [found(name) for name in ("geo-db", "GEO-x", "geo-", "other", "")] == ["1", "2", "2", "3", "3"]
    assert queries.by_session.rows("s") == ["4"]
    filled.put(queries, PreparedQuery(id="2", name="geo-"), "2")  # no template any more
    assert [found(name) for name in ("geo-x", "geo-")] == ["3", "2"]
    filled.drop(queries, "2")
    filled.drop(queries, "3")
    assert [found(name) for name in ("geo-x", "geo-", "geo-db")] == ["", "", "1"]


def test_distance() -> None:
    here = Coord(vec=[0.0] * 8, error=1.0, height=0.001)
    there = Coord(vec=[0.03, 0.04, *[0.0] * 6], error=1.0, height=0.002, adjustment=0.01)
    assert abs(distance(here, there) - 0.063) < 1e-9
    assert distance(here, Coord(vec=[0.0] * 3)) == float("inf")
    # An adjustment that would make it negative does not count.
    near = Coord(vec=[0.0] * 8, height=0.001, adjustment=-1.0)
    assert abs(distance(here, near) - 0.002) < 1e-9


def test_nearest() -> None:
    filled = Filled()
    for node, x in (("a", 0.0), ("b", 0.3), ("c", 0.1)):
        filled.put(filled.state.coordinates, Coordinate(node=node, coord=Coord(vec=[x, *[0.0] * 7])), node)
    rows, cells, sorted_by = nearest(filled.state, "A", ["unknown", "b", "c", "a"], str)
    assert (rows, sorted_by) == (["a", "c", "b", "unknown"], True)
    filled.drop(filled.state.coordinates, "c")
    assert cells[0].index == filled.state.revision
    assert nearest(filled.state, "nobody", ["b", "a"], str)[::2] == (["b", "a"], False)
