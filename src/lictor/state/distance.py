"""How far nodes are from each other, by their network coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from lictor.state.cells import Cell
from lictor.state.state import State
from lictor.types.kv import Coord

T = TypeVar("T")


def distance(a: Coord, b: Coord) -> float:
    """The round-trip time between two coordinates in seconds, as Vivaldi estimates it."""
    if len(a.vec) != len(b.vec):
        return math.inf
    plain = math.dist(a.vec, b.vec) + a.height + b.height
    adjusted = plain + a.adjustment + b.adjustment
    return adjusted if adjusted > 0 else plain


def nearest(
    state: State, near: str, rows: list[T], node_of: Callable[[T], str]
) -> tuple[list[T], tuple[Cell, ...], bool]:
    """The rows by their node's distance from the node `near`, those of unknown place last, and the cells looked at.

    The last value is False, and the rows are as they were, when the place of `near` itself is unknown.
    """
    coordinates = state.coordinates
    cells = (state.cells.get((coordinates.prefix,)),)
    origin = coordinates.get(near)
    if origin is None:
        return rows, cells, False

    def away(row: T) -> float:
        found = coordinates.get(node_of(row))
        return distance(origin.coord, found.coord) if found is not None else math.inf

    return sorted(rows, key=away), cells, True
