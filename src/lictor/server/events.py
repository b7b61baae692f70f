"""User events: what may be fired, whom it concerns, and the ring that an agent remembers.

Source of rules and texts: the reference (conformance, event). An event that is fired on one agent reaches the others
through whoever calls their `take`; this module carries nothing over a network.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from lictor import limits
from lictor.errors import Refused
from lictor.state.cells import Cell
from lictor.types.catalog import Service
from lictor.types.kv import UserEvent
from lictor.types.regexp import compile_regexp, matches

REMOTE_EXECUTION = "_rexec"
"""The name under which the reference's agents once sent each other commands; it is never remembered."""


class Events:
    """The newest events of one agent, oldest first. `cell` moves whenever one is taken in."""

    def __init__(self, keep: int = limits.EVENTS_KEPT) -> None:
        self._kept: deque[UserEvent] = deque(maxlen=keep)
        self._time = 0
        self.cell = Cell(1)

    def next_time(self) -> int:
        """The Lamport time for an event that is fired here."""
        self._time += 1
        return self._time

    def take(self, event: UserEvent) -> None:
        """Remembers an event that concerns this agent and wakes who waits for one."""
        self._time = max(self._time, event.l_time)
        if event.name == REMOTE_EXECUTION:
            return
        self._kept.append(event)
        self.cell.index += 1
        for wake in tuple(self.cell.wakers):
            wake()

    def named(self, name: str = "") -> list[UserEvent]:
        """The events remembered, or only those of a name."""
        return [event for event in self._kept if not name or event.name == name]


def checked(event: UserEvent) -> UserEvent:
    """The event, if it may be fired. Raises Refused naming what is wrong with it."""
    if event.tag_filter and not event.service_filter:
        raise Refused("Cannot provide tag filter without service filter")
    for what, pattern in (
        ("node", event.node_filter),
        ("service", event.service_filter),
        ("tag", event.tag_filter),
    ):
        try:
            compile_regexp(pattern)
        except ValueError as error:
            raise Refused(f"Invalid {what} filter: {error}") from None
    # The reference counts the name with its prefix and the event as it goes over its network.
    size = len(f"consul:event:{event.name}".encode()) + len(msgspec.msgpack.encode(_packed(event)))
    if size > limits.EVENT_PAYLOAD_BYTES:
        raise Refused(
            f"user event exceeds configured limit of {limits.EVENT_PAYLOAD_BYTES} bytes before encoding: "
            f"name, payload and filters make {size} bytes"
        )
    return event


def concerns(event: UserEvent, node: str, services: Iterable[tuple[str, Service]]) -> bool:
    """True when a node with these services (by id) is one that the event's filters mean."""
    if event.node_filter and not matches(event.node_filter, node):
        return False
    if not event.service_filter:
        return True
    return any(
        matches(event.service_filter, service_id)
        and (not event.tag_filter or any(matches(event.tag_filter, tag) for tag in service.tags))
        for service_id, service in services
    )


def index_of(events: Sequence[UserEvent]) -> int:
    """The index of a list of events: made from its last one's id, so it does not only grow; 1 for no events."""
    if not events:
        return 1
    number = int(events[-1].id.replace("-", ""), 16)
    return (number >> 64) ^ (number & (1 << 64) - 1)


def _packed(event: UserEvent) -> dict[str, object]:
    parts: dict[str, object] = {"ID": event.id, "n": event.name, "v": event.version}
    optional = {"p": event.payload, "nf": event.node_filter, "sf": event.service_filter, "tf": event.tag_filter}
    return parts | {key: value for key, value in optional.items() if value}
