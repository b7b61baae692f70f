"""Strings as they stand in an expression, between quotes and free of them. Nothing else is known here.

Double quotes take Go's escapes (but cannot hold a double quote as such), backticks take everything as it is. Bytes that
are no UTF-8, which escapes can write, become lone surrogates: they equal nothing that JSON can hold.
"""

from __future__ import annotations

import re

_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}
_ESCAPE = re.compile(
    rb"""\\(?: (?P<simple>[abfnrtv\\"]) | x(?P<hex>[0-9a-fA-F]{2}) | (?P<octal>[0-7]{3})
           | u(?P<short>[0-9a-fA-F]{4}) | U(?P<long>[0-9a-fA-F]{8}) | (?P<wrong>) )""",
    re.VERBOSE,
)
_MUST_ESCAPE = re.compile(rb'[\x00-\x1f"\\\x7f]')


def unquote(literal: str) -> str:
    """The text of a literal in backticks or double quotes. Raises ValueError as the reference does."""
    body = literal[1:-1]
    if literal[0] == "`":
        return body.replace("\r", "")
    if "\n" in body:
        raise ValueError("invalid syntax")
    return _ESCAPE.sub(_unescape, body.encode()).decode("utf-8", "surrogateescape")


def quote(text: str) -> str:
    """`text` as a literal in double quotes: `unquote` gives it back."""
    raw = text.encode("utf-8", "surrogateescape")
    safe = _MUST_ESCAPE.sub(lambda found: b"\\x%02x" % found[0][0], raw)
    return '"' + re.sub(r"[\udc80-\udcff]", _byte_escape, safe.decode("utf-8", "surrogateescape")) + '"'


def _byte_escape(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]) - 0xDC00:02x}"


def _unescape(found: re.Match[bytes]) -> bytes:
    kind, digits = found.lastgroup or "", found[found.lastgroup or 0]
    if kind == "simple":
        return bytes((_SIMPLE[digits.decode()],))
    code = -1 if kind == "wrong" else int(digits, 8 if kind == "octal" else 16)
    if kind in ("hex", "octal") and code <= 0xFF:
        return bytes((code,))
    if kind in ("short", "long") and code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
        return chr(code).encode()
    raise ValueError("invalid syntax")
