from __future__ import annotations

import pytest

from lictor.agent.local.sidecar import free_port, sidecar_spec
from lictor.errors import BadRequest
from lictor.types.duration import Duration
from tests.agent.local.helpers import service


def test_no_sidecar() -> None:
    assert sidecar_spec(service(Name="web"), 0) is None


def test_what_follows_from_the_service() -> None:
    parent = service(
        ID="web-1",
        Name="web",
        Port=8080,
        Address="10.0.0.5",
        Tags=["v1"],
        Meta={"team": "a"},
        Token="secret",
        Connect={"SidecarService": {}},
    )
    found = sidecar_spec(parent, 21000)
    assert found is not None
    assert (found.kind, found.id, found.name, found.port) == (
        "connect-proxy",
        "web-1-sidecar-proxy",
        "web-sidecar-proxy",
        21000,
    )
    assert (found.address, found.tags, found.meta, found.token) == ("10.0.0.5", ["v1"], {"team": "a"}, "secret")
    assert found.proxy is not None
    assert (found.proxy.destination_service_name, found.proxy.destination_service_id) == ("web", "web-1")
    assert (found.proxy.local_service_address, found.proxy.local_service_port) == ("127.0.0.1", 8080)
    listening, alias = found.checks
    assert (listening.name, listening.tcp) == ("Connect Sidecar Listening", "127.0.0.1:21000")
    assert listening.interval == Duration.of(10)
    assert (alias.name, alias.alias_service) == ("Connect Sidecar Aliasing web-1", "web-1")


def test_what_is_given_by_hand_stays() -> None:
    parent = service(
        Name="api",
        Port=7000,
        Meta={"from": "parent"},
        Connect={
            "SidecarService": {
                "Name": "api-edge",
                "Port": 22000,
                "Address": "127.0.0.3",
                "Tags": ["edge"],
                "Meta": {"from": "child"},
                "Check": {"Name": "mine", "TTL": "60s"},
                "Proxy": {"LocalServiceAddress": "::1", "LocalServicePort": 7001, "Config": {"protocol": "http"}},
            }
        },
    )
    found = sidecar_spec(parent, 0)
    assert found is not None
    assert (found.id, found.name, found.port, found.address) == ("api-sidecar-proxy", "api-edge", 22000, "127.0.0.3")
    assert (found.tags, found.meta, found.checks) == (["edge"], {"from": "child"}, [])
    assert found.proxy is not None
    assert (found.proxy.local_service_address, found.proxy.local_service_port) == ("::1", 7001)


def test_a_service_on_a_socket_is_reached_there() -> None:
    found = sidecar_spec(service(Name="web", SocketPath="/run/web", Connect={"SidecarService": {}}), 21000)
    assert found is not None
    assert found.proxy is not None
    assert (found.proxy.local_service_socket_path, found.proxy.local_service_address) == ("/run/web", "")
    assert found.checks[0].tcp == "127.0.0.1:21000"


def test_a_service_on_ipv6() -> None:
    proxy = {"LocalServiceAddress": "::1"}
    found = sidecar_spec(service(Name="web", Port=1, Connect={"SidecarService": {"Proxy": proxy}}), 21000)
    assert found is not None
    assert found.checks[0].tcp == "[::1]:21000"


def test_the_lowest_free_port() -> None:
    assert free_port({21000, 21002}, 21000, 21255) == 21001
    with pytest.raises(BadRequest):
        free_port({21000}, 21000, 21000)
    with pytest.raises(BadRequest):
        free_port((), 0, 0)
