"""Every store against a model of a few lines: any order of calls leaves both with the same content."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lictor.errors import StoreConflict, StoreError
from lictor.store.base import Compare, Delete, Entry, Put, Txn
from tests.store.backends import Backend, Follower, content_of

T = TypeVar("T")

KEYS = [b"a", b"a/", b"a/b", b"a/c", b"a0", b"b", b"\xff"]
keys = st.sampled_from(KEYS)
values = st.binary(max_size=3) | st.integers(1, 9).map(lambda size: bytes(size * 1000))
ranges = st.tuples(keys, keys).filter(lambda pair: pair[0] < pair[1])


class Machine(RuleBasedStateMachine):
    backend: Backend

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.model: dict[bytes, Entry] = {}
        self.leases: list[int] = []
        self.ended: list[int] = []

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    async def _open(self) -> None:
        self.store = self.backend.create(Path(self.directory.name), None)
        await self.store.open()
        self.follower = await Follower().follow(self.store)
        self.revision = await self.store.barrier()

    @initialize()
    def start(self) -> None:
        self.run(self._open())

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        self.directory.cleanup()

    def _deleted(self, change: Delete) -> list[bytes]:
        if not change.end:
            return [change.key] if change.key in self.model else []
        return [key for key in self.model if change.key <= key < change.end]

    def _changes_something(self, changes: list[Put | Delete]) -> bool:
        return any(isinstance(change, Put) or self._deleted(change) for change in changes)

    def _apply(self, revision: int, changes: list[Put | Delete]) -> None:
        """Applies to the model what the store has committed at `revision`."""
        puts = [change for change in changes if isinstance(change, Put)]
        gone = [key for change in changes if isinstance(change, Delete) for key in self._deleted(change)]
        assert revision > self.revision if self._changes_something(changes) else revision == self.revision
        self.revision = revision
        for key in gone:
            del self.model[key]
        for change in puts:
            before = self.model.get(change.key)
            created = before.created if before else revision
            self.model[change.key] = Entry(change.key, change.value, created, revision, change.lease)

    def _changes(self, data: st.DataObject) -> list[Put | Delete]:
        chosen = data.draw(st.lists(keys, unique=True, max_size=4), "keys")
        changes: list[Put | Delete] = []
        for key in chosen:
            if data.draw(st.booleans()):
                lease = data.draw(st.sampled_from([0, *self.leases]), "lease")
                changes.append(Put(key, data.draw(values), lease))
            else:
                changes.append(Delete(key))
        if data.draw(st.integers(0, 3)) == 0:
            start, end = data.draw(ranges, "range")
            changes = [change for change in changes if not start <= change.key < end]
            changes.append(Delete(start, end))
        return changes

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        compared = data.draw(st.lists(keys, max_size=3), "compared")
        right = {key: self.model[key].modified if key in self.model else 0 for key in compared}
        wrong = data.draw(st.sampled_from([0, 0, 0, -1, 1, self.revision]), "off by")
        compares = [Compare(key, right[key] + (wrong if number == 0 else 0)) for number, key in enumerate(compared)]
        changes = self._changes(data)
        txn = Txn(tuple(compares), tuple(changes))
        if compares and wrong:
            try:
                self.run(self.store.commit(txn))
            except StoreConflict:
                return
            raise AssertionError("a wrong compare held")
        self._apply(self.run(self.store.commit(txn)), changes)

    @rule(data=st.data())
    def commit_at_once(self, data: st.DataObject) -> None:
        batches = [self._changes(data) for _ in range(data.draw(st.integers(2, 5)))]

        async def commit_all() -> list[int]:
            return await asyncio.gather(*(self.store.commit(Txn((), tuple(changes))) for changes in batches))

        done = list(zip(self.run(commit_all()), batches, strict=True))
        while done:
            revisions = [revision for revision, _ in done]
            # Those that changed nothing are told the revision that they saw, which is that of another.
            next_ones = [n for n, revision in enumerate(revisions) if revision == min(revisions)]
            changed = (n for n in next_ones if self._changes_something(done[n][1]))
            self._apply(*done.pop(0 if self.backend.ordered else next(changed, next_ones[0])))

    @rule()
    def grant(self) -> None:
        lease = self.run(self.store.grant(3600))
        assert lease not in self.leases + self.ended
        self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        self.leases.remove(lease)
        self.ended.append(lease)
        self.run(self.store.revoke(lease))
        gone = [key for key, entry in self.model.items() if entry.lease == lease]
        self._apply(self.run(self.store.barrier()), [Delete(key) for key in gone])

    @precondition(lambda self: self.ended)
    @rule(data=st.data())
    def use_an_ended_lease(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.ended))
        assert not self.run(self.store.keep_alive(lease))
        try:
            self.run(self.store.commit(Txn((), (Put(b"b", b"", lease),))))
        except StoreError:
            return
        raise AssertionError("an ended lease was taken")

    @rule(restored=st.dictionaries(keys, values, max_size=4))
    def restore(self, restored: dict[bytes, bytes]) -> None:
        async def entries() -> AsyncIterator[Entry]:
            for key, value in restored.items():
                yield Entry(key, value, 1, 1)

        revision = self.run(self.store.restore(entries()))
        assert revision > self.revision if self.model or restored else revision == self.revision
        self.revision = revision
        self.model = {key: Entry(key, value, revision, revision) for key, value in restored.items()}

    @rule()
    def reopen(self) -> None:
        if self.backend.durable:
            before = self.revision
            self.run(self.store.close())
            self.run(self._open())
            assert self.revision == before

    @invariant()
    def same_content(self) -> None:
        assert self.run(content_of(self.store)) == self.model
        assert self.run(self.store.barrier()) == self.revision
        assert self.follower.content == {
            key: (entry.value, entry.created, entry.modified) for key, entry in self.model.items()
        }


def test_the_store_does_what_its_model_does(backend: Backend) -> None:
    class OfBackend(Machine):
        pass

    OfBackend.backend = backend
    run_state_machine_as_test(OfBackend, settings=settings(max_examples=40, stateful_step_count=25))
