from __future__ import annotations

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent

POOLS = [
    {"WAN": True, "Datacenter": "dc1", "Segment": "", "NumNodes": 1, "Keys": {"b": 1, "a": 1}, "PrimaryKeys": {"a": 1}},
    {"WAN": False, "Datacenter": "dc1", "Segment": "x", "NumNodes": 3, "Keys": {"a": 2}, "PrimaryKeys": {"a": 2}},
]


def test_lists(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/operator/keyring", POOLS)
    assert lictor("keyring -list -local-only").lines[1:] == [
        "", "WAN:", "a [1/1]", "b [1/1]", "", "dc1 (LAN) [x]:", "a [2/3]",
    ]  # fmt: skip
    assert agent.asked[-1].target == "/v1/operator/keyring?local-only=true"
    assert "b [1/1]" not in lictor("keyring -list-primary").lines
    agent.answer("GET /v1/operator/keyring", b"Keyring is empty (encryption not enabled)", 500)
    done = lictor("keyring -list")
    assert done.code == 1
    assert "Keyring is empty" in done.err


@pytest.mark.parametrize(("flag", "method"), [("install", "POST"), ("use", "PUT"), ("remove", "DELETE")])
def test_changes(lictor: Lictor, agent: FakeAgent, flag: str, method: str) -> None:
    agent.answer(f"{method} /v1/operator/keyring", b"")
    assert lictor(f"keyring -{flag}=key -relay-factor=2").code == 0
    assert agent.bodies(f"{method} /v1/operator/keyring") == [{"Key": "key"}]
    assert agent.asked[-1].target == "/v1/operator/keyring?relay-factor=2"


@pytest.mark.parametrize(
    "flags", ["", "-list -use=a", "-use=a -remove=a", "-list -relay-factor=6", "-use=a -local-only"]
)
def test_what_contradicts_itself(lictor: Lictor, agent: FakeAgent, flags: str) -> None:
    assert lictor(f"keyring {flags}").code == 1
    assert agent.asked == []
