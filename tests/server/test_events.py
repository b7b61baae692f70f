"""User events without HTTP: the ring and its clock."""

from __future__ import annotations

from lictor.server.events import Events, concerns, index_of
from lictor.types.catalog import Service
from lictor.types.kv import UserEvent


def event(name: str, time: int = 0, **fields: str) -> UserEvent:
    return UserEvent(id="00000000-0000-0001-0000-000000000002", name=name, l_time=time, **fields)  # type: ignore[arg-type]


def test_the_ring_keeps_the_newest() -> None:
    events = Events(keep=2)
    for name in "abc":
        events.take(event(name))
    assert [kept.name for kept in events.named()] == ["b", "c"] and events.named("a") == []


def test_the_clock_never_falls_behind_what_was_heard() -> None:
    events = Events()
    assert events.next_time() == 1
    events.take(event("from-afar", 40))
    assert events.next_time() == 41


def test_taking_one_in_wakes_who_waits() -> None:
    events = Events()
    woken: list[int] = []
    events.cell.wakers.add(lambda: woken.append(events.cell.index))
    events.take(event("a"))
    events.take(event("_rexec"))
    assert woken == [2]


def test_the_index_is_made_from_the_last_id() -> None:
    assert index_of([]) == 1 and index_of([event("a")]) == 3


def test_whom_an_event_concerns() -> None:
    services = [("web-1", Service(id="web-1", service="web", tags=["blue"]))]
    assert concerns(event("a"), "node", [])
    assert concerns(event("a", node_filter="^no"), "node", []) and not concerns(event("a", node_filter="x"), "node", [])
    assert concerns(event("a", service_filter="web-.$", tag_filter="^b"), "node", services)
    assert not concerns(event("a", service_filter="web", tag_filter="red"), "node", services)
    assert not concerns(event("a", service_filter="web", node_filter="x"), "node", services)
