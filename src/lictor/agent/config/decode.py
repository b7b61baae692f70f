"""Raw configuration values to the shapes that Structs take, with every problem found on the way and its place.

The Structs are the schema: `Section`s name their keys as files do, the definitions of `lictor.types` as the API does (a
file may write those either way). A block that stands where a list is due is a list of one, as in HCL. Only what was
given comes out, so that sources can be laid over each other. Knows no key by name.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from lictor.agent.config.sections import SECONDS, Section
from lictor.hcl import Object
from lictor.types.definitions import ALIASES
from lictor.types.duration import Duration

_INT_MAX = (1 << 63) - 1
_NAMES = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}


class Problem(NamedTuple):
    """What is wrong with the value at `path`. `line` is 0 when it is not known."""

    path: str
    text: str
    line: int


class Shape(NamedTuple):
    """What a type asks for: `form` is struct, list, map or leaf; `inner` the Struct, item, value or leaf type."""

    form: str
    inner: Any


class Decoder:
    """Fits values to types. `problems` collects what did not fit, `ignored` the paths that `skip` names."""

    def __init__(self, skip: Collection[str] = ()) -> None:
        self.problems: list[Problem] = []
        self.ignored: list[str] = []
        self._skip = frozenset(skip)

    def struct(
        self, raw: Mapping[str, Any], kind: type[msgspec.Struct], path: str = "", line: int = 0
    ) -> dict[str, Any]:
        """The members of `raw` under the names that `kind` has on the wire, each fitted to its field's type."""
        fields, loose = _fields(kind)
        lines = raw.lines if isinstance(raw, Object) else {}
        fitted: dict[str, Any] = {}
        for key, value in raw.items():
            here = f"{path}.{key}" if path else key
            there = lines.get(key, line)
            if value is None:
                continue
            if here.lower() in self._skip:
                self.ignored.append(here.lower())
                continue
            low = key.lower()
            found = fields.get(low)
            if found is None and loose:
                found = fields.get(ALIASES.get(low, "").lower()) or fields.get(low.replace("_", ""))
            if found is None:
                self.problems.append(Problem(here, f"invalid config key {here}", there))
                continue
            fitted[found[0]] = self._value(value, found[1], here, there)
        return fitted

    def _value(self, raw: Any, kind: Any, path: str, line: int) -> Any:
        form, inner = shape(kind)
        if form == "list":
            items = [raw] if isinstance(raw, dict) and shape(inner).form in ("struct", "map") else raw
            if not isinstance(items, list):
                return self._wrong(path, "a list", raw, line)
            return [self._value(item, inner, f"{path}[{i}]", line) for i, item in enumerate(items) if item is not None]
        if form == "leaf":
            return self._leaf(raw, inner, path, line)
        if isinstance(raw, list) and len(raw) == 1:
            raw = raw[0]
        if isinstance(raw, list) and len(raw) > 1 and all(isinstance(item, dict) for item in raw):
            return self._bad(path, f"given {len(raw)} times, expected once", line)
        if not isinstance(raw, dict):
            return self._wrong(path, "an object", raw, line)
        if form == "struct":
            return self.struct(raw, inner, path, line)
        lines = raw.lines if isinstance(raw, Object) else {}
        return {
            key: self._value(value, inner, f"{path}.{key}", lines.get(key, line))
            for key, value in raw.items()
            if value is not None
        }

    def _leaf(self, raw: Any, kind: Any, path: str, line: int) -> Any:
        if kind is Any:
            return _plain(raw)
        if kind is Duration or kind == SECONDS:
            try:
                length = Duration.read(raw)
            except ValueError as error:
                return self._bad(path, f"invalid duration: {error}", line)
            return length if kind is Duration else length.seconds
        if kind is bool or kind is str:
            return raw if isinstance(raw, kind) else self._wrong(path, _NAMES[kind], raw, line)
        if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not math.isfinite(raw):
            return self._wrong(path, "a number", raw, line)
        if kind is float:
            return float(raw)
        if raw != int(raw) or abs(raw) > _INT_MAX:
            return self._bad(path, f"expected a whole number, found {raw}", line)
        return int(raw)

    def _wrong(self, path: str, wanted: str, raw: Any, line: int) -> None:
        self._bad(path, f"expected {wanted}, found {_NAMES.get(type(raw), 'a list')}", line)

    def _bad(self, path: str, text: str, line: int) -> None:
        self.problems.append(Problem(path, f"{path}: {text}", line))


@lru_cache(maxsize=256)
def shape(kind: Any) -> Shape:
    """What the type annotation `kind` asks for."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        inner, *notes = typing.get_args(kind)
        marked = any(isinstance(note, msgspec.Meta) and (note.extra or {}).get(SECONDS) for note in notes)
        return Shape("leaf", SECONDS) if marked else shape(inner)
    if origin in (typing.Union, types.UnionType):
        return shape(next(option for option in typing.get_args(kind) if option is not types.NoneType))
    if origin in (list, tuple):
        return Shape("list", typing.get_args(kind)[0])
    if origin is dict:
        return Shape("map", typing.get_args(kind)[1])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return Shape("struct", kind)
    return Shape("leaf", kind)


@lru_cache(maxsize=256)
def _fields(kind: type[msgspec.Struct]) -> tuple[dict[str, tuple[str, Any]], bool]:
    """Wire names in lower case -> (wire name, type), and whether other spellings are looked for as well."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {f.encode_name.lower(): (f.encode_name, hints[f.name]) for f in msgspec.structs.fields(kind)}
    return fields, not issubclass(kind, Section)


def _plain(raw: Any) -> Any:
    """`raw` with the parser's own containers replaced by ordinary ones. Its depth is bounded by the parser."""
    if isinstance(raw, dict):
        return {key: _plain(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_plain(item) for item in raw]
    return raw
