"""The stores that the suite runs against. A new backend is one more entry of BACKENDS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from lictor.runtime.clock import Clock
from lictor.store.base import Entry, Event, Store
from lictor.store.etcd.store import EtcdStore
from lictor.store.memory import MemoryStore
from lictor.store.sqlite import SQLiteStore
from tests.store.etcd_process import HAVE_ETCD, shared_config


class Backend(NamedTuple):
    """How to make a store over what is at a path; the same path gives the same content when the backend is durable."""

    name: str
    create: Callable[[Path, Clock | None], Store]
    durable: bool
    ordered: bool = True
    """Whether commits that are under way together get their revisions in the order of the calls."""


def _etcd(path: Path, clock: Clock | None) -> Store:
    if not HAVE_ETCD:
        pytest.skip("etcd is not installed")
    return EtcdStore(shared_config(path), server="s1")


BACKENDS = [
    Backend("memory", lambda path, clock: MemoryStore(clock), durable=False),
    Backend("sqlite", lambda path, clock: SQLiteStore(path / "store.db", clock), durable=True),
    Backend("etcd", _etcd, durable=True, ordered=False),
]


class Follower:
    """A listener that rebuilds the content from the stream and insists on its order."""

    def __init__(self) -> None:
        self.revision = 0
        self.content: dict[bytes, tuple[bytes, int, int]] = {}
        self.history: list[tuple[int, list[Event]]] = []

    async def follow(self, store: Store) -> Follower:
        self.revision, entries = await store.load(self)
        self.content = {entry.key: (entry.value, entry.created, entry.modified) for entry in entries}
        return self

    def __call__(self, revision: int, events: Sequence[Event]) -> None:
        assert revision > self.revision
        assert events
        self.revision = revision
        self.history.append((revision, list(events)))
        for event in events:
            assert event.modified == revision
            if event.value is None:
                assert event.created == 0
                del self.content[event.key]
            else:
                self.content[event.key] = (event.value, event.created, event.modified)


async def content_of(store: Store) -> dict[bytes, Entry]:
    """Everything in the store, checked to be in key order and the same for a load and a snapshot."""
    _, entries = await store.load(lambda revision, events: None)
    assert [entry.key for entry in entries] == sorted(entry.key for entry in entries)
    assert [entry async for entry in store.snapshot()] == entries
    return {entry.key: entry for entry in entries}
