"""`lictor snapshot`: the servers' whole state in one file."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from lictor.cli.command import Command, Failure, ListCommand, ServerCommand
from lictor.cli.console import read_file
from lictor.cli.table import table

UNITS = ("B", "KB", "MB", "GB", "TB")


class Save(ServerCommand):
    """Saves the servers' state (keys, catalog, sessions, queries, access control) to a file and checks the file.

        $ lictor snapshot save backup.snap

    Without a leader, from any server:

        $ lictor snapshot save -stale backup.snap
    """

    words = "snapshot save"
    synopsis = "Save the servers' state"
    arguments = "FILE"

    def run(self, arguments: list[str]) -> int:
        path = self.one(arguments, "FILE")
        unverified = f"{path}.unverified"
        try:
            self._fetch(unverified)
            index = inspected(unverified)["Index"]
            os.replace(unverified, path)
        except OSError as error:
            raise Failure(f"Error writing {path}: {error.strerror or error}") from error
        finally:
            with suppress(FileNotFoundError):
                os.unlink(unverified)
        self.console.line(f"Saved and verified snapshot to index {index}")
        return 0

    def _fetch(self, path: str) -> None:
        from lictor.client.resources import plan

        # Only the owner may read it: it holds every secret of the cluster.
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for chunk in self.client.stream(plan.snapshot.save()):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())


class Restore(ServerCommand):
    """Replaces the servers' whole state by what a file holds. What was written since the file was saved is lost.

    $ lictor snapshot restore backup.snap
    """

    words = "snapshot restore"
    synopsis = "Restore the servers' state"
    arguments = "FILE"

    def run(self, arguments: list[str]) -> int:
        self.client.snapshot.restore(read_file(self.one(arguments, "FILE")))
        self.console.line("Restored snapshot")
        return 0


class Inspect(ListCommand, Command):
    """Shows what a snapshot's file holds, without an agent.

    $ lictor snapshot inspect backup.snap
    """

    words = "snapshot inspect"
    synopsis = "Show what a snapshot holds"
    arguments = "FILE"

    def run(self, arguments: list[str]) -> int:
        found = inspected(self.one(arguments, "FILE"))
        if self.as_json:
            self.console.json(found)
            return 0
        for line in table([(f" {key}", str(found[key])) for key in ("ID", "Size", "Index", "Term", "Version")], gap=11):
            self.console.line(line)
        kinds = sorted(found["Types"], key=lambda kind: (-kind["Size"], kind["Name"]))
        dashes = (" ----", "----", "----")
        rows = [(" Type", "Count", "Size"), dashes]
        rows += [(f" {kind['Name']}", str(kind["Count"]), readable(kind["Size"])) for kind in kinds]
        rows += [dashes, (" Total", "", readable(sum(kind["Size"] for kind in kinds)))]
        self.console.line()
        for line in table(rows, gap=6):
            self.console.line(line)
        return 0


def inspected(path: str) -> dict[str, Any]:
    """What a snapshot's file says of itself. Raises Failure when it is none or is damaged."""
    from lictor.errors import LictorError
    from lictor.store import archive

    try:
        return archive.inspect(path)
    except (LictorError, OSError) as error:
        raise Failure(f"Error reading snapshot {path}: {error}") from error


def readable(size: int) -> str:
    """A number of bytes for people: 285B, 12.3KB, 5KB."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f}".removesuffix(".0") + UNITS[unit]


COMMANDS = (Save, Restore, Inspect)
GROUPS = {"snapshot": "Save, restore and inspect the servers' state"}
