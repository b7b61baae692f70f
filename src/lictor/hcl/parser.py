"""HCL tokens to plain values: objects, lists, text, numbers, booleans. Knows the grammar and how repeats combine.

An object given once is an `Object`, given again under the same key a list of them (so that repeated blocks read like
a list); labels nest: `key "a" { x = 1 }` is `{"key": {"a": {"x": 1}}}`, and blocks with further labels join that.
Anything else given twice counts the last time. Source: HCL 1 as the reference decodes it into maps.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from lictor.hcl.lexer import EOF, IDENT, LITERAL, STRING, HCLError, Token, tokens

MAX_DEPTH = 64
_BYTE = re.compile(r" \(byte (\d+)\)\Z")


class Object(dict[str, Any]):
    """An object of the text. `lines` tells on which line each key stands; empty when that is not known (JSON)."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}
        self.labelled = False


def parse(text: str, *, max_depth: int = MAX_DEPTH) -> Object:
    """The document as an object. Text that begins with a brace is read as JSON, as the reference does.

    Raises HCLError with the place; nesting beyond `max_depth` is refused there.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] == "{":
        return _json(text, max_depth)
    return _Parser(text, max_depth).document()


class _Parser:
    def __init__(self, text: str, max_depth: int) -> None:
        self._tokens = tokens(text)
        self._token = next(self._tokens)
        self._max_depth = max_depth

    def document(self) -> Object:
        return self._items(EOF, 1)

    def _advance(self) -> Token:
        token = self._token
        self._token = next(self._tokens, token)
        return token

    def _fail(self, problem: str) -> HCLError:
        return HCLError(self._token.line, self._token.column, problem)

    def _items(self, end: str, depth: int) -> Object:
        """The members up to the token `end`, which is not taken."""
        if depth > self._max_depth:
            raise self._fail(f"nested deeper than {self._max_depth} levels")
        members = Object()
        while self._token.kind != end:
            self._member(members, depth)
            if self._token.kind == ",":
                self._advance()
        return members

    def _member(self, into: Object, depth: int) -> None:
        if self._token.kind not in (IDENT, STRING):
            raise self._fail(f"expected a key, found {_shown(self._token)}")
        first = self._advance()
        labels: list[Token] = []
        while self._token.kind in (IDENT, STRING):
            labels.append(self._advance())
            if depth + len(labels) > self._max_depth:
                raise self._fail(f"nested deeper than {self._max_depth} levels")
        if self._token.kind == "=" and not labels:
            self._advance()
            value = self._value(depth)
        elif self._token.kind == "{":
            value = self._object(depth + len(labels))
        else:
            raise self._fail(f'key {first.value!r} needs a value ("=") or a block ("{{"), found {_shown(self._token)}')
        for label in reversed(labels):
            outer = Object()
            outer.labelled = True
            outer[label.value] = value
            outer.lines[label.value] = label.line
            value = outer
        into[first.value] = _combined(into[first.value], value) if first.value in into else value
        into.lines.setdefault(first.value, first.line)

    def _value(self, depth: int) -> Any:
        kind = self._token.kind
        if kind in (STRING, LITERAL):
            return self._advance().value
        if kind == "{":
            return self._object(depth)
        if kind == "[":
            return self._list(depth + 1)
        raise self._fail(f"expected a value, found {_shown(self._token)}")

    def _object(self, depth: int) -> Object:
        self._advance()
        members = self._items("}", depth + 1)
        self._advance()
        return members

    def _list(self, depth: int) -> list[Any]:
        if depth > self._max_depth:
            raise self._fail(f"nested deeper than {self._max_depth} levels")
        self._advance()
        items: list[Any] = []
        while self._token.kind != "]":
            items.append(self._value(depth))
            if self._token.kind == ",":
                self._advance()
            elif self._token.kind != "]":
                raise self._fail(f"expected a comma or the end of the list, found {_shown(self._token)}")
        self._advance()
        return items


def _shown(token: Token) -> str:
    return token.kind if token.kind == EOF else f"{token.value!r}"[:40]


class _Repeated(list[Any]):
    """Objects given one by one under the same key."""


def _objects(value: Any) -> list[Any] | None:
    """`value` as a list of objects, when it is one or several."""
    if isinstance(value, Object):
        return [value]
    if isinstance(value, _Repeated) or (isinstance(value, list) and all(isinstance(item, Object) for item in value)):
        return value
    return None


def _combined(old: Any, new: Any) -> Any:
    """What a key holds that was given as `old` and then as `new`."""
    if isinstance(old, Object) and isinstance(new, Object) and old.labelled and new.labelled:
        for label, value in new.items():
            old[label] = _combined(old[label], value) if label in old else value
            old.lines.setdefault(label, new.lines[label])
        return old
    before, after = _objects(old), _objects(new)
    if before is None or after is None:
        return new
    if isinstance(before, _Repeated):
        before.extend(after)
        return before
    return _Repeated([*before, *after])


def _json(text: str, max_depth: int) -> Object:
    raw = text.encode("utf-8", "replace")
    try:
        value = msgspec.json.decode(raw)
    except RecursionError:
        raise HCLError(1, 1, f"nested deeper than {max_depth} levels") from None
    except msgspec.DecodeError as error:
        found = _BYTE.search(str(error))
        at = int(found[1]) if found else len(raw)
        line_start = raw.rfind(b"\n", 0, at) + 1
        raise HCLError(raw.count(b"\n", 0, at) + 1, at - line_start + 1, _BYTE.sub("", str(error))) from None
    if _depth(value) > max_depth:
        raise HCLError(1, 1, f"nested deeper than {max_depth} levels")
    document = Object()
    document.update(value)
    return document


def _depth(value: Any) -> int:
    """How deeply objects and lists nest in `value`."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
