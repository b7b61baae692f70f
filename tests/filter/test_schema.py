"""Which fields have which shapes and operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, NewType

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from lictor.filter.schema import ListOf, MapOf, Record, Scalar, fields_of, operators, shape_of
from lictor.filter.syntax import Operator

Name = NewType("Name", str)


class Inner(msgspec.Struct, rename="pascal"):
    port: int = 0
    again: Outer | None = None


class Outer(msgspec.Struct, rename="pascal"):
    filter_hidden: ClassVar[frozenset[str]] = frozenset({"Secret"})
    filter_names: ClassVar[Mapping[str, str]] = {"TheID": "ID"}

    id: str = msgspec.field(name="ID", default="")
    inner: Inner | UnsetType = UNSET
    secret: str = ""
    config: dict[str, Any] = {}
    create_index: int = 0
    modify_index: int = 0


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (str, Scalar.TEXT),
        (bool, Scalar.BOOLEAN),
        (int, Scalar.INTEGER),
        (float, Scalar.FLOAT),
        (Name, Scalar.TEXT),
        (str | None, Scalar.TEXT),
        (int | UnsetType, Scalar.INTEGER),
        (Annotated[str, "note"] | None, Scalar.TEXT),
        (Literal["a", "b"], Scalar.TEXT),
        (list[str], ListOf(Scalar.TEXT)),
        (tuple[int, ...], ListOf(Scalar.INTEGER)),
        (set[str] | None, ListOf(Scalar.TEXT)),
        (list[Inner], ListOf(Record(Inner))),
        (list[Any], ListOf(None)),
        (list, ListOf(None)),
        (dict[str, str], MapOf(Scalar.TEXT)),
        (Mapping[str, Inner], MapOf(Record(Inner))),
        (dict[str, list[str]], MapOf(ListOf(Scalar.TEXT))),
        (dict[str, Any], None),
        (dict[int, str], None),
        (dict, None),
        (Any, None),
        (bytes, None),
        (str | int, None),
        (Literal["a", 1], None),
        (None, None),
        (object, None),
    ],
)
def test_shapes(kind: Any, shape: Any) -> None:
    assert shape_of(kind) == shape


def test_fields_go_by_their_json_names_and_aliases() -> None:
    fields = fields_of(Outer)
    assert set(fields) == {"ID", "TheID", "Inner"}
    assert fields["TheID"] is fields["ID"]
    assert (fields["ID"].attribute, fields["ID"].key, fields["ID"].shape) == ("id", "ID", Scalar.TEXT)
    assert fields_of(Inner)["Again"].shape == Record(Outer)


def test_operators_are_those_of_the_reference() -> None:
    equality = {Operator.EQUAL, Operator.NOT_EQUAL}
    membership = {Operator.IN, Operator.NOT_IN}
    emptiness = {Operator.IS_EMPTY, Operator.IS_NOT_EMPTY}
    assert operators(Scalar.TEXT) == equality | membership | {Operator.MATCHES, Operator.NOT_MATCHES}
    assert operators(Scalar.INTEGER) == operators(Scalar.BOOLEAN) == operators(Scalar.FLOAT) == equality
    assert operators(ListOf(Scalar.INTEGER)) == operators(MapOf(Record(Inner))) == membership | emptiness
    assert operators(ListOf(Record(Inner))) == operators(ListOf(None)) == emptiness
    assert operators(Record(Inner)) == set()
