"""Cells: what can change on its own, when it last did, and who waits for it.

A cell is born when it is first asked for, at the state's revision of that moment ("unchanged since now"), and moves
whenever something behind it changes. A cell that nobody waits for may be swept; whoever still holds it sees index -1,
which never equals an index seen before. This module knows no tables and no event loop: waking is a call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

DROPPED = -1

Waker = Callable[[], None]


class Cell:
    """The index at which something last changed, and the wakers to call when it changes again."""

    __slots__ = ("index", "wakers")

    def __init__(self, index: int) -> None:
        self.index = index
        self.wakers: set[Waker] = set()


class Cells:
    """All cells of a state by name. Names are tuples such as ("service", "web")."""

    def __init__(self, keep: int) -> None:
        self._cells: dict[Hashable, Cell] = {}
        self._keep = self._sweep_at = keep
        self.revision = 1

    def __len__(self) -> int:
        return len(self._cells)

    def get(self, name: Hashable) -> Cell:
        """The cell of that name, born now if there is none."""
        cell = self._cells.get(name)
        if cell is None:
            if len(self._cells) >= self._sweep_at:
                self._sweep()
            cell = self._cells[name] = Cell(self.revision)
        return cell

    def move(self, names: Iterable[Hashable], revision: int) -> list[Waker]:
        """Moves the cells to `revision` and returns the wakers of those that waited, for the caller to call."""
        self.revision = revision
        woken: list[Waker] = []
        for name in names:
            cell = self._cells.get(name)
            if cell is not None:
                cell.index = revision
                woken.extend(cell.wakers)
        return woken

    def _sweep(self) -> None:
        """Drops every cell that nobody waits for. Where most are waited for, more are kept before the next time."""
        kept = {name: cell for name, cell in self._cells.items() if cell.wakers}
        for name, cell in self._cells.items():
            if name not in kept:
                cell.index = DROPPED
        self._cells = kept
        self._sweep_at = max(self._keep, 2 * len(kept))
