"""PyPI's `py-consul`, as it is, against the agent."""

from __future__ import annotations

import threading
from typing import Any

import consul
import pytest

from bench.processes import Agent, eventually


@pytest.fixture
def client(agent: Agent) -> Any:
    return consul.Consul(host="127.0.0.1", port=agent.ports["http"])


def test_a_service_with_a_ttl_check_is_found_while_it_passes(client: Any) -> None:
    registered = client.agent.service.register(
        "web", service_id="web-1", address="10.1.2.3", port=80, tags=["v1"], check=consul.Check.ttl("60s")
    )
    assert registered
    eventually(lambda: client.health.service("web")[1], 10, "web in the catalog")
    assert client.health.service("web", passing=True)[1] == []

    assert client.agent.check.ttl_pass("service:web-1", notes="well")
    [found] = eventually(lambda: client.health.service("web", passing=True)[1], 10, "web passing")
    assert (found["Service"]["ID"], found["Service"]["Address"], found["Service"]["Port"]) == ("web-1", "10.1.2.3", 80)
    assert client.agent.checks()["service:web-1"]["Output"] == "well"

    assert client.agent.check.ttl_fail("service:web-1")
    eventually(lambda: not client.health.service("web", passing=True)[1], 10, "web not passing")

    assert client.agent.service.deregister("web-1")
    eventually(lambda: "web" not in client.catalog.services()[1], 10, "web gone")


def test_the_catalog_takes_and_gives_back_an_external_node(client: Any) -> None:
    assert client.catalog.register("far", "192.0.2.1", service={"Service": "mail", "Port": 25, "Tags": ["mx"]})
    assert client.catalog.services()[1]["mail"] == ["mx"]
    [row] = client.catalog.service("mail")[1]
    assert (row["Node"], row["Address"], row["ServicePort"]) == ("far", "192.0.2.1", 25)
    assert "far" in [node["Node"] for node in client.catalog.nodes()[1]]
    assert client.catalog.deregister("far")
    assert client.catalog.service("mail")[1] == []


def test_a_blocked_read_of_a_key_is_answered_by_its_change(client: Any, agent: Agent) -> None:
    assert client.kv.put("config/colour", "green", flags=7)
    index, pair = client.kv.get("config/colour")
    assert (pair["Value"], pair["Flags"]) == (b"green", 7)

    seen: list[tuple[str, Any]] = []
    other = consul.Consul(host="127.0.0.1", port=agent.ports["http"])
    watch = threading.Thread(target=lambda: seen.append(other.kv.get("config/colour", index=index, wait="30s")))
    watch.start()
    assert client.kv.put("config/size", "10")
    watch.join(0.5)
    assert watch.is_alive(), "another key's change answered the watch"
    assert client.kv.put("config/colour", "blue")
    watch.join(10)
    [(new_index, new_pair)] = seen
    assert int(new_index) > int(index)
    assert new_pair["Value"] == b"blue"

    assert client.kv.get("config/", keys=True)[1] == ["config/colour", "config/size"]
    assert client.kv.delete("config/", recurse=True)
    assert client.kv.get("config/colour")[1] is None


def test_one_session_at_a_time_holds_a_lock(client: Any) -> None:
    first = client.session.create(name="first", lock_delay=0, ttl=60)
    second = client.session.create(name="second", lock_delay=0)
    assert client.kv.put("lock", "mine", acquire=first) is True
    assert client.kv.put("lock", "mine", acquire=second) is False
    assert client.kv.get("lock")[1]["Session"] == first
    assert client.session.renew(first)["ID"] == first
    assert client.session.destroy(first)
    assert "Session" not in client.kv.get("lock")[1]
    assert client.kv.put("lock", "mine", acquire=second) is True
    assert client.kv.put("lock", "free", release=second) is True
    assert client.kv.get("lock")[1]["LockIndex"] == 2
