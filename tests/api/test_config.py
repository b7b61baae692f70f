"""Configuration entries over HTTP, and the gateways that they bind services to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.harness import API


async def put(api: API, **fields: Any) -> None:
    answer = await api.put("/v1/config", fields)
    assert (answer.status, answer.json) == (200, True), answer


async def test_write_read_list_delete(api: API) -> None:
    await put(api, kind="service-defaults", name="web", Protocol="http", CreateIndex=77)
    row = (await api.get("/v1/config/service-defaults/web")).json
    assert (row["Kind"], row["Name"], row["Protocol"]) == ("service-defaults", "web", "http")
    assert row["CreateIndex"] == row["ModifyIndex"] != 77
    await put(api, Kind="service-defaults", Name="api")
    await put(api, Kind="mesh", TransparentProxy={"MeshDestinationsOnly": True})
    assert [r["Name"] for r in (await api.get("/v1/config/service-defaults")).json] == ["api", "web"]
    assert "Name" not in (await api.get("/v1/config/mesh/mesh")).json
    assert len((await api.get("/v1/config/")).json) == 3
    for _ in range(2):
        answer = await api.delete("/v1/config/service-defaults/web")
        assert (answer.status, answer.json) == (200, {})
    answer = await api.get("/v1/config/service-defaults/web")
    assert (answer.status, answer.text) == (404, 'Config entry not found for "service-defaults" / "web"')
    assert answer.index > row["ModifyIndex"]


async def test_what_is_written_again_changes_nothing(api: API) -> None:
    for _ in range(2):
        await put(api, Kind="service-defaults", Name="web", Protocol="http")
    row = (await api.get("/v1/config/service-defaults/web")).json
    assert row["CreateIndex"] == row["ModifyIndex"]


async def test_check_and_set(api: API) -> None:
    target = "/v1/config/service-defaults/web"
    body = {"Kind": "service-defaults", "Name": "web"}
    assert (await api.put("/v1/config?cas=0", body)).json is True
    index = (await api.get(target)).json["ModifyIndex"]
    assert (await api.put("/v1/config?cas=0", body)).json is False
    assert (await api.put(f"/v1/config?cas={index}", {**body, "Protocol": "grpc"})).json is True
    assert (await api.put(f"/v1/config?cas={index}", {**body, "Protocol": "tcp"})).json is False
    assert (await api.delete(f"{target}?cas={index}")).json is False
    index = (await api.get(target)).json["ModifyIndex"]
    assert (await api.delete(f"{target}?cas={index}")).json is True
    assert (await api.delete(f"{target}?cas={index}")).json is False


async def test_a_watcher_of_one_entry_hears_of_that_one(api: API) -> None:
    await put(api, Kind="mesh")
    index = (await api.get("/v1/config/mesh/mesh")).index
    watcher = asyncio.create_task(api.get(f"/v1/config/mesh/mesh?index={index}&wait=30s"))
    await asyncio.sleep(0)
    await put(api, Kind="service-defaults", Name="web")
    assert not watcher.done()
    await put(api, Kind="mesh", Meta={"a": "b"})
    assert (await watcher).json["Meta"] == {"a": "b"}


def gateway(*listeners: Any) -> dict[str, Any]:
    return {"Kind": "ingress-gateway", "Name": "front", "Listeners": list(listeners)}


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"{", 400, "Bad request: Request decoding failed: "),
        (b"[]", 400, "Bad request: Request decoding failed: "),
        ({"Name": "x"}, 400, "Bad request: Request decoding failed: Payload does not contain a kind/Kind key"),
        ({"Kind": "odd", "Name": "x"}, 400, "Bad request: Request decoding failed: invalid config entry kind: odd"),
        ({"Kind": 1, "Name": "x"}, 400, "Bad request: Request decoding failed: "),
        ({"Kind": "service-defaults"}, 500, "Name is required"),
        ({"Kind": "service-router", "Name": "*"}, 500, "service-router name must be the name of a service"),
        (gateway({"Port": 1, "Nope": 1}), 400, 'Bad request: Request decoding failed: json: unknown field "Nope"'),
        (gateway({"Port": 1, "Services": []}), 500, "No service declared for listener with port 1"),
        (gateway({"Port": 1, "Protocol": "smtp", "Services": [{"Name": "a"}]}), 500, "protocol must be "),
        (gateway({"Port": 1, "Services": [{"Name": "a"}, {"Name": "b"}]}), 500, "Multiple services per listener"),
        (gateway({"Port": 1, "Services": [{"Name": "*"}]}), 500, "Wildcard service name is only valid"),
        (gateway(*[{"Port": 1, "Services": [{"Name": "a"}]}] * 2), 500, "port 1 declared on two listeners"),
        (
            {"Kind": "terminating-gateway", "Name": "exit", "Services": [{"Name": "a", "CertFile": "c"}]},
            500,
            'Service "a" must have a CertFile, CAFile, and KeyFile specified for TLS origination',
        ),
    ],
)
async def test_refused(api: API, body: Any, status: int, text: str) -> None:
    answer = await api.put("/v1/config", body)
    assert answer.status == status and answer.text.startswith(text), answer
    assert (await api.get("/v1/config/")).json == []


async def test_other_refusals(api: API) -> None:
    for method, target, status, text in (
        ("GET", "/v1/config/odd", 500, "invalid config entry kind: odd"),
        ("GET", "/v1/config/odd/x", 500, "invalid config entry kind: odd"),
        ("DELETE", "/v1/config/odd/x", 400, "invalid config entry kind: odd"),
        ("DELETE", "/v1/config/mesh", 404, "Must provide both a kind and name to delete"),
        ("PUT", "/v1/config?cas=x", 500, 'strconv.ParseUint: parsing "x": invalid syntax'),
    ):
        answer = await api.ask(method, target, {"Kind": "mesh"} if method == "PUT" else b"")
        assert (answer.status, answer.text) == (status, text)


async def bound(api: API, name: str) -> Any:
    rows = (await api.get(f"/v1/catalog/gateway-services/{name}")).json
    return rows and [(r["Service"]["Name"], r.get("Port", 0), r.get("FromWildcard", False)) for r in rows]


async def test_ingress_gateways(api: API) -> None:
    await api.register(
        Node="n", Address="10.0.0.1", Service={"Service": "front", "Kind": "ingress-gateway", "Port": 80}
    )
    await api.register(Node="n", Address="10.0.0.1", Service={"Service": "web"})
    assert await bound(api, "front") is None
    await put(
        api,
        **gateway(
            {"Port": 8081, "Services": [{"Name": "web"}]},
            {"Port": 8082, "Protocol": "HTTP", "Services": [{"Name": "api", "Hosts": ["a.example"]}]},
        ),
    )
    assert await bound(api, "front") == [("api", 8082, False), ("web", 8081, False)]
    rows = (await api.get("/v1/health/ingress/WEB")).json
    assert [row["Service"]["ID"] for row in rows] == ["front"]
    assert (await api.get("/v1/health/ingress/other")).json == []
    await put(api, **gateway({"Port": 8082, "Protocol": "http", "Services": [{"Name": "*"}]}))
    assert await bound(api, "front") == [("web", 8082, True)]
    assert len((await api.get("/v1/health/ingress/web")).json) == 1


async def test_terminating_gateways(api: API) -> None:
    node = {"Node": "n", "Address": "10.0.0.1"}
    await api.register(**node, Service={"Service": "exit", "Kind": "terminating-gateway", "Port": 8443})
    await api.register(**node, Service={"Service": "legacy"})
    await api.register(
        **node,
        Service={"Service": "proxy", "Kind": "connect-proxy", "Port": 1, "Proxy": {"DestinationServiceName": "web"}},
    )
    index = (await api.get("/v1/health/connect/legacy")).index
    watcher = asyncio.create_task(api.get(f"/v1/health/connect/legacy?index={index}&wait=30s"))
    await asyncio.sleep(0)
    await put(api, Kind="terminating-gateway", Name="exit", Services=[{"Name": "legacy", "SNI": "l.example"}])
    assert [row["Service"]["ID"] for row in (await watcher).json] == ["exit"]
    assert [row["ServiceID"] for row in (await api.get("/v1/catalog/connect/legacy")).json] == ["exit"]
    assert [row["ServiceID"] for row in (await api.get("/v1/catalog/connect/web")).json] == ["proxy"]
    (row,) = (await api.get("/v1/catalog/gateway-services/exit")).json
    assert (row["SNI"], row["GatewayKind"]) == ("l.example", "terminating-gateway") and "Port" not in row
    await put(api, Kind="terminating-gateway", Name="exit", Services=[{"Name": "*"}, {"Name": "legacy"}])
    await api.register(**node, Service={"Service": "new"})
    assert await bound(api, "exit") == [("legacy", 0, False), ("new", 0, True)]
    assert [row["ServiceID"] for row in (await api.get("/v1/catalog/connect/new")).json] == ["exit"]
