"""What the reference answered (conformance, agent-health), asked of the functions themselves."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lictor.agent.local import LocalState
from lictor.agent.local.health import agent_service, health_of_id, health_of_name
from lictor.types.gojson import encode
from tests.agent.local.helpers import check, service


def json(value: object) -> Any:
    return msgspec.json.decode(encode(value))


@pytest.fixture
def web(state: LocalState) -> LocalState:
    for number, status in ((1, "passing"), (2, "warning")):
        ttl = {"CheckID": f"c{number}", "Name": f"c{number}", "TTL": "60s", "Status": status}
        state.register_service(service(ID=f"web{number}", Name="web", Port=80, Tags=["v1"][: 2 - number], Check=ttl))
    state.register_service(service(Name="lonely"))
    return state


def test_by_id(web: LocalState) -> None:
    status, text, value = health_of_id(web, "web1")
    assert (status, text) == (200, "passing")
    body = json(value)
    assert body["AggregatedStatus"] == "passing"
    assert body["Service"] == {
        "ID": "web1",
        "Service": "web",
        "Tags": ["v1"],
        "Meta": {},
        "Port": 80,
        "Address": "",
        "Datacenter": "dc1",
        "Weights": {"Passing": 1, "Warning": 1},
        "EnableTagOverride": False,
        "ContentHash": body["Service"]["ContentHash"],
    }
    assert body["Checks"] == [
        {
            "CheckID": "c1",
            "CreateIndex": 0,
            "ModifyIndex": 0,
            "Name": "c1",
            "Node": "node1",
            "Notes": "",
            "Output": "",
            "ServiceID": "web1",
            "ServiceName": "web",
            "ServiceTags": ["v1"],
            "Status": "passing",
            "Type": "",
            "Definition": {
                "Body": "",
                "DeregisterCriticalServiceAfter": "0s",
                "GRPC": "",
                "GRPCUseTLS": False,
                "HTTP": "",
                "Header": None,
                "Interval": "0s",
                "Method": "",
                "TCP": "",
                "TLSServerName": "",
                "TLSSkipVerify": False,
                "Timeout": "0s",
            },
        }
    ]


def test_by_name_the_worst_decides(web: LocalState) -> None:
    status, text, value = health_of_name(web, "web")
    assert (status, text) == (429, "warning")
    assert [entry["Checks"][0]["ServiceTags"] for entry in json(value)] == [["v1"], None]
    web.update_ttl("c1", "critical", "gone")
    assert health_of_name(web, "web")[:2] == (503, "critical")
    assert health_of_id(web, "web1")[:2] == (503, "critical")
    assert health_of_name(web, "lonely")[:2] == (200, "passing")


def test_what_is_not_there(web: LocalState) -> None:
    status, text, value = health_of_id(web, "nope")
    assert (status, text) == (404, "ServiceId nope not found")
    assert json(value) == {"AggregatedStatus": "critical", "Checks": None, "Service": None}
    assert health_of_name(web, "nope") == (404, "ServiceName nope Not Found", [])


def test_a_node_check_counts_for_every_service(web: LocalState) -> None:
    web.register_check(check(ID="disk", Name="disk", TTL="60s", Status="warning"))
    status, text, value = health_of_id(web, "lonely")
    assert (status, text) == (429, "warning")
    assert json(value)["Checks"][0]["ServiceTags"] is None


def test_maintenance_is_worse_than_critical(web: LocalState) -> None:
    web.update_ttl("c1", "critical", "gone")
    web.set_service_maintenance("web1", True)
    assert health_of_id(web, "web1")[:2] == (503, "maintenance")
    web.set_service_maintenance("web1", False)
    web.set_node_maintenance(True)
    assert health_of_id(web, "lonely")[:2] == (503, "maintenance")


CHANGES: list[dict[str, Any]] = [
    {"Name": "x"},
    {"Tags": ["a"]},
    {"Tags": ["a", "b"]},
    {"Address": "10.0.0.1"},
    {"Port": 1},
    {"Meta": {"a": "b"}},
    {"EnableTagOverride": True},
    {"Weights": {"Passing": 2, "Warning": 1}},
    {"SocketPath": "/s"},
    {"TaggedAddresses": {"wan": {"Address": "h", "Port": 1}}},
    {"Connect": {"Native": True}},
    {"Kind": "connect-proxy", "Port": 1, "Proxy": {"DestinationServiceName": "w"}},
    {"Kind": "connect-proxy", "Port": 1, "Proxy": {"DestinationServiceName": "w", "Config": {"a": {"b": 1}}}},
    {
        "Kind": "connect-proxy",
        "Port": 1,
        "Proxy": {"DestinationServiceName": "w", "Upstreams": [{"DestinationName": "db", "LocalBindPort": 9}]},
    },
]


def test_the_hash_changes_with_anything_of_the_definition_and_with_nothing_else(state: LocalState) -> None:
    hashes = set()
    for change in [{}, *CHANGES]:
        state.register_service(service(**{"ID": "web", "Name": "web", **change}))
        found = agent_service(state.services()["web"], "dc1").content_hash
        assert len(found) == 16
        state.register_service(service(**{"ID": "web", "Name": "web", **change}))
        assert agent_service(state.services()["web"], "dc1").content_hash == found
        hashes.add(found)
    assert len(hashes) == len(CHANGES) + 1


def test_the_hash_does_not_depend_on_the_order_of_keys(state: LocalState) -> None:
    hashes = set()
    for meta in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}):
        state.register_service(service(Name="web", Meta=meta))
        hashes.add(agent_service(state.services()["web"], "dc1").content_hash)
    assert len(hashes) == 1


def test_a_proxy_is_shown_with_what_it_proxies(state: LocalState) -> None:
    state.register_service(
        service(
            Name="web",
            Port=8080,
            Connect={"SidecarService": {"Proxy": {"Upstreams": [{"DestinationName": "db", "LocalBindPort": 9191}]}}},
        )
    )
    plain = json(agent_service(state.services()["web"], "dc1"))
    assert "Proxy" not in plain
    proxy = json(agent_service(state.services()["web-sidecar-proxy"], "dc1"))
    assert proxy["Kind"] == "connect-proxy"
    assert proxy["Proxy"]["LocalServicePort"] == 8080
    assert proxy["Proxy"]["Upstreams"][0]["DestinationName"] == "db"
