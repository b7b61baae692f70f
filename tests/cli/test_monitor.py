from __future__ import annotations

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def test_the_log_is_printed_as_it_comes(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/agent/monitor", b"one\ntwo\n")
    done = lictor("monitor -log-level=debug -log-json")
    assert (done.code, done.out) == (0, "one\ntwo\n")
    assert agent.asked[-1].target == "/v1/agent/monitor?loglevel=debug&logjson=true"
    assert lictor("monitor -log-level=loud").code == 1
