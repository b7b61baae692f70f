"""Snapshots: the whole content of the store saved to an archive and put back from one.

Files lie in the system's temporary directory while they are worked on, so that memory holds a piece at a time. An
archive is checked to its last entry before the store is touched; then everything is replaced in one commit.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO

import msgspec

from lictor.errors import LictorError, StoreError
from lictor.runtime.log import get_logger
from lictor.server.commands import members
from lictor.server.commands.sessions import TTL_GRACE
from lictor.server.server import Server
from lictor.server.watch import reached
from lictor.state import State
from lictor.state.tables import pack
from lictor.store import archive
from lictor.store.base import Entry
from lictor.types.catalog import SERF_HEALTH
from lictor.types.kv import Session, SessionAlive

_BATCH = 512
"""Entries that are read or written in one go."""
log = get_logger("server.snapshot")


class Saved(msgspec.Struct, frozen=True):
    """A snapshot on its way out: the revision that it holds, and the archive piece by piece."""

    index: int
    pieces: AsyncIterator[bytes]


async def save(server: Server, snapshot_id: str) -> Saved:
    """Takes a snapshot. Raises StoreError; nothing is sent before it is complete."""
    index = server.state.revision
    state = await asyncio.to_thread(tempfile.TemporaryFile)
    try:
        batch: list[Entry] = []
        async for entry in server.store.snapshot():
            index = max(index, entry.modified)
            batch.append(entry)
            if len(batch) >= _BATCH:
                await asyncio.to_thread(_append, state, batch)
                batch = []
        size = await asyncio.to_thread(_append, state, batch)
    except BaseException:
        state.close()
        raise
    meta = archive.Meta(version=1, id=snapshot_id, index=index, term=1, size=size, format=archive.FORMAT)
    return Saved(index, _pieces(meta, state))


async def restore(server: Server, file: BinaryIO) -> int:
    """Replaces everything by what an archive holds and returns the revision of that.

    Raises StoreError with nothing changed when the archive is damaged or is none of ours. Sessions with a TTL begin
    it anew; delays of lost locks are over. Who is a member now stays one: that is no matter of what was saved.
    """
    with tempfile.TemporaryFile() as state:
        await asyncio.to_thread(archive.unpack, file, state)
        ttls = await asyncio.to_thread(_examine, state, server.state)
        leases: dict[str, int] = {}
        async with server.writer.turn:  # no plan of ours may have been made before and be committed behind
            former = [row.lease for row in server.state.keys.alive.scan()]
            try:
                granted = await asyncio.gather(*(server.store.grant(ttl * TTL_GRACE) for ttl in ttls.values()))
                leases.update(zip(ttls, granted, strict=True))
                revision = await server.store.restore(_entries(state, server.state, leases))
            except BaseException:
                await _revoke(server, list(leases.values()))
                raise
    await reached(server.state, revision)
    await _restate_members(server)
    await _revoke(server, former)
    log.info("snapshot restored at revision %d", revision)
    return revision


def _append(state: BinaryIO, batch: list[Entry]) -> int:
    """Writes entries behind the others; returns the size so far."""
    state.write(b"".join(map(archive.frame, batch)))
    return state.tell()


async def _pieces(meta: archive.Meta, state: BinaryIO) -> AsyncIterator[bytes]:
    try:
        await asyncio.to_thread(state.seek, 0)
        packed = archive.pack(meta, state)
        while piece := await asyncio.to_thread(next, packed, b""):
            yield piece
    finally:
        state.close()


def _examine(file: BinaryIO, state: State) -> dict[str, float]:
    """Reads every entry as the state will; the TTLs of the sessions whose time runs. Raises StoreError."""
    file.seek(0)
    before = b""
    mortal: dict[str, float] = {}
    alive: list[str] = []
    for entry in archive.entries(file):
        if entry.key <= before:
            raise StoreError("failed to read snapshot file: its entries are not in order")
        before = entry.key
        prefix, _, rest = entry.key.partition(b"/")
        table = state.tables.get(prefix)
        if table is None:
            continue
        try:
            name = rest.decode()
            row = table.decode(entry.value, entry.created, entry.modified)
            if isinstance(row, Session):
                mortal[name] = row.ttl_seconds
        except (msgspec.MsgspecError, ValueError) as error:
            raise StoreError(f"failed to read snapshot file: {entry.key!r}: {error}") from None
        if table is state.keys.alive:
            alive.append(name)
    return {name: mortal[name] for name in alive if mortal.get(name, 0) > 0}


async def _entries(file: BinaryIO, state: State, leases: dict[str, int]) -> AsyncIterator[Entry]:
    """The entries as they are put back: those under a lease go, but for the signs of life of sessions.

    Members are those of now, with the leases of now.
    """
    file.seek(0)
    rows: Iterator[Entry] = archive.entries(file)
    head, kept = state.keys.alive.store_key(""), state.members.table.store_key("")
    while batch := await asyncio.to_thread(lambda: list(islice(rows, _BATCH))):
        for entry in batch:
            if not entry.lease:
                if not entry.key.startswith(kept):
                    yield entry
            elif entry.key.startswith(head) and (name := entry.key.removeprefix(head).decode()) in leases:
                lease = leases[name]
                yield msgspec.structs.replace(entry, value=pack(SessionAlive(id=name, lease=lease)), lease=lease)

    for member in state.members.table.scan():
        yield Entry(kept + state.members.table.name(member.name).encode(), pack(member), 0, 0)
    for alive in state.members.alive.scan():
        key = state.members.alive.store_key(state.members.alive.name(alive.name))
        yield Entry(key, pack(alive), 0, 0, alive.lease)


async def _restate_members(server: Server) -> None:
    """The nodes with an agent in the catalog that was put back are the members of now."""
    state = server.state
    names = {member.name.lower() for member in state.members.table.scan()}
    names |= {check.node.lower() for check in state.catalog.checks.scan() if check.check_id == SERF_HEALTH}
    await asyncio.gather(*(server.write(partial(members.restate, name=name)) for name in sorted(names)))


async def _revoke(server: Server, leases: list[int]) -> None:
    """Ends leases that nothing hangs on any more; one that cannot be ended runs out by itself."""
    for lease in leases:
        try:
            await server.store.revoke(lease)
        except LictorError as error:
            log.debug("lease %d not ended: %s", lease, error)
