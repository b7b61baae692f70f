"""What narrows and orders a list of answers."""

from __future__ import annotations

import pytest

from lictor.api.http import Request
from lictor.api.selection import filtered, has_meta, has_tags, node_meta
from lictor.errors import LictorError
from lictor.types.catalog import Node
from tests.api.harness import start


def asked(query: str) -> Request:
    return Request("GET", "/", query, {})


def test_node_meta() -> None:
    wanted = node_meta(asked("node-meta=a:1&node-meta=b:2:3&node-meta=c"))
    assert wanted == {"a": "1", "b": "2:3", "c": ""}
    node = Node(node="n", address="a", meta={"a": "1", "b": "2:3", "c": "", "d": "x"})
    assert has_meta(node, wanted) and not has_meta(node, {"a": "2"}) and not has_meta(Node(node="n"), {"a": "1"})
    assert has_meta(Node(node="n"), {})


def test_tags_whatever_their_case() -> None:
    assert has_tags(["One", "two"], ["ONE"]) and has_tags(["a"], []) and not has_tags(["a"], ["a", "b"])


def test_filter() -> None:
    nodes = [Node(node="a", meta={"k": "v"}), Node(node="b")]
    assert filtered(asked(""), nodes, Node) is nodes
    assert filtered(asked("filter=Meta.k==v"), nodes, Node) == nodes[:1]
    with pytest.raises(LictorError):
        filtered(asked("filter=Nonsense"), nodes, Node)


async def test_near_and_far() -> None:
    api = await start()
    for name, far in (("n1", 0.0), ("n2", 3.0), ("n3", 1.0)):
        await api.register(Node=name, Address="10.0.0.1", Service={"Service": "web"})
        coordinate = {"Node": name, "Coord": {"Vec": [far] + [0.0] * 7, "Error": 1.5, "Adjustment": 0, "Height": 0}}
        assert (await api.put("/v1/coordinate/update", coordinate)).status == 200
    await api.register(Node="n4", Address="10.0.0.1", Service={"Service": "web"})

    async def order(query: str) -> list[str]:
        return [row["Node"] for row in (await api.get(f"/v1/catalog/service/web?{query}")).json]

    for _ in range(100):
        if await order("near=n2") == ["n2", "n3", "n1", "n4"]:
            break
    assert await order("near=n2") == ["n2", "n3", "n1", "n4"]
    assert await order("near=n1") == ["n1", "n3", "n2", "n4"]
    assert await order("near=nobody") == await order("")
