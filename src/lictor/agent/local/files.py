"""What the API registered, kept in the data directory: a JSON file a service (`services/`), a check (`checks/`) and the
last word of a TTL check (`checks/state/`).

Files are written beside and renamed, with fsync, in a thread, those that are pending together. A file that cannot be
read is set aside under another name and reported; it never keeps the agent from starting. Files are named by a hash of
the ID and readable for their owner only, since they may hold tokens.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from lictor import limits
from lictor.errors import BadRequest, Unavailable
from lictor.types.catalog import Check, Service
from lictor.types.definitions import CheckSpec
from lictor.types.gojson import Wire, always, decode, encode

K = TypeVar("K", bound=Wire)


class KeptService(Wire, frozen=True, kw_only=True):
    """A service as it was registered. `sidecar_of` names the service whose definition brought it along."""

    service: Service = msgspec.field(default_factory=Service)
    token: str = ""
    sidecar_of: str = ""


class KeptCheck(Wire, frozen=True, kw_only=True):
    """A check as it was registered; maintenance has no `spec`."""

    check: Check = msgspec.field(default_factory=Check)
    spec: CheckSpec | None = None
    token: str = ""


class KeptState(Wire, frozen=True, kw_only=True):
    """What a TTL check last said, and until when (seconds since 1970) that holds."""

    check_id: str = always("")
    status: str = always("")
    output: str = always("")
    expires: float = always(0.0)


class Kept(NamedTuple):
    """Everything that was found, and a line for each file that was set aside."""

    services: list[KeptService]
    checks: list[KeptCheck]
    states: dict[str, KeptState]
    problems: list[str]


class DefinitionFiles:
    """The files of one data directory. Changes are noted at once; `saved` returns when they lie on disk."""

    def __init__(self, data_dir: Path) -> None:
        self._services = data_dir / "services"
        self._checks = data_dir / "checks"
        self._states = self._checks / "state"
        self._pending: dict[Path, bytes | None] = {}
        self._wanted = self._done = 0
        self._writing: asyncio.Task[None] | None = None

    def keep_service(self, kept: KeptService) -> None:
        self._note(self._services, kept.service.id, kept)

    def drop_service(self, service_id: str) -> None:
        self._note(self._services, service_id, None)

    def keep_check(self, kept: KeptCheck) -> None:
        self._note(self._checks, kept.check.check_id, kept)

    def drop_check(self, check_id: str) -> None:
        """Forgets a check and what it last said."""
        self._note(self._checks, check_id, None)
        self.drop_state(check_id)

    def drop_state(self, check_id: str) -> None:
        self._note(self._states, check_id, None)

    def keep_state(self, kept: KeptState) -> None:
        """Notes what a TTL check said. Nobody waits for that: it goes to disk with what is written next."""
        self._pending[_path(self._states, kept.check_id)] = encode(kept)

    def read(self) -> Kept:
        """What lies on disk. The agent calls it once, before anything is registered."""
        problems: list[str] = []
        states = _read_all(self._states, KeptState, lambda kept: kept.check_id, problems)
        return Kept(
            _read_all(self._services, KeptService, lambda kept: kept.service.id, problems),
            _read_all(self._checks, KeptCheck, lambda kept: kept.check.check_id, problems),
            {kept.check_id: kept for kept in states},
            problems,
        )

    async def saved(self) -> None:
        """Returns when every service and check noted so far lies on disk. Raises Unavailable when the disk fails."""
        wanted = self._wanted
        while self._done < wanted:
            await self._write()

    async def flush(self) -> None:
        """Writes everything that is pending, what TTL checks said included."""
        await self.saved()
        if self._pending:
            await self._write()

    def _note(self, directory: Path, name: str, kept: Wire | None) -> None:
        self._pending[_path(directory, name)] = None if kept is None else encode(kept)
        self._wanted += 1

    async def _write(self) -> None:
        """Joins the write that is under way, or begins one of all that is pending."""
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_pending(), name="definition files")
        await asyncio.shield(self._writing)

    async def _write_pending(self) -> None:
        batch, self._pending = self._pending, {}
        upto = self._wanted
        try:
            await asyncio.to_thread(_write_batch, batch)
            self._done = upto
        except OSError as error:
            self._pending = {**batch, **self._pending}
            raise Unavailable(f"definitions could not be kept in the data directory: {error}") from error
        finally:
            self._writing = None


def _path(directory: Path, name: str) -> Path:
    return directory / f"{hashlib.sha256(name.encode()).hexdigest()}.json"


def _write_batch(batch: dict[Path, bytes | None]) -> None:
    """Writes and removes files so that each is either as before or as asked for, whatever happens meanwhile."""
    for path, data in batch.items():
        if data is None:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_suffix(".tmp")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    for directory in {path.parent for path in batch if path.parent.exists()}:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read_all(directory: Path, kind: type[K], name: Callable[[K], str], problems: list[str]) -> list[K]:
    found = []
    for path in sorted(directory.glob("*.json")):
        try:
            with path.open("rb") as file:
                data = file.read(limits.DEFINITION_BYTES + 1)
            if len(data) > limits.DEFINITION_BYTES:
                raise BadRequest("the file is too long")
            kept = decode(data, kind)
            if _path(directory, name(kept)) != path:
                raise BadRequest("the file is not named after what it holds")
            found.append(kept)
        except (BadRequest, OSError) as error:
            problems.append(_set_aside(path, error))
    return found


def _set_aside(path: Path, error: Exception) -> str:
    aside = path.with_suffix(".broken")
    try:
        path.replace(aside)
    except OSError as failure:
        return f"cannot read {path}: {error}; nor could it be set aside: {failure}"
    return f"cannot read {path}: {error}; it is now {aside.name}"
