"""Network coordinates over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.harness import API

VEC = [0.01, 0, 0, 0, 0, 0, 0, 0]


async def update(api: API, node: str, vec: list[float] | None = None, **more: Any) -> None:
    coord = {"Vec": vec or VEC, "Error": 1.5, "Adjustment": 0, "Height": 0.001}
    answer = await api.put("/v1/coordinate/update", {"Node": node, "Coord": coord, **more})
    assert (answer.status, answer.body) == (200, b""), answer


async def test_update_and_read(api: API) -> None:
    answer = await api.get("/v1/coordinate/node/node1")
    assert (answer.status, answer.body) == (404, b"") and "X-Consul-Index" not in answer.headers
    await update(api, "node1")
    expected = {
        "Node": "node1",
        "Segment": "",
        "Coord": {"Vec": VEC, "Error": 1.5, "Adjustment": 0, "Height": 0.001},
    }
    assert (await api.get("/v1/coordinate/node/NODE1")).json == [expected]
    assert (await api.get("/v1/coordinate/nodes")).json == [expected]
    assert (await api.get("/v1/coordinate/nodes?segment=other")).json == []
    assert (await api.get("/v1/coordinate/node/node1?segment=other")).status == 404


async def test_what_is_written_again_wakes_nobody(api: API) -> None:
    await update(api, "node1")
    index = (await api.get("/v1/coordinate/nodes")).index
    await update(api, "node1")
    assert (await api.get("/v1/coordinate/nodes")).index == index
    await update(api, "node1", [0.02, *VEC[1:]])
    assert (await api.get("/v1/coordinate/nodes")).index > index


async def test_unknown_nodes_are_passed_over(api: API) -> None:
    await update(api, "nobody")
    assert (await api.get("/v1/coordinate/nodes")).json == []


async def test_a_coordinate_goes_with_its_node(api: API) -> None:
    await api.register(Node="far", Address="10.0.0.1")
    await update(api, "far")
    await api.put("/v1/catalog/deregister", {"Node": "far"})
    assert (await api.get("/v1/coordinate/nodes")).json == []


async def test_datacenters(api: API) -> None:
    (row,) = (await api.get("/v1/coordinate/datacenters")).json
    assert (row["Datacenter"], row["AreaID"]) == ("dc1", "wan")
    assert [c["Node"] for c in row["Coordinates"]] == ["node1"] and row["Coordinates"][0]["Coord"]["Vec"] == [0] * 8


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"Node": "node1"}, 500, "invalid coordinate"),
        ({"Node": "node1", "Coord": {"Vec": [1]}}, 500, "incompatible coordinate"),
        ({"Node": "node1", "Coord": {"Vec": [1e308 * 10] * 8}}, 400, "Request decode failed: "),
        ({"Node": "node1", "Coord": {"Vec": "x"}}, 400, "Request decode failed: "),
        ({"Node": "node1", "Datacenter": "dc2", "Coord": {"Vec": VEC}}, 500, "No path to datacenter"),
        (b"", 400, "Request decode failed: "),
    ],
)
async def test_refused(api: API, body: Any, status: int, text: str) -> None:
    answer = await api.put("/v1/coordinate/update", body)
    assert answer.status == status and answer.text.startswith(text), answer
