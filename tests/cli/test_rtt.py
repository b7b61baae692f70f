from __future__ import annotations

import pytest

from lictor.cli.console import Failure
from lictor.cli.rtt import round_trip
from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def coordinate(*vec: float, height: float = 0.001, adjustment: float = 0.0) -> dict[str, object]:
    return {"Vec": list(vec), "Height": height, "Adjustment": adjustment, "Error": 1.5}


def test_the_formula() -> None:
    assert round_trip(coordinate(0, 0), coordinate(0.003, 0.004)) == pytest.approx(0.007)
    assert round_trip(coordinate(0, adjustment=0.001), coordinate(0)) == pytest.approx(0.003)
    # An adjustment that would make it negative does not count.
    assert round_trip(coordinate(0, adjustment=-1), coordinate(0)) == pytest.approx(0.002)
    with pytest.raises(Failure):
        round_trip(coordinate(0), coordinate(0, 0))


def test_nodes(lictor: Lictor, agent: FakeAgent) -> None:
    entries = [
        {"Node": "node1", "Segment": "", "Coord": coordinate(0)},
        {"Node": "n2", "Segment": "", "Coord": coordinate(0.01)},
    ]
    agent.answer("GET /v1/coordinate/nodes", entries)
    assert lictor("rtt n2 node1").out == "Estimated n2 <-> node1 rtt: 12.000 ms (using LAN coordinates)\n"
    assert lictor("rtt n2").out == "Estimated n2 <-> node1 rtt: 12.000 ms (using LAN coordinates)\n"
    assert lictor("rtt nowhere").err == 'Could not find a coordinate for node "nowhere"\n'
    assert lictor("rtt n2 nowhere").err == 'Could not find a coordinate for node "nowhere"\n'
    assert lictor("rtt").code == 1
    assert lictor("rtt a b c").code == 1


def test_servers_of_all_datacenters(lictor: Lictor, agent: FakeAgent) -> None:
    area = {"AreaID": "wan", "Datacenter": "dc1", "Coordinates": [{"Node": "node1", "Coord": coordinate(0)}]}
    other = {"AreaID": "wan", "Datacenter": "dc2", "Coordinates": [{"Node": "n2", "Coord": coordinate(0.001)}]}
    agent.answer("GET /v1/coordinate/datacenters", [area, other])
    assert lictor("rtt -wan n2.dc2").out == "Estimated n2.dc2 <-> node1.dc1 rtt: 3.000 ms (using WAN coordinates)\n"
    assert "needs its datacenter" in lictor("rtt -wan n2").err
    assert "n3.dc2" in lictor("rtt -wan n3.dc2").err
