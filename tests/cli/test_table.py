from __future__ import annotations

from lictor.cli.table import table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table([("Node", "ID"), ("a-long-name", "1"), ("b", "")]) == ["Node         ID", "a-long-name  1", "b"]
    assert table([("a", "b")], gap=6) == ["a      b"]
    assert table([]) == []
