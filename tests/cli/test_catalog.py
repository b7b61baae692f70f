from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent

NODE = {
    "ID": "adf4238a-882b-9ddc-4a9d-5b6758e4159e",
    "Node": "node1",
    "Address": "127.0.0.1",
    "Datacenter": "dc1",
    "TaggedAddresses": {"wan": "10.0.0.2", "lan": "10.0.0.1"},
    "Meta": {"zone": "a"},
}


def test_datacenters(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/catalog/datacenters", ["dc1", "dc2"])
    assert lictor("catalog datacenters").lines == ["dc1", "dc2"]
    assert json.loads(lictor("catalog datacenters -format json").out) == ["dc1", "dc2"]
    assert lictor("catalog datacenters extra").code == 1


def test_nodes(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/catalog/nodes", [NODE])
    assert lictor("catalog nodes").lines == ["Node ID Address DC", "node1 adf4238a 127.0.0.1 dc1"]
    assert lictor("catalog nodes -detailed").lines == [
        "Node ID Address DC TaggedAddresses Meta",
        f"node1 {NODE['ID']} 127.0.0.1 dc1 lan=10.0.0.1, wan=10.0.0.2 zone=a",
    ]
    assert json.loads(lictor("catalog nodes -format=json").out) == [NODE]


def test_which_nodes(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/catalog/nodes", [])
    done = lictor("catalog nodes -near=_agent -node-meta=a=1 -node-meta=b=2 -filter=-", stdin=b"Node == x")
    assert (done.code, done.out) == (0, "")
    assert "No nodes match" in done.err
    assert agent.asked[-1].target == (
        "/v1/catalog/nodes?near=_agent&filter=Node+%3D%3D+x&node-meta=a%3A1&node-meta=b%3A2"
    )


def test_nodes_of_a_service(lictor: Lictor, agent: FakeAgent) -> None:
    instance = {key: value for key, value in NODE.items() if key != "Meta"} | {"NodeMeta": NODE["Meta"]}
    agent.answer("GET /v1/catalog/service/web", [instance | {"ServiceID": "1"}, instance | {"ServiceID": "2"}])
    assert lictor("catalog nodes -service=web").lines == ["Node ID Address DC", "node1 adf4238a 127.0.0.1 dc1"]
    assert lictor("catalog nodes -service=web -detailed").lines[1].endswith("zone=a")


def test_services(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/catalog/services", {"web": ["v1", "blue"], "consul": []})
    assert lictor("catalog services").lines == ["consul", "web"]
    assert lictor("catalog services -tags").lines == ["consul", "web blue,v1"]
    assert json.loads(lictor("catalog services -format json").out) == {"consul": [], "web": ["blue", "v1"]}


def test_services_of_a_node(lictor: Lictor, agent: FakeAgent) -> None:
    services = {"a": {"Service": "web", "Tags": ["x"]}, "b": {"Service": "web", "Tags": ["y"]}, "c": {"Service": "db"}}
    agent.answer("GET /v1/catalog/node/n1", {"Node": NODE, "Services": services})
    assert lictor("catalog services -node=n1 -tags").lines == ["db", "web x,y"]


@pytest.mark.parametrize("answer", [None, {"Services": {}}])
def test_no_services(lictor: Lictor, agent: FakeAgent, answer: object) -> None:
    agent.answer("GET /v1/catalog/node/n1", answer)
    done = lictor("catalog services -node=n1")
    assert (done.code, done.out) == (0, "")
    assert "No services match" in done.err
