"""`lictor members`: who is in the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lictor.cli.catalog import key_values
from lictor.cli.command import Failure, HttpCommand, ListCommand
from lictor.cli.flags import switch, text
from lictor.cli.table import table

if TYPE_CHECKING:
    from lictor.client.shapes import Member

STATUS = {0: "none", 1: "alive", 2: "leaving", 3: "left", 4: "failed"}
ALL_SEGMENTS = "_all"


class Members(HttpCommand, ListCommand):
    """Lists the members of the cluster with their status: alive, leaving, left or failed.

        $ lictor members -status='failed|left'

    Exits with 2 when none match.
    """

    words = "members"
    synopsis = "List the members of the cluster"
    detailed = switch("Print each member's tags.")
    segment = text("Only members of this segment.", ALL_SEGMENTS)
    status = text("Only members whose status this regular expression matches.", ".*")
    wan = switch("List the servers of all datacenters.")

    def run(self, arguments: list[str]) -> int:
        import re

        self.none(arguments)
        try:
            wanted = re.compile(self.status)
        except re.error as error:
            raise Failure(f"Failed to compile status regexp: {error}") from error
        members = [
            member
            for member in self.client.agent.members(wan=self.wan, segment=self.segment)
            if wanted.search(STATUS.get(member["Status"], "unknown"))
        ]
        if not members:
            return 2
        members.sort(key=lambda member: (member["Name"], _segment(member)))
        if self.as_json:
            self.console.json(members)
            return 0
        for line in table(self._detailed_rows(members) if self.detailed else self._rows(members)):
            self.console.line(line)
        return 0

    def _rows(self, members: list[Member]) -> list[list[str]]:
        rows = [["Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Segment"]]
        for member in members:
            tags = member.get("Tags") or {}
            kind = {"consul": "server", "node": "client"}.get(tags.get("role", ""), "unknown")
            build = tags.get("build", "").partition(":")[0] if kind != "unknown" else "unknown"
            rows.append([*_where(member), kind, build, tags.get("vsn", ""), tags.get("dc", ""), _segment(member)])
        return rows

    def _detailed_rows(self, members: list[Member]) -> list[list[str]]:
        rows = [["Node", "Address", "Status", "Tags"]]
        return rows + [[*_where(member), key_values(member.get("Tags"), ",")] for member in members]


def _where(member: Member) -> list[str]:
    host = member.get("Addr", "")
    address = f"[{host}]:{member.get('Port', 0)}" if ":" in host else f"{host}:{member.get('Port', 0)}"
    return [member["Name"], address, STATUS.get(member["Status"], "unknown")]


def _segment(member: Member) -> str:
    tags = member.get("Tags") or {}
    if tags.get("role") == "consul":
        return "<all>"
    return tags.get("segment") or "<default>"


COMMANDS = (Members,)
