from __future__ import annotations

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def test_join(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("PUT /v1/agent/join/10.0.0.1", b"")
    done = lictor("join -wan 10.0.0.1 10.0.0.2")
    assert (done.code, done.out) == (0, "Successfully joined cluster by contacting 1 nodes.\n")
    assert "Error joining address '10.0.0.2'" in done.err
    assert agent.asked[0].target == "/v1/agent/join/10.0.0.1?wan=1"
    assert lictor("join 10.0.0.2").code == 1
    assert lictor("join").code == 1


def test_leave(lictor: Lictor, agent: FakeAgent) -> None:
    assert lictor("leave").code == 1
    agent.answer("PUT /v1/agent/leave", b"")
    assert lictor("leave") == (0, "Graceful leave complete\n", "")
    assert lictor("leave now").code == 1


def test_force_leave(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("PUT /v1/agent/force-leave/n1", b"")
    assert lictor("force-leave -prune -wan n1") == (0, "", "")
    assert agent.asked[-1].target == "/v1/agent/force-leave/n1?prune=1&wan=1"
    agent.answer("PUT /v1/agent/force-leave/nobody", b"agent: No node found with name 'nobody'", 500)
    assert "No node found" in lictor("force-leave nobody").err
    assert lictor("force-leave").code == 1
    assert lictor("force-leave a b").code == 1


def test_reload(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("PUT /v1/agent/reload", b"")
    assert lictor("reload").out == "Configuration reload triggered\n"
