"""Locks: a key that one session holds, in the reference's own format, so that both kinds of clients share them.

The key carries `LOCK_FLAG`, which keeps apart what must not be mixed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lictor.client.errors import LockError
from lictor.client.holding import Holding, Terms
from lictor.client.shapes import Pair

if TYPE_CHECKING:
    from lictor.client.client import Client

LOCK_FLAG = 0x2DDCCBC058A50C18


class Lock(Holding):
    """A key that one session holds."""

    def __init__(self, client: Client, key: str, terms: Terms, *, value: bytes = b"") -> None:
        super().__init__(client, terms, behavior="")
        self._key = key
        self._value = value

    async def destroy(self) -> bool:
        if self.session:
            raise LockError("still held: release it first")
        pair = self._ours((await self._client.kv.get(self._key)).value)
        if pair is None:
            return True
        return not pair.session and await self._client.kv.delete(self._key, cas=pair.modify_index)

    async def _take(self, timeout: float | None) -> int:
        index = 0
        while True:
            wait = self._patience(timeout)
            answer = await self._client.kv.get(self._key, index=index, wait=wait if index else 0.0, consistent=True)
            pair, index = self._ours(answer.value), max(answer.index, 1)
            if pair is not None and pair.session == self.session:
                return index
            if pair is not None and pair.session:
                continue
            if await self._client.kv.put(self._key, self._value, flags=LOCK_FLAG, acquire=self.session):
                index = 0
                continue
            # Refused: somebody was faster, or the lock-delay after a holder that was lost runs.
            taken = (await self._client.kv.get(self._key, consistent=True)).value
            if taken is None or not taken.session:
                await asyncio.sleep(self._terms.retry if timeout is None else min(self._terms.retry, timeout / 4))
            index = 0

    async def _give_back(self) -> None:
        await self._client.kv.put(self._key, self._value, flags=LOCK_FLAG, release=self.session)

    async def _state(self, index: int) -> tuple[bool, int]:
        answer = await self._client.kv.get(self._key, index=index, wait=self._terms.wait, consistent=True)
        return answer.value is not None and answer.value.session == self.session, max(answer.index, 1)

    def _ours(self, pair: Pair | None) -> Pair | None:
        if pair is not None and pair.flags != LOCK_FLAG:
            raise LockError(f"key {self._key!r} exists and is not a lock")
        return pair
