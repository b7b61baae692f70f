from __future__ import annotations

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def test_fire(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("PUT /v1/event/fire/deploy", {"ID": "the-id"})
    assert lictor("event -name deploy -node=^n -service=web -tag=v1 'the payload'").out == "Event ID: the-id\n"
    assert agent.asked[-1].target == "/v1/event/fire/deploy?node=%5En&service=web&tag=v1"
    assert agent.asked[-1].body == b"the payload"


def test_expressions_are_those_that_servers_take(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("PUT /v1/event/fire/deploy", {"ID": "the-id"})
    assert lictor(r"event -name deploy '-node=^web\z'").out == "Event ID: the-id\n"


@pytest.mark.parametrize(
    "line",
    ["event", "event -name=x -tag=v1", "event -name=x a b", "event -name=x -node='('", "event -name=x -service=["],
)
def test_what_cannot_be_fired(lictor: Lictor, agent: FakeAgent, line: str) -> None:
    assert lictor(line).code == 1
    assert agent.asked == []
