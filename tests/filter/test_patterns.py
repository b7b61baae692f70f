"""Regular expressions in RE2's syntax."""

from __future__ import annotations

import pytest

from lictor.filter.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("^a.c$", "abc", True),
        ("$", "", True),
        ("(?i)ABC", "abc", True),
        (r"\pL+\z", "\u00e5\u00df", True),
        ("a$", "a\n", False),
        ("^.$", "\n", False),
        (r"\x{e5}", "\u00e5", True),
        (r"\Qa.b\E", "a.b", True),
        ("(?P<name>a)", "a", True),
        ("a", "\ud800a", True),
    ],
)
def test_searching(pattern: str, text: str, expected: bool) -> None:
    assert compile_pattern(pattern)(text) is expected


@pytest.mark.parametrize("pattern", ["(", "[a", "a**", r"(?=a)", r"(a)\1", "a{1001}", "\udcff", "((a{100}){100}){100}"])
def test_wrong_patterns(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^error parsing regexp: "):
        compile_pattern(pattern)


def test_no_pattern_takes_more_than_linear_time() -> None:
    # A backtracking engine would need 2**5000 steps here.
    assert compile_pattern("^(a|a)*(a+)+$")("a" * 5000 + "b") is False
