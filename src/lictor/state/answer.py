"""What a read returns: the value, and the cells that tell when it changes."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from lictor.state.cells import DROPPED, Cell

T = TypeVar("T")


class Answer(msgspec.Struct, Generic[T]):
    """The value of a read and the cells it touched; it stays true while none of them moves."""

    value: T
    cells: tuple[Cell, ...]

    @property
    def index(self) -> int:
        """The answer's index: that of the cell which moved last (at least 1)."""
        return max((cell.index for cell in self.cells), default=1) or 1


def stamp(answer: Answer[Any]) -> tuple[tuple[Cell, int], ...]:
    """The answer's cells with their index as of now, to be compared later with `unmoved`."""
    return tuple((cell, cell.index) for cell in answer.cells)


def unmoved(stamped: tuple[tuple[Cell, int], ...]) -> bool:
    """True while no cell of a stamp has moved or been dropped."""
    moved = False
    for cell, index in stamped:  # a loop, since this is asked for every answer and a generator costs as much again
        moved |= cell.index != index or index == DROPPED
    return not moved
