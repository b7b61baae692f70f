"""The cluster's members, their signs of life, and what can be asked of them.

Cells: ("members",) any change of either; ("dead-members",) a sign of life that has vanished.
"""

from __future__ import annotations

from collections.abc import Hashable

from lictor.state.answer import Answer
from lictor.state.cells import Cells
from lictor.state.tables import Table
from lictor.types.member import ALIVE, FAILED, LEFT, Member, MemberAlive


class MemberTable(Table[Member]):
    prefix, kind = "member", Member

    def moved(self, name: str, old: Member | None, new: Member | None, touched: set[Hashable]) -> None:
        touched.add(("members",))


class AliveTable(Table[MemberAlive]):
    prefix, kind, leased = "memberalive", MemberAlive, True

    def moved(self, name: str, old: MemberAlive | None, new: MemberAlive | None, touched: set[Hashable]) -> None:
        if old is None or new is None:
            touched.add(("members",))
        if new is None:
            touched.add(("dead-members",))


class Members:
    """Both tables and the questions asked of them."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self.table = MemberTable()
        self.alive = AliveTable()

    def status(self, member: Member) -> int:
        """Alive, left or failed."""
        if member.left:
            return LEFT
        return ALIVE if self.alive.get(member.name) is not None else FAILED

    def all(self) -> Answer[list[tuple[Member, int]]]:
        """Every member with its status, by name."""
        return Answer([(row, self.status(row)) for row in self.table.scan()], (self._cells.get(("members",)),))

    def dead(self) -> Answer[list[Member]]:
        """Members whose sign of life has vanished without a goodbye."""
        rows = [row for row in self.table.scan() if self.status(row) == FAILED]
        return Answer(rows, (self._cells.get(("dead-members",)),))

    def servers(self) -> Answer[list[Member]]:
        """The servers that are alive."""
        rows = [row for row in self.table.scan() if row.server and self.status(row) == ALIVE]
        return Answer(rows, (self._cells.get(("members",)),))
