from __future__ import annotations

import json

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent

SERVER = {
    "Name": "s1",
    "Addr": "10.0.0.1",
    "Port": 8301,
    "Status": 1,
    "Tags": {"role": "consul", "build": "1.10.11:abc", "dc": "dc1", "vsn": "2", "segment": ""},
}
CLIENT = {
    "Name": "c1",
    "Addr": "::1",
    "Port": 8301,
    "Status": 4,
    "Tags": {"role": "node", "build": "1.10.11:", "dc": "dc1", "vsn": "2"},
}


def test_members(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/agent/members", [SERVER, CLIENT])
    done = lictor("members")
    assert done.code == 0
    assert done.lines == [
        "Node Address Status Type Build Protocol DC Segment",
        "c1 [::1]:8301 failed client 1.10.11 2 dc1 <default>",
        "s1 10.0.0.1:8301 alive server 1.10.11 2 dc1 <all>",
    ]
    assert agent.asked[-1].target == "/v1/agent/members?segment=_all"


def test_details(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/agent/members", [CLIENT])
    assert lictor("members -detailed -wan").lines == [
        "Node Address Status Tags",
        "c1 [::1]:8301 failed build=1.10.11:,dc=dc1,role=node,vsn=2",
    ]
    assert agent.asked[-1].target == "/v1/agent/members?wan=&segment=_all"


def test_statuses(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/agent/members", [SERVER, CLIENT])
    assert len(lictor("members -status=alive").lines) == 2
    assert lictor("members -status=left") == (2, "", "")
    assert lictor("members -status='('").code == 1
    assert [m["Name"] for m in json.loads(lictor("members -format=json").out)] == ["c1", "s1"]
