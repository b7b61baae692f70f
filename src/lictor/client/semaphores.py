"""Semaphores: a prefix that several sessions hold at once, in the reference's own format.

Each contender has a key named after its session, and `<prefix>/.lock` holds the limit and the holders as JSON. All
carry `SEMAPHORE_FLAG`, which keeps apart what must not be mixed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lictor.client.errors import LockError
from lictor.client.holding import Holding, Terms
from lictor.client.request import Answer
from lictor.client.shapes import Pair

if TYPE_CHECKING:
    from lictor.client.client import Client

SEMAPHORE_FLAG = 0xE0F69A2BAA414DE0
CONTENTION_FILE = ".lock"


class Contention(NamedTuple):
    """What `<prefix>/.lock` says: the limit, the holders' sessions, and the ModifyIndex to compare with (0: none)."""

    limit: int
    holders: frozenset[str]
    modified: int

    @classmethod
    def of(cls, pairs: Sequence[Pair], prefix: str, limit: int) -> Contention:
        """Reads it from all the pairs below `prefix`, without the holders whose session has ended.

        Raises LockError when the keys there are used otherwise or the limits differ.
        """
        lock = next((pair for pair in pairs if pair.key == f"{prefix}/{CONTENTION_FILE}"), None)
        if lock is None:
            return cls(limit, frozenset(), 0)
        if lock.flags != SEMAPHORE_FLAG:
            raise LockError(f"key {lock.key!r} exists and is not a semaphore")
        try:
            said = json.loads(lock.value)
            holders = {str(session) for session, held in (said["Holders"] or {}).items() if held}
            there = int(said["Limit"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LockError(f"key {lock.key!r} does not hold a semaphore: {error}") from error
        if there != limit:
            raise LockError(f"semaphore {prefix!r} has the limit {there}, not {limit}: all must agree on it")
        alive = {pair.session for pair in pairs if pair.flags == SEMAPHORE_FLAG and pair.session}
        return cls(limit, frozenset(holders & alive), lock.modify_index)

    def encode(self) -> bytes:
        """The JSON that goes into the key."""
        return json.dumps({"Limit": self.limit, "Holders": dict.fromkeys(sorted(self.holders), True)}).encode()


class Semaphore(Holding):
    """A prefix that up to `limit` sessions hold."""

    def __init__(self, client: Client, prefix: str, limit: int, terms: Terms) -> None:
        super().__init__(client, terms, behavior="delete")
        if limit < 1:
            raise LockError(f"a semaphore's limit must be at least 1, not {limit}")
        self._prefix = prefix.rstrip("/")
        self._limit = limit

    async def destroy(self) -> bool:
        if self.session:
            raise LockError("still held: release it first")
        state, _ = await self._contention()
        if state.holders:
            return False
        return not state.modified or await self._client.kv.delete(self._file, cas=state.modified)

    @property
    def _file(self) -> str:
        return f"{self._prefix}/{CONTENTION_FILE}"

    async def _contention(self, index: int = 0, wait: float = 0.0) -> tuple[Contention, int]:
        answer: Answer[list[Pair]] = await self._client.kv.list(
            f"{self._prefix}/", index=index, wait=wait if index else 0.0, consistent=True
        )
        return Contention.of(answer.value, self._prefix, self._limit), max(answer.index, 1)

    async def _write(self, state: Contention, holders: frozenset[str]) -> bool:
        body = state._replace(holders=holders).encode()
        return await self._client.kv.put(self._file, body, flags=SEMAPHORE_FLAG, cas=state.modified)

    async def _take(self, timeout: float | None) -> int:
        contender = f"{self._prefix}/{self.session}"
        if not await self._client.kv.put(contender, flags=SEMAPHORE_FLAG, acquire=self.session):
            raise LockError(f"no contender entry could be made at {contender!r}")
        index = 0
        while True:
            state, index = await self._contention(index, self._patience(timeout))
            if self.session in state.holders:
                return index
            if len(state.holders) < self._limit:
                await self._write(state, state.holders | {self.session})
                index = 0

    async def _give_back(self) -> None:
        while True:
            state, _ = await self._contention()
            if self.session not in state.holders or await self._write(state, state.holders - {self.session}):
                break
        await self._client.kv.delete(f"{self._prefix}/{self.session}")

    async def _state(self, index: int) -> tuple[bool, int]:
        state, index = await self._contention(index, self._terms.wait)
        return self.session in state.holders, index
