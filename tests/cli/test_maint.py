from __future__ import annotations

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def test_the_node(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("PUT /v1/agent/maintenance", b"")
    assert lictor("maint -enable -reason 'a b'").out == "Node maintenance is now enabled\n"
    assert agent.asked[-1].target == "/v1/agent/maintenance?enable=true&reason=a+b"
    assert lictor("maint -disable").out == "Node maintenance is now disabled\n"


def test_a_service(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("PUT /v1/agent/service/maintenance/web1", b"")
    assert lictor("maint -enable -service=web1").out == 'Service maintenance is now enabled for "web1"\n'
    assert lictor("maint -disable -service=nothing").code == 1


def test_the_list(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer(
        "GET /v1/agent/checks",
        {
            "_node_maintenance": {"CheckID": "_node_maintenance", "Notes": "upgrade"},
            "_service_maintenance:web1": {"CheckID": "_service_maintenance:web1", "Notes": "rolling"},
            "other": {"CheckID": "other", "Notes": ""},
        },
    )
    assert lictor("maint").out == (
        "Node:\n  Name:   node1\n  Reason: upgrade\n\nService:\n  ID:     web1\n  Reason: rolling\n\n"
    )


@pytest.mark.parametrize(
    "flags", ["-enable -disable", "-reason=x", "-disable -reason=x", "-service=web", "-enable extra"]
)
def test_what_contradicts_itself(lictor: Lictor, agent: FakeAgent, flags: str) -> None:
    assert lictor(f"maint {flags}").code == 1
    assert agent.asked == []
