"""User events over HTTP."""

from __future__ import annotations

import asyncio

import pytest

from lictor import limits
from lictor.types.catalog import Service
from tests.api.harness import API


async def names(api: API, query: str = "") -> list[str]:
    return [event["Name"] for event in (await api.get(f"/v1/event/list{query}")).json]


async def test_none_yet(api: API) -> None:
    answer = await api.get("/v1/event/list")
    assert (answer.json, answer.index) == ([], 1) and "X-Consul-Knownleader" not in answer.headers


async def test_fire_and_list(api: API) -> None:
    fired = (await api.put("/v1/event/fire/deploy", b"v1")).json
    assert fired["Payload"] == "djE=" and fired["Version"] == 1 and fired["NodeFilter"] == ""
    assert (await api.get("/v1/event/list")).json == [fired]
    quiet = (await api.put("/v1/event/fire/restart")).json
    assert quiet["Payload"] is None and quiet["LTime"] > fired["LTime"]
    assert await names(api) == ["deploy", "restart"]
    assert await names(api, "?name=restart") == ["restart"]
    number = int(quiet["ID"].replace("-", ""), 16)
    assert (await api.get("/v1/event/list")).index == (number >> 64) ^ (number & 0xFFFFFFFFFFFFFFFF)


async def test_filters(api: API) -> None:
    api.services["web-1"] = Service(id="web-1", service="web", tags=["blue", "v2"])
    for name, query in (
        ("here", "node=^node"),
        ("elsewhere", "node=^other$"),
        ("any-web", "service=web"),
        ("blue-web", "service=^web-&tag=^blue$"),
        ("red-web", "service=web&tag=red"),
        ("db", "service=^db$"),
    ):
        assert (await api.put(f"/v1/event/fire/{name}?{query}")).status == 200
    assert await names(api) == ["here", "any-web", "blue-web"]


async def test_a_watcher_of_a_name_hears_of_that_name_only(api: API) -> None:
    index = (await api.get("/v1/event/list?name=mine")).index
    watcher = asyncio.create_task(api.get(f"/v1/event/list?name=mine&index={index}&wait=30s"))
    await asyncio.sleep(0)
    await api.put("/v1/event/fire/other")
    for _ in range(5):
        await asyncio.sleep(0)
    assert not watcher.done()
    await api.put("/v1/event/fire/mine")
    first = await watcher
    assert [event["Name"] for event in first.json] == ["mine"]
    # The index does not only grow: any other than the last is news.
    for other in (first.index - 1, first.index + 1):
        assert (await api.get(f"/v1/event/list?name=mine&index={other}&wait=30s")).json == first.json


async def test_only_the_newest_are_kept(api: API) -> None:
    for number in range(limits.EVENTS_KEPT + 3):
        await api.put(f"/v1/event/fire/e{number}")
    kept = await names(api)
    assert len(kept) == limits.EVENTS_KEPT and kept[0] == "e3"


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("", 400, "Missing name"),
        ("x?tag=blue", 500, "Cannot provide tag filter without service filter"),
        ("x?node=(", 500, "Invalid node filter: error parsing regexp: missing ): ("),
        ("x?service=a&tag=[", 500, "Invalid tag filter: error parsing regexp: missing ]: ["),
        ("x?dc=dc2", 500, "No path to datacenter"),
    ],
)
async def test_refused(api: API, path: str, status: int, text: str) -> None:
    answer = await api.put(f"/v1/event/fire/{path}")
    assert (answer.status, answer.text) == (status, text)
    assert await names(api) == []


async def test_a_payload_has_a_limit(api: API) -> None:
    assert (await api.put("/v1/event/fire/fits", b"x" * 350)).status == 200
    answer = await api.put("/v1/event/fire/large", b"x" * 512)
    assert answer.status == 500
    assert answer.text.startswith("user event exceeds configured limit of 512 bytes before encoding")
    assert await names(api) == ["fits"]


async def test_remote_execution_is_never_remembered(api: API) -> None:
    assert (await api.put("/v1/event/fire/_rexec", b"id")).status == 200
    assert await names(api) == []
