"""What the reference answered (conformance, agent-service and agent-check), asked of the state itself."""

from __future__ import annotations

import asyncio

import pytest

from lictor.agent.local import LocalState
from lictor.agent.local.health import agent_service
from lictor.errors import BadRequest, NotFound, Refused
from lictor.types.catalog import ServiceAddress
from tests.agent.local.helpers import StillClock, check, make_state, service


def test_a_service_with_its_check(state: LocalState) -> None:
    state.register_service(
        service(
            ID="web-1",
            Name="web",
            Tags=["v1", "primary"],
            Address="10.0.0.5",
            Port=8080,
            TaggedAddresses={"wan": {"Address": "198.51.100.5", "Port": 80}},
            Check={"TTL": "60s", "Notes": "a note", "Status": "passing"},
        )
    )
    found = state.services()["web-1"]
    own = ServiceAddress(address="10.0.0.5", port=8080)
    assert found.tagged_addresses == {
        "wan": ServiceAddress(address="198.51.100.5", port=80),
        "lan_ipv4": own,
        "wan_ipv4": own,
    }
    (row,) = state.checks().values()
    assert (row.check_id, row.name, row.status, row.notes) == (
        "service:web-1",
        "Service 'web' check",
        "passing",
        "a note",
    )
    assert (row.service_id, row.service_name, row.service_tags) == ("web-1", "web", ["v1", "primary"])
    assert (row.type, row.interval, row.timeout, row.node) == ("ttl", "", "", "node1")


def test_an_earlier_check_stays_with_its_status_unless_it_is_replaced(state: LocalState) -> None:
    state.register_service(service(ID="web-1", Name="web", Tags=["v1"], Check={"TTL": "60s", "Status": "passing"}))
    state.register_service(service(ID="web-1", Name="web", Tags=["v2"], Port=81))
    assert [(row.check_id, row.service_tags) for row in state.checks().values()] == [("service:web-1", ["v1"])]
    state.register_service(service(ID="web-1", Name="web", Check={"TTL": "60s", "Status": "critical"}))
    assert state.checks()["service:web-1"].status == "passing"
    named = {"CheckID": "mine", "Name": "my check", "TTL": "60s", "Status": "warning"}
    state.register_service(service(ID="web-1", Name="web", Checks=[{"TTL": "60s"}, named]), replace_checks=True)
    assert {row.check_id: row.status for row in state.checks().values()} == {
        "service:web-1:1": "critical",
        "mine": "warning",
    }


def test_replacing_checks_does_not_end_maintenance(state: LocalState) -> None:
    state.register_service(service(Name="web"))
    state.set_service_maintenance("web", True)
    state.register_service(service(Name="web"), replace_checks=True)
    assert list(state.checks()) == ["_service_maintenance:web"]


def test_deregistration_takes_the_checks_along(state: LocalState) -> None:
    state.register_service(service(Name="web", Check={"TTL": "60s"}))
    state.register_check(check(Name="disk", TTL="60s"))
    assert state.deregister_service("web") is True
    assert list(state.checks()) == ["disk"]
    assert state.deregister_service("web") is False
    assert state.deregister_check("disk") is True
    assert state.deregister_check("disk") is False


def test_a_check_by_itself(state: LocalState) -> None:
    state.register_service(service(ID="svc1", Name="svc", Tags=["a"]))
    state.register_check(
        check(ID="http", Name="http", ServiceID="svc1", HTTP="http://127.0.0.1/", Interval="1s", Timeout="2s")
    )
    state.register_check(check(Name="ttl one", TTL="60s", Notes="heartbeat"))
    http, ttl = state.checks()["http"], state.checks()["ttl one"]
    assert (http.type, http.interval, http.timeout, http.status) == ("http", "1s", "2s", "critical")
    assert (http.service_id, http.service_name, http.service_tags) == ("svc1", "svc", ["a"])
    assert (ttl.type, ttl.interval, ttl.timeout, ttl.notes, ttl.service_id) == ("ttl", "0s", "0s", "heartbeat", "")


def test_a_check_needs_its_service(state: LocalState) -> None:
    with pytest.raises(Refused, match=r'^ServiceID "nope" does not exist$'):
        state.register_check(check(Name="x", TTL="10s", ServiceID="nope"))


def test_nothing_is_changed_by_what_is_refused(state: LocalState) -> None:
    state.register_service(service(Name="web", Port=1))
    with pytest.raises(BadRequest):
        state.register_service(service(Name="web", Port=2, Checks=[{"TTL": "1s"}, {"Interval": "1s"}]))
    assert state.services()["web"].port == 1
    assert not state.checks()


def test_ttl_updates(state: LocalState) -> None:
    state.register_check(check(ID="ttl", Name="ttl", TTL="60s", Status="passing"))
    state.update_ttl("ttl", "warning", "getting slow")
    row = state.checks()["ttl"]
    assert (row.status, row.output) == ("warning", "getting slow")
    with pytest.raises(BadRequest, match=r"^Invalid check status: 'unknown'$"):
        state.update_ttl("ttl", "unknown", "")
    for check_id in ("nope", "other"):
        state.register_check(check(ID="other", Name="other", TCP="x:1", Interval="1s"))
        with pytest.raises(Refused, match=f'^CheckID "{check_id}" does not have associated TTL$'):
            state.update_ttl(check_id, "passing", "")


def test_a_long_output_is_cut(clock: StillClock) -> None:
    state = make_state(clock, check_output_max_size=10)
    state.register_check(check(ID="a", Name="a", TTL="60s"))
    state.register_check(check(ID="b", Name="b", TTL="60s", OutputMaxSize=4))
    for check_id in "ab":
        state.update_ttl(check_id, "passing", "0123456789abc")
    assert state.checks()["a"].output == "0123456789 ... (captured 10 of 13 bytes)"
    assert state.checks()["b"].output == "0123 ... (captured 4 of 13 bytes)"


def test_a_ttl_runs_out_even_after_it_was_registered_anew(state: LocalState, clock: StillClock) -> None:
    state.register_check(check(ID="ttl", Name="ttl", TTL="10s", Status="passing"))
    clock.now += 9
    state.register_check(check(ID="ttl", Name="ttl", TTL="10s"))
    clock.now += 9
    state._scheduler.tick()
    assert state.checks()["ttl"].status == "passing"
    clock.now += 2
    state._scheduler.tick()
    assert (state.checks()["ttl"].status, state.checks()["ttl"].output) == ("critical", "TTL expired")


def test_registering_the_same_again_leaves_the_schedule_alone(state: LocalState) -> None:
    spec = check(ID="tcp", Name="tcp", TCP="x:1", Interval="10s")
    state.register_check(spec)
    entry = state._scheduler._entries["tcp"]
    state.register_check(spec)
    assert state._scheduler._entries["tcp"] is entry
    state.register_check(check(ID="tcp", Name="tcp", TCP="x:2", Interval="10s"))
    assert state._scheduler._entries["tcp"] is not entry


def test_maintenance_of_a_service(state: LocalState) -> None:
    state.register_service(service(ID="web1", Name="web", Tags=["v1"]))
    state.set_service_maintenance("web1", True, "upgrade")
    state.set_service_maintenance("web1", True, "again")
    row = state.checks()["_service_maintenance:web1"]
    assert (row.name, row.notes, row.status) == ("Service Maintenance Mode", "upgrade", "critical")
    assert (row.type, row.service_id, row.service_tags, row.interval) == ("maintenance", "web1", ["v1"], "")
    state.set_service_maintenance("web1", False)
    state.set_service_maintenance("web1", False)
    assert not state.checks()
    with pytest.raises(NotFound, match=r'^No service registered with ID "nope"$'):
        state.set_service_maintenance("nope", True)


def test_maintenance_of_the_node(state: LocalState) -> None:
    state.set_node_maintenance(True)
    row = state.checks()["_node_maintenance"]
    assert row.name == "Node Maintenance Mode"
    assert row.notes == (
        "Maintenance mode is enabled for this node, but no reason was provided. This is a default message."
    )
    state.set_node_maintenance(False)
    assert not state.checks()


def test_a_service_that_is_critical_for_too_long_goes(state: LocalState, clock: StillClock) -> None:
    ttl = {"TTL": "10s", "DeregisterCriticalServiceAfter": "90s"}
    state.register_service(service(Name="web", Check=ttl))
    state.register_service(service(Name="db", Check={**ttl, "DeregisterCriticalServiceAfter": "1s"}))
    state.register_check(check(Name="node", **ttl))
    for check_id in ("service:web", "service:db", "node"):
        state.update_ttl(check_id, "critical", "")
    clock.now += 59
    assert state.reap() == []
    clock.now += 2
    assert state.reap() == ["db"]
    state.update_ttl("service:web", "passing", "")
    clock.now += 1000
    state.update_ttl("service:web", "critical", "")
    clock.now += 80
    state.update_ttl("service:web", "critical", "still")
    assert state.reap() == []
    clock.now += 11
    assert state.reap() == ["web"]
    assert list(state.checks()) == ["node"]


def test_a_sidecar_comes_and_goes_with_its_service(state: LocalState) -> None:
    state.register_service(service(Name="web", Port=8080, Connect={"SidecarService": {}}))
    state.register_service(service(ID="web-2", Name="web", Port=8081, Connect={"SidecarService": {}}))
    ports = {service_id: row.port for service_id, row in state.services().items()}
    assert ports == {"web": 8080, "web-sidecar-proxy": 21000, "web-2": 8081, "web-2-sidecar-proxy": 21001}
    assert sorted(state.checks())[:2] == ["service:web-2-sidecar-proxy:1", "service:web-2-sidecar-proxy:2"]
    state.register_service(service(Name="web", Port=9090, Connect={"SidecarService": {}}))
    assert state.services()["web-sidecar-proxy"].port == 21000
    assert state.services()["web-sidecar-proxy"].proxy.local_service_port == 9090
    state.deregister_service("web")
    assert sorted(state.services()) == ["web-2", "web-2-sidecar-proxy"]
    state.register_service(service(Name="late", Connect={"SidecarService": {}}))
    assert state.services()["late-sidecar-proxy"].port == 21000


def test_a_service_that_is_only_named_like_a_sidecar_stays(state: LocalState) -> None:
    state.register_service(service(Name="web"))
    state.register_service(service(Name="web-sidecar-proxy"))
    state.deregister_service("web")
    assert list(state.services()) == ["web-sidecar-proxy"]


def test_no_port_left_for_a_sidecar(clock: StillClock) -> None:
    state = make_state(clock, sidecar_min_port=21000, sidecar_max_port=21000)
    state.register_service(service(Name="a", Connect={"SidecarService": {}}))
    with pytest.raises(BadRequest, match=r"none left in the configured range \[21000, 21000\]"):
        state.register_service(service(Name="b", Connect={"SidecarService": {}}))
    assert "b" not in state.services()


async def test_waiting_for_a_change_of_the_definition(state: LocalState) -> None:
    state.register_service(service(Name="web", Port=1))
    known = agent_service(state.services()["web"], "dc1").content_hash
    waiting = asyncio.create_task(state.wait_for_change("web", known, 60))
    await asyncio.sleep(0)
    state.register_service(service(Name="web", Port=1))
    await asyncio.sleep(0)
    assert not waiting.done()
    state.register_service(service(Name="web", Port=2))
    await waiting
    await state.wait_for_change("web", known, 60)
    await state.wait_for_change("nope", known, 60)
    known = agent_service(state.services()["web"], "dc1").content_hash
    await state.wait_for_change("web", known, 0.01)
    waiting = asyncio.create_task(state.wait_for_change("web", known, 60))
    await asyncio.sleep(0)
    state.deregister_service("web")
    await waiting
    assert not state._waiting
