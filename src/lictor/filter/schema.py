"""Which fields of a record can be named in a filter, and what may be asked of each. It must not read any value.

A field goes by its JSON name. The shapes and their operators are the reference's: text, numbers and booleans; lists of
them; lists of records; maps with string keys; records. What has no such shape (`Any`, `dict[str, Any]`, bytes, times,
unions of several types) cannot be filtered on: the reference hides every such field too.

A Struct can say more in two class attributes:
    filter_hidden: ClassVar[frozenset[str]]     JSON names that cannot be filtered on
    filter_names: ClassVar[Mapping[str, str]]   further names -> JSON names
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, NewType, TypeAlias, Union, get_args, get_origin

import msgspec

from lictor.filter.syntax import Operator

ALWAYS_HIDDEN = frozenset({"CreateIndex", "ModifyIndex", "Namespace"})
"""JSON names that the reference lets nobody filter on, in whatever record."""


class Scalar(Enum):
    """A single value."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, tuple or set. Nothing but emptiness can be asked of one whose items have no shape."""

    item: Shape | None


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with string keys, any of which can follow in a selector."""

    value: Shape


@dataclass(frozen=True, slots=True)
class Record:
    """A Struct, whose fields can follow in a selector."""

    struct: type[msgspec.Struct]


Shape: TypeAlias = Scalar | ListOf | MapOf | Record


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: its attribute in a Struct, its key in a plain dict, its shape."""

    attribute: str
    key: str
    shape: Shape


_EQUALITY = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
_MEMBERSHIP = frozenset({Operator.IN, Operator.NOT_IN})
_EMPTINESS = frozenset({Operator.IS_EMPTY, Operator.IS_NOT_EMPTY})
_PATTERN = frozenset({Operator.MATCHES, Operator.NOT_MATCHES})


def operators(shape: Shape) -> frozenset[Operator]:
    """What may be asked of a value of this shape."""
    match shape:
        case Scalar.TEXT:
            return _EQUALITY | _MEMBERSHIP | _PATTERN
        case Scalar():
            return _EQUALITY
        case MapOf() | ListOf(Scalar()):
            return _MEMBERSHIP | _EMPTINESS
        case ListOf():
            return _EMPTINESS
        case Record():
            return frozenset()


@cache
def fields_of(struct: type[msgspec.Struct]) -> Mapping[str, Field]:
    """The fields of a record that can be filtered on, by every name they go by."""
    hidden = ALWAYS_HIDDEN | getattr(struct, "filter_hidden", frozenset())
    fields = {}
    for info in msgspec.structs.fields(struct):
        shape = None if info.encode_name in hidden else shape_of(info.type)
        if shape is not None:
            fields[info.encode_name] = Field(info.name, info.encode_name, shape)
    for name, key in getattr(struct, "filter_names", {}).items():
        fields[name] = fields[key]
    return fields


def shape_of(kind: Any) -> Shape | None:
    """The shape of an annotated type, or None when it has none."""
    kind = _bare(kind)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if not isinstance(origin, type):
        return None
    if issubclass(origin, msgspec.Struct):
        return Record(origin)
    for base, scalar in _SCALARS:
        if issubclass(origin, base):
            return scalar
    if issubclass(origin, Mapping):
        value = shape_of(arguments[1]) if arguments and shape_of(arguments[0]) is Scalar.TEXT else None
        return None if value is None else MapOf(value)
    if issubclass(origin, Sequence | set | frozenset) and not issubclass(origin, bytes | bytearray | memoryview):
        one_type = arguments and (len(arguments) == 1 or arguments[1:] == (...,))
        return ListOf(shape_of(arguments[0]) if one_type else None)
    return None


_SCALARS = ((str, Scalar.TEXT), (bool, Scalar.BOOLEAN), (int, Scalar.INTEGER), (float, Scalar.FLOAT))


def _bare(kind: Any) -> Any:
    """The type itself, without `Annotated`, `None`, `UNSET` and names given to it."""
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind = get_args(kind)[0]
        elif origin in (Union, types.UnionType):
            options = [one for one in get_args(kind) if one not in (types.NoneType, msgspec.UnsetType)]
            if len(options) != 1:
                return None
            kind = options[0]
        elif origin is Literal:
            kinds = {type(value) for value in get_args(kind)}
            return kinds.pop() if len(kinds) == 1 else None
        elif isinstance(kind, NewType):
            kind = kind.__supertype__
        else:
            return kind
