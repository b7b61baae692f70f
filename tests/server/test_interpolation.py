"""The language of query templates."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.server.interpolation import Scope, interpolate

SCOPE = Scope({"name.full": "geo-db-x", "name.suffix": "db-x", "seven": "7"}, ["geo-db-x", "db", "2"])


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("plain $ text } {", "plain $ text } {"),
        ("${name.full}", "geo-db-x"),
        ("a-${name.suffix}-${ match( 1 ) }", "a-db-x-db"),
        ("${match(0)}${match(9)}${match(-1)}", "geo-db-x"),
        ("$${name.full}", "${name.full}"),
        ("x$${a}${match(1)}", "x${a}db"),
        ("${match(match(2) - 1)}", "db"),
        ("n${1 + 2 * 3}", "n7"),
        ("n${(1 + 2) * 3 - 10 / 3 % 2}", "n8"),
        ("n${-seven + 8}", "n1"),
        ('${"quoted \\"text\\" }"}', 'quoted "text" }'),
    ],
)
def test_texts(text: str, result: str) -> None:
    assert interpolate(text, SCOPE) == result


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${", "cannot read"),
        ("${}", 'unexpected "}"'),
        ("${name.full", 'expected "}"'),
        ("${name.full) ", 'expected "}"'),
        ("${no.such}", "unknown variable accessed: no.such"),
        ("${other(1)}", "unknown function called: other"),
        ("${match(name.full)}", '"geo-db-x" is no number'),
        ("${match(1, 2)}", 'expected ")"'),
        ("${1 + 1}", "expected a string, got the number 2"),
        ("x${1 / 0}", "divide by zero"),
        ("x${9999999999999999999}", "is too large"),
        ("x${999999999999999999 * 999999999999999999}", "number out of range"),
        ("x${" + "(" * 50 + "1" + ")" * 50 + "}", "nested too deeply"),
        ("x${" + "-" * 5000 + "1}", "nested too deeply"),
        ("x" * 10_000, "longer than"),
    ],
)
def test_what_cannot_be(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".*") as raised:
        interpolate(text, SCOPE)
    assert reason in str(raised.value)


@given(st.text(alphabet='${}()"\\+-*/%, .0129amtchne', max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(interpolate(text, SCOPE), str)


@given(st.text(max_size=20).filter(lambda text: "${" not in text))
def test_a_text_without_expressions_is_itself(text: str) -> None:
    assert interpolate(text, SCOPE) == text
