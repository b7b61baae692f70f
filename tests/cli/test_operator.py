from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent

SERVERS = {
    "Servers": [
        {"Node": "n1", "ID": "id1", "Address": "a:1", "Leader": True, "Voter": True, "ProtocolVersion": "3"},
        {"Node": "n2", "ID": "id2", "Address": "a:2", "Leader": False, "Voter": False, "ProtocolVersion": "3"},
    ],
    "Index": 0,
}
CONFIG = {
    "CleanupDeadServers": True,
    "LastContactThreshold": "200ms",
    "MaxTrailingLogs": 250,
    "MinQuorum": 0,
    "ServerStabilizationTime": "10s",
    "RedundancyZoneTag": "",
    "DisableUpgradeMigration": False,
    "UpgradeVersionTag": "",
    "ModifyIndex": 7,
}


def test_peers(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/operator/raft/configuration", SERVERS)
    assert lictor("operator raft list-peers").lines == [
        "Node ID Address State Voter RaftProtocol",
        "n1 id1 a:1 leader true 3",
        "n2 id2 a:2 follower false 3",
    ]
    assert json.loads(lictor("operator raft list-peers -stale -format=json").out) == SERVERS
    assert agent.asked[-1].target == "/v1/operator/raft/configuration?stale="


def test_removing_peers(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("DELETE /v1/operator/raft/peer", b"")
    assert lictor("operator raft remove-peer -address=a:1").out == 'Removed peer with address "a:1"\n'
    assert lictor("operator raft remove-peer -id=x").out == 'Removed peer with id "x"\n'
    assert [asked.target.partition("?")[2] for asked in agent.asked] == ["address=a%3A1", "id=x"]
    assert lictor("operator raft remove-peer").code == 1
    assert lictor("operator raft remove-peer -id=x -address=y").code == 1


def test_rules(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/operator/autopilot/configuration", CONFIG)
    assert lictor("operator autopilot get-config").lines == [
        "CleanupDeadServers = true",
        "LastContactThreshold = 200ms",
        "MaxTrailingLogs = 250",
        "MinQuorum = 0",
        "ServerStabilizationTime = 10s",
        'RedundancyZoneTag = ""',
        "DisableUpgradeMigration = false",
        'UpgradeVersionTag = ""',
    ]


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        ("-min-quorum=3", {"MinQuorum": 3}),
        ("-cleanup-dead-servers=false -max-trailing-logs=9", {"CleanupDeadServers": False, "MaxTrailingLogs": 9}),
        ("-last-contact-threshold=1m30s", {"LastContactThreshold": "1m30s"}),
        ("-server-stabilization-time=500ms", {"ServerStabilizationTime": "500ms"}),
        ("-redundancy-zone-tag=z -upgrade-version-tag=v", {"RedundancyZoneTag": "z", "UpgradeVersionTag": "v"}),
        ("", {}),
    ],
)
def test_changing_rules(lictor: Lictor, agent: FakeAgent, flags: str, changed: dict[str, Any]) -> None:
    agent.answer("GET /v1/operator/autopilot/configuration", CONFIG)
    agent.answer("PUT /v1/operator/autopilot/configuration", True)
    assert lictor(f"operator autopilot set-config {flags}").out == "Configuration updated!\n"
    assert agent.asked[-1].target == "/v1/operator/autopilot/configuration?cas=7"
    assert agent.bodies("PUT /v1/operator/autopilot/configuration") == [CONFIG | changed]


def test_rules_that_somebody_else_changed(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/operator/autopilot/configuration", CONFIG)
    agent.answer("PUT /v1/operator/autopilot/configuration", False)
    assert lictor("operator autopilot set-config -min-quorum=3").code == 1


def test_health(lictor: Lictor, agent: FakeAgent) -> None:
    server = {"Name": "n1", "Address": "a:1", "Healthy": True, "Meta": {"zone": "a"}}
    state = {"Healthy": True, "FailureTolerance": 1, "Leader": "id1", "Voters": ["id1"], "Servers": {"id1": server}}
    agent.answer("GET /v1/operator/autopilot/state", state)
    lines = lictor("operator autopilot state").lines
    assert lines[:2] == ["Healthy: true", "Failure Tolerance: 1"]
    assert "Name: n1" in lines and "Healthy: true" in lines
    assert lines[-2:] == ["Meta", '"zone": "a"']
