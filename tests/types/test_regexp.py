"""Regular expressions: RE2's syntax, groups, errors."""

from __future__ import annotations

import pytest

from lictor.types.regexp import groups, matches


def test_matches_anywhere() -> None:
    assert matches("b+", "abbc") and not matches("^b", "abbc") and matches("", "")
    assert matches("é", "café") and matches(r"\x{e9}$", "café")


def test_groups() -> None:
    assert groups("^geo-(.*?)-([^-]+)$", "geo-a-b-c") == ["geo-a-b-c", "a-b", "c"]
    assert groups("(a)|(b)", "b") == ["b", "", "b"]
    assert groups("x", "y") == []


@pytest.mark.parametrize("pattern", ["(", "[", "*", "(?=x)", "\\1", "\ud800"])
def test_what_re2_does_not_know(pattern: str) -> None:
    with pytest.raises(ValueError, match="error parsing regexp"):
        matches(pattern, "x")
