from __future__ import annotations

import json

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def test_sections_and_keys_are_sorted(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer(
        "GET /v1/agent/self", {"Stats": {"build": {"version": "1"}, "agent": {"services": "2", "checks": "1"}}}
    )
    assert lictor("info").out == "agent:\n\tchecks = 1\n\tservices = 2\nbuild:\n\tversion = 1\n"
    assert json.loads(lictor("info -format=json").out)["build"] == {"version": "1"}
