"""Columns of text, as wide as their widest cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(rows: Iterable[Sequence[str]], gap: int = 2) -> list[str]:
    """The rows as lines, cells left-aligned with `gap` blanks between columns and none at the end."""
    kept = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    blank = " " * gap
    return [blank.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in kept]
