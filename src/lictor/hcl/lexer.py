"""HCL text to tokens, each with its place. Knows the tokens' forms and values, nothing of their order.

Source: the token forms of HCL 1 (identifiers may hold dots and dashes, `${...}` in a string is kept as it stands,
heredocs may be indented).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

IDENT, STRING, LITERAL, EOF = "identifier", "string", "value", "end of text"
PUNCTUATION = "{}[],="

# Possessive are only the classes: before 3.11.5, re gets a possessive group wrong that has a choice in it.
_SKIP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+|//[^\n]*+|/\*.*?\*/)*", re.S)
_TOKEN = re.compile(
    r"(?P<ident>[^\W\d][\w.\-]*+)"
    r"|(?P<float>-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))"
    r"|(?P<int>-?(?:0[xX][0-9a-fA-F]+|\d+))"
    r'|(?P<string>"(?:[^"\\\n$]++|\\[^\n]|\$(?!\{))*")'
    r"|(?P<template>\")"
    r"|(?P<heredoc><<(?P<indented>-?)(?P<anchor>\w+)\r?\n)"
    r"|(?P<punctuation>[{}\[\],=])"
)
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))", re.S
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_NUMBER_DIGITS = 64


class HCLError(ValueError):
    """HCL text that cannot be read. `line` and `column` count from 1."""

    def __init__(self, line: int, column: int, problem: str) -> None:
        super().__init__(f"At {line}:{column}: {problem}")
        self.line = line
        self.column = column
        self.problem = problem


class Token(NamedTuple):
    """`kind` is one of the names above or a punctuation mark; `value` is the text or number that it stands for."""

    kind: str
    value: Any
    line: int
    column: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text`, closed by one of kind EOF. Raises HCLError at the first that is none."""
    at, line, line_start = 0, 1, 0
    while True:
        skipped = _SKIP.match(text, at)
        end = skipped.end() if skipped else at
        if newlines := text.count("\n", at, end):
            line += newlines
            line_start = text.rindex("\n", at, end) + 1
        at = end
        column = at - line_start + 1
        if at >= len(text):
            yield Token(EOF, "", line, column)
            return
        kind, value, end = _token(text, at, line, column)
        yield Token(kind, value, line, column)
        if newlines := text.count("\n", at, end):
            line += newlines
            line_start = text.rindex("\n", at, end) + 1
        at = end


def _token(text: str, at: int, line: int, column: int) -> tuple[str, Any, int]:
    """The token at `at`: its kind, its value and where it ends."""
    found = _TOKEN.match(text, at)
    form = found.lastgroup if found else None
    if found is None or form is None:
        if text.startswith("/*", at):
            raise HCLError(line, column, "comment not terminated")
        raise HCLError(line, column, f"illegal character {text[at]!r}")
    raw, end = found.group(), found.end()
    try:
        if form == "punctuation":
            return raw, raw, end
        if form == "ident":
            return (LITERAL, raw == "true", end) if raw in ("true", "false") else (IDENT, raw, end)
        if form == "string":
            return STRING, _unescape(raw[1:-1]), end
        if form == "template":
            value, end = _template(text, at + 1)
            return STRING, value, end
        if found["anchor"]:
            value, end = _heredoc(text, end, found["anchor"], bool(found["indented"]))
            return LITERAL, value, end
        return LITERAL, _number(raw, form), end
    except ValueError as error:
        raise HCLError(line, column, str(error)) from None


def _number(raw: str, form: str) -> int | float:
    """A number as Go reads it: 0x for sixteen, a leading 0 for eight as the base; 64 bits."""
    if len(raw) > _NUMBER_DIGITS:
        raise ValueError("number too long")
    if form == "float":
        value = float(raw)
        if value in (float("inf"), float("-inf")):
            raise ValueError(f"number out of range: {raw}")
        return value
    digits = raw.lstrip("-")
    base = 16 if digits[:2] in ("0x", "0X") else 8 if len(digits) > 1 and digits[0] == "0" else 10
    try:
        number = int(raw, base)
    except ValueError:
        raise ValueError(f"illegal number {raw}") from None
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"number out of range: {raw}")
    return number


def _unescape(raw: str) -> str:
    if "\\" not in raw:
        return raw

    def character(found: re.Match[str]) -> str:
        simple, octal, *codes, other = found.groups()
        if simple:
            return _SIMPLE[simple]
        if other is not None:
            raise ValueError(f"illegal escape \\{other}")
        code = int(octal, 8) if octal else int(next(c for c in codes if c), 16)
        if code > 0x10FFFF:
            raise ValueError(f"illegal escape {found.group()}")
        return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)

    return _ESCAPE.sub(character, raw)


_TEMPLATE_MARK = re.compile(r'["\\{}\n]|\$\{')


def _template(text: str, at: int) -> tuple[str, int]:
    """A string that holds `${...}`: quotes and new lines are free inside the braces, which stay as they are."""
    parts: list[str] = []
    depth, start = 0, at
    for mark in _TEMPLATE_MARK.finditer(text, at):
        here = mark.start()
        if here < at:
            continue
        match mark.group():
            case "\\":
                at = here + 2
            case '"' if depth == 0:
                parts.append(_unescape(text[start:here]))
                return "".join(parts), here + 1
            case "\n" if depth == 0:
                break
            case "${" if depth == 0:
                parts.append(_unescape(text[start:here]))
                depth, start = 1, here
            case "{" | "${" if depth:
                depth += 1
            case "}" if depth == 1:
                parts.append(text[start : here + 1].replace('\\"', '"'))
                depth, start = 0, here + 1
            case "}" if depth:
                depth -= 1
    raise ValueError("literal not terminated")


def _heredoc(text: str, at: int, anchor: str, indented: bool) -> tuple[str, int]:
    """The lines up to the one that holds only `anchor`, whose indentation is taken off each when `indented`."""
    closing = re.compile(rf"^([ \t]*){re.escape(anchor)}\r*$", re.M).search(text, at)
    if closing is None:
        raise ValueError(f"heredoc not terminated: no line {anchor!r}")
    body, prefix = text[at : closing.start()], closing.group(1)
    if indented and prefix:
        lines = body.splitlines(keepends=True)
        if all(line.startswith(prefix) for line in lines):
            body = "".join(line[len(prefix) :] for line in lines)
    return body, closing.end()
