"""The overviews behind the web UI."""

from __future__ import annotations

import pytest

from tests.api.harness import API


@pytest.fixture(autouse=True)
async def far(api: API) -> None:
    far = {"Node": "far", "Address": "10.9.0.1", "NodeMeta": {"zone": "a"}}
    await api.register(
        **far,
        Service={"ID": "api-1", "Service": "api", "Tags": ["v2", "http"], "Meta": {"external-source": "nomad"}},
        Checks=[
            {"CheckID": "node-ok", "Name": "Node", "Status": "passing"},
            {"CheckID": "api-ok", "Name": "API", "Status": "warning", "ServiceID": "api-1"},
        ],
    )
    await api.register(**far, Service={"ID": "api-2", "Service": "api", "Tags": ["http"]})
    await api.register(
        **far,
        Service={
            **{"ID": "p", "Service": "api-proxy", "Kind": "connect-proxy", "Port": 1},
            "Proxy": {"DestinationServiceName": "api", "Mode": "transparent"},
        },
        Check={"CheckID": "p-ok", "Name": "P", "Status": "critical", "ServiceID": "p"},
    )


async def test_nodes(api: API) -> None:
    rows = (await api.get("/v1/internal/ui/nodes")).json
    assert [(row["Node"], len(row["Services"]), len(row["Checks"])) for row in rows] == [("far", 3, 3), ("node1", 1, 1)]
    rows = (await api.get("/v1/internal/ui/nodes?filter=Meta.zone==a")).json
    assert [row["Node"] for row in rows] == ["far"]


async def test_one_node(api: API) -> None:
    row = (await api.get("/v1/internal/ui/node/FAR")).json
    assert [check["CheckID"] for check in row["Checks"]] == ["api-ok", "node-ok", "p-ok"]
    assert row["Checks"][1]["ServiceTags"] is None and row["Services"][2]["Tags"] is None
    answer = await api.get("/v1/internal/ui/node/none")
    assert (answer.status, answer.body) == (404, b"")
    assert (await api.get("/v1/internal/ui/node/")).text == "Missing node name"


async def test_services(api: API) -> None:
    rows = {row["Name"]: row for row in (await api.get("/v1/internal/ui/services")).json}
    assert list(rows) == ["api", "api-proxy", "consul"]
    found = rows["api"]
    assert (found["InstanceCount"], found["Nodes"], found["Tags"]) == (2, ["far"], ["http", "v2"])
    # The node's check counts once, the proxy's too.
    assert (found["ChecksPassing"], found["ChecksWarning"], found["ChecksCritical"]) == (1, 1, 1)
    assert (found["ExternalSources"], found["ConnectedWithProxy"], found["TransparentProxy"]) == (["nomad"], True, True)
    assert "Kind" not in found and rows["api-proxy"]["Kind"] == "connect-proxy"
    assert rows["consul"]["Tags"] is None and rows["consul"]["GatewayConfig"] == {}


async def test_services_behind_a_gateway(api: API) -> None:
    await api.register(Node="far", Address="10.9.0.1", Service={"Service": "front", "Kind": "ingress-gateway"})
    entry = {
        "Kind": "ingress-gateway",
        "Name": "front",
        "Listeners": [
            {"Port": 8081, "Services": [{"Name": "api"}]},
            {"Port": 8082, "Protocol": "http", "Services": [{"Name": "none", "Hosts": ["n.example."]}]},
        ],
    }
    assert (await api.put("/v1/config", entry)).json is True
    rows = {row["Name"]: row for row in (await api.get("/v1/internal/ui/services")).json}
    assert rows["api"]["ConnectedWithGateway"] and rows["front"]["GatewayConfig"] == {"AssociatedServiceCount": 2}
    behind = (await api.get("/v1/internal/ui/gateway-services-nodes/front")).json
    assert [(row["Name"], row["InstanceCount"], row["GatewayConfig"]["Addresses"]) for row in behind] == [
        ("api", 2, ["api.ingress.dc1.consul:8081"]),
        ("none", 0, ["n.example:8082"]),
    ]
    assert (await api.get("/v1/internal/ui/gateway-services-nodes/none")).json == []
    assert (await api.get("/v1/internal/ui/gateway-services-nodes/")).text == "Missing gateway name"
