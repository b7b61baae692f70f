from __future__ import annotations

import pytest

from lictor.hcl.lexer import EOF, HCLError, tokens


def kinds(text: str) -> list[str]:
    return [token.kind for token in tokens(text)]


def values(text: str) -> list[object]:
    return [token.value for token in tokens(text) if token.kind != EOF]


def test_tokens_have_their_place() -> None:
    found = [(token.value, token.line, token.column) for token in tokens('a = 1\n  b {\n"c" }')]
    assert found == [
        ("a", 1, 1), ("=", 1, 3), (1, 1, 5), ("b", 2, 3), ("{", 2, 5), ("c", 3, 1), ("}", 3, 5), ("", 3, 6),
    ]  # fmt: skip


def test_comments_are_skipped() -> None:
    assert values("# one\n// two\na /* three\n */ = 1 # four") == ["a", "=", 1]


def test_identifiers_may_hold_dots_and_dashes() -> None:
    assert values("disable_compat_1.9 service-x") == ["disable_compat_1.9", "service-x"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("-7", -7), ("0x1F", 31), ("010", 8), ("1.5", 1.5), ("-2.5e3", -2500.0), ("1e3", 1000.0)],
)
def test_numbers(text: str, value: float) -> None:
    assert values(text) == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\n\t\"\\b"', 'a\n\t"\\b'),
        (r'"\u00e9\U0001F600\x41\101"', "é😀AA"),
        (r'"\ud800"', "\ufffd"),
        ('"${a "b" {c} }"', '${a "b" {c} }'),
        ('"x ${one\ntwo} \\n"', "x ${one\ntwo} \n"),
        ('"$5 {{ GetPrivateIP }}"', "$5 {{ GetPrivateIP }}"),
    ],
)
def test_strings(text: str, value: str) -> None:
    assert values(text) == [value]


def test_heredocs() -> None:
    assert values("a = <<EOF\none\n two\nEOF\n") == ["a", "=", "one\n two\n"]
    assert values("a = <<-EOF\n    one\n      two\n    EOF\n") == ["a", "=", "one\n  two\n"]
    assert values("a = <<-EOF\n  one\n two\n   EOF\n") == ["a", "=", "  one\n two\n"]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('a = "x\n"', 1, "literal not terminated"),
        ('\na = "${x', 2, "literal not terminated"),
        ("/* x", 1, "comment not terminated"),
        ("a = <<EOF\nx\n", 1, "heredoc"),
        (r'a = "\q"', 1, "illegal escape"),
        (r'a = "\U7fffffff"', 1, "illegal escape"),
        ("a = 09", 1, "illegal number"),
        ("a = 1e999", 1, "out of range"),
        ("a = 99999999999999999999", 1, "out of range"),
        ("a = " + "9" * 100, 1, "too long"),
        ("a = 1 ; b", 1, "illegal character"),
        ("a = \0", 1, "illegal character"),
    ],
)
def test_what_is_no_token_is_refused_with_its_place(text: str, line: int, problem: str) -> None:
    with pytest.raises(HCLError, match=problem) as caught:
        list(tokens(text))
    assert caught.value.line == line
