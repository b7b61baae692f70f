"""Ten thousand idle blocking queries at once, and clients that leave without waiting for their answer."""

from __future__ import annotations

import pytest

from bench import catalog
from bench.processes import Agent, eventually, raise_file_limit
from bench.watches import Watches
from tests.e2e.conftest import StartAgent

COUNT = 10_000
PATH = "/v1/health/service/web?passing"


def blocked(agent: Agent, count: int) -> Watches:
    """That many watchers of one service, all of them held by the agent."""
    index = agent.get(PATH).index
    watches = Watches(agent.ports["http"], f"{PATH}&index={index}&wait=300s", count)
    eventually(lambda: held(agent) == count, 60, f"{count} queries held")
    return watches


def held(agent: Agent) -> int:
    """How many blocking queries the agent says that it holds."""
    gauges = agent.get("/v1/agent/metrics").json()["Gauges"]
    [value] = [gauge["Value"] for gauge in gauges if gauge["Name"] == "consul.http.watches"]
    return int(value)


@pytest.mark.timeout(300)
def test_a_change_answers_ten_thousand_and_nothing_else_does(start_agent: StartAgent) -> None:
    raise_file_limit(COUNT + 2_000)
    agent = start_agent()
    catalog.register(agent.ports["http"], catalog.instances("web", 3))
    with blocked(agent, COUNT) as watches:
        agent.put("/v1/kv/other", b"a change that is none of theirs")
        catalog.register(agent.ports["http"], catalog.instances("mail", 3))
        watches.settle(1)
        assert len(watches) == COUNT
        _, answered = watches.change(catalog.put_request(catalog.instance("web", 1, port=9_000)), timeout=60)
    assert (answered.good, answered.bad) == (COUNT, 0)
    eventually(lambda: held(agent) == 0, 10, "none held any more")


def test_a_client_that_leaves_frees_its_query_at_once(start_agent: StartAgent) -> None:
    agent = start_agent()
    catalog.register(agent.ports["http"], catalog.instances("web", 3))
    with blocked(agent, 500) as watches:
        files = agent.open_files()
        watches.leave(400)
        eventually(lambda: held(agent) == 100, 10, "their queries given up")
        eventually(lambda: agent.open_files() <= files - 390, 10, "their connections closed")
        _, answered = watches.change(catalog.put_request(catalog.instance("web", 1, port=9_000)))
    assert (answered.good, answered.bad) == (100, 0)
