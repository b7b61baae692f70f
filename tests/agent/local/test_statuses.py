from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import pytest

from lictor.agent.local import LocalState, NodeSeen
from lictor.errors import Refused
from lictor.types.catalog import Check
from tests.agent.local.helpers import StillClock, check, make_state, service


def test_only_a_change_of_the_status_is_told_at_once(state: LocalState, clock: StillClock) -> None:
    state.register_check(check(ID="a", Name="a", TTL="600s", Status="passing"))
    unsynced = state.rows.unsynced
    unsynced.checks.clear()
    state.update_ttl("a", "passing", "")
    assert not state.rows.held
    state.update_ttl("a", "passing", "fine")
    state.update_ttl("a", "passing", "better")
    assert not unsynced.checks
    at = state.statuses.next_held()
    assert at is not None
    assert clock.now + 150 <= at <= clock.now + 450
    state.statuses.release_held()
    assert not unsynced.checks
    clock.now = at
    state.statuses.release_held()
    assert unsynced.checks == {"a"}
    assert state.statuses.next_held() is None
    assert state.checks()["a"].output == "better"
    unsynced.checks.clear()
    state.update_ttl("a", "warning", "hm")
    assert unsynced.checks == {"a"}


def test_outputs_can_be_told_at_once_or_not_kept_at_all(clock: StillClock) -> None:
    prompt, silent = make_state(clock, check_update_interval=0.0), make_state(clock, discard_check_output=True)
    for state in (prompt, silent):
        state.register_check(check(ID="a", Name="a", TTL="600s", Status="passing"))
        state.rows.unsynced.checks.clear()
        state.update_ttl("a", "passing", "fine")
    assert prompt.rows.unsynced.checks == {"a"}
    assert not silent.rows.unsynced.checks
    assert silent.checks()["a"].output == ""


def test_whoever_syncs_is_woken_for_what_is_held_back(state: LocalState) -> None:
    woken: list[int] = []
    state.register_check(check(ID="a", Name="a", TTL="600s", Status="passing"))
    state.changed = lambda: woken.append(1)
    state.update_ttl("a", "passing", "one")
    state.update_ttl("a", "passing", "two")
    assert len(woken) == 1


def test_new_settings_are_taken_up(state: LocalState) -> None:
    state.register_check(check(ID="a", Name="a", TTL="600s", Status="passing"))
    state.configure(
        msgspec.structs.replace(state.settings, check_update_interval=0.0, enable_remote_script_checks=False)
    )
    state.rows.unsynced.checks.clear()
    state.update_ttl("a", "passing", "fine")
    assert state.rows.unsynced.checks == {"a"}
    with pytest.raises(Refused):
        state.register_check(check(ID="s", Name="s", Args=["true"], Interval="1s"))


def test_a_node_that_changed_is_told(state: LocalState) -> None:
    state.rows.unsynced.node = False
    state.set_node(state.node)
    assert not state.rows.unsynced.node
    state.set_node(msgspec.structs.replace(state.node, address="10.0.0.1"))
    assert state.rows.unsynced.node


def test_a_check_that_is_gone_is_no_error(state: LocalState) -> None:
    state.statuses.update("nope", "passing", "")


def alias_of(state: LocalState, check_id: str = "alias") -> tuple[str, str]:
    row = state.checks()[check_id]
    return row.status, row.output


def test_an_alias_follows_a_service_and_the_node(state: LocalState) -> None:
    state.register_service(
        service(ID="svc1", Name="svc", Check={"CheckID": "ttl", "Name": "svc1 ttl", "TTL": "60s", "Status": "passing"})
    )
    state.register_service(
        service(Name="front", Check={"CheckID": "alias", "Name": "alias of svc1", "AliasService": "svc1"})
    )
    assert alias_of(state) == ("passing", "All checks passing.")
    state.update_ttl("ttl", "critical", "down")
    assert alias_of(state) == ("critical", 'Aliased check "svc1 ttl" failing: down')
    state.update_ttl("ttl", "passing", "back")
    assert alias_of(state) == ("passing", "All checks passing.")
    state.register_check(check(ID="disk", Name="disk", TTL="60s", Status="warning"))
    assert alias_of(state) == ("warning", 'Aliased check "disk" failing: ')
    state.deregister_check("disk")
    assert alias_of(state)[0] == "passing"
    state.deregister_service("svc1")
    assert alias_of(state) == ("critical", "Service svc1 could not be found on node ")
    state.register_service(service(ID="svc1", Name="svc"))
    assert alias_of(state) == ("passing", "No checks found.")
    state.deregister_service("front")
    assert not state.statuses._followers


def test_aliases_of_aliases_and_in_a_circle(state: LocalState) -> None:
    state.register_service(service(Name="a", Check={"CheckID": "ttl", "TTL": "60s", "Status": "passing"}))
    for name, followed in (("b", "a"), ("c", "b"), ("d", "e"), ("e", "d")):
        state.register_service(service(Name=name, Check={"CheckID": name, "AliasService": followed}))
    state.update_ttl("ttl", "critical", "")
    assert alias_of(state, "b")[0] == alias_of(state, "c")[0] == "critical"
    for _ in range(100):
        state.register_service(service(Name="d", Check={"CheckID": "d", "AliasService": "e"}))
    assert len(alias_of(state, "d")[1]) < 5000


class OtherNodes:
    """Tells the one who watches a node what the test says of it."""

    def __init__(self) -> None:
        self.watched: dict[str, NodeSeen] = {}

    def watch(self, node: str, seen: NodeSeen) -> object:
        self.watched[node] = seen
        return lambda: self.watched.pop(node)

    def tell(self, node: str, checks: Sequence[Check], services: Collection[str]) -> None:
        self.watched[node](checks, services)


def test_an_alias_of_another_node(clock: StillClock) -> None:
    others = OtherNodes()
    state = make_state(clock, watch_node=others.watch)  # type: ignore[arg-type]
    state.register_check(check(ID="alias", Name="x", AliasNode="node2", AliasService="db"))
    assert alias_of(state) == ("critical", "")
    others.tell("node2", [], ["db"])
    assert alias_of(state) == ("passing", "No checks found.")
    others.tell("node2", [Check(check_id="c", name="c", status="warning", output="slow", service_id="db")], ["db"])
    assert alias_of(state) == ("warning", 'Aliased check "c" failing: slow')
    others.tell("node2", [], [])
    assert alias_of(state) == ("critical", "Service db could not be found on node node2")
    state.deregister_check("alias")
    assert not others.watched


def test_an_alias_of_this_node_by_its_name(state: LocalState) -> None:
    state.register_check(check(ID="alias", Name="x", AliasNode="NODE1"))
    assert alias_of(state)[0] == "passing"
    state.set_node_maintenance(True, "upgrade")
    assert alias_of(state) == ("critical", 'Aliased check "Node Maintenance Mode" failing: ')


def test_other_nodes_that_cannot_be_seen(state: LocalState) -> None:
    state.register_check(check(ID="alias", Name="x", AliasNode="node2"))
    assert alias_of(state)[1].startswith("Failure checking aliased node or service: ")
