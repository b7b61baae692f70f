"""A tree and the shape of its records to one closure that tests a record. All checks happen here, none while testing.

Rules of the reference that are easy to miss:
- A selector through a list of records holds when *any* of them matches, with the operator as it stands:
  `Checks.Status != passing` asks for a check that is not passing, and nothing holds of an empty list.
- A key that a map does not have makes `==`, `in` and `is not empty` false and everything else true, `matches` too.
- A field left out, None or UNSET counts as its empty value, as Go's zero values do.

Records are Structs or plain dicts in JSON names, mixed at will.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import UNSET

from lictor.filter.coerce import EMPTY, Value, coerce
from lictor.filter.errors import FilterError, quoted
from lictor.filter.patterns import compile_pattern
from lictor.filter.schema import Field, ListOf, MapOf, Record, Scalar, Shape, fields_of, operators
from lictor.filter.syntax import And, Expression, Match, Not, Operator, Or
from lictor.limits import FILTER_DEPTH

Predicate: TypeAlias = Callable[[Any], bool]

_OPPOSITE = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.NOT_IN: Operator.IN,
    Operator.IS_NOT_EMPTY: Operator.IS_EMPTY,
    Operator.NOT_MATCHES: Operator.MATCHES,
}
_FALSE_WITHOUT_KEY = frozenset({Operator.EQUAL, Operator.IN, Operator.IS_NOT_EMPTY})


def build(tree: Expression, shape: Shape) -> Predicate:
    """The test that `tree` describes, for records of `shape`.

    Raises FilterError for a selector that names no field, an operator that its field does not have, a value that is
    not of its field's type, or a wrong regular expression.
    """
    match tree:
        case Match():
            if len(tree.selector) > FILTER_DEPTH:
                raise FilterError(f"a selector has {len(tree.selector)} names, at most {FILTER_DEPTH} are allowed")
            return _follow(shape, tree, 0)
        case Not(operand):
            return _negated(build(operand, shape))
        case And(operands):
            return _every([build(operand, shape) for operand in operands])
        case Or(operands):
            return _either([build(operand, shape) for operand in operands])


def _follow(shape: Shape, match: Match, depth: int) -> Predicate:
    """The test of what lies at `match.selector[depth:]` below a value of `shape`."""
    if depth == len(match.selector):
        return _leaf(shape, match)
    name = match.selector[depth]
    match shape:
        case Record(struct) if name in fields_of(struct):
            field = fields_of(struct)[name]
            return _field(field, _follow(field.shape, match, depth + 1))
        case MapOf(value):
            return _key(name, _follow(value, match, depth + 1), match.operator not in _FALSE_WITHOUT_KEY)
        case ListOf(item) if item is not None:
            return _any(_follow(item, match, depth))
    raise FilterError(f"Selector {_shown(match.selector[: depth + 1])} is not valid")


def _field(field: Field, test: Predicate) -> Predicate:
    attribute, key = field.attribute, field.key

    def of_field(record: Any) -> bool:
        if type(record) is dict:
            return test(record.get(key))
        if record is None or record is UNSET:
            return test(None)
        return test(getattr(record, attribute))

    return of_field


def _key(key: str, test: Predicate, without: bool) -> Predicate:
    def of_key(mapping: Any) -> bool:
        value = mapping.get(key) if mapping else None
        return without if value is None else test(value)

    return of_key


def _any(test: Predicate) -> Predicate:
    def of_any(items: Any) -> bool:
        return bool(items) and any(map(test, items))

    return of_any


def _negated(test: Predicate) -> Predicate:
    return lambda value: not test(value)


def _every(tests: list[Predicate]) -> Predicate:
    def every(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if not test(value):
                return False
        return True

    return every


def _either(tests: list[Predicate]) -> Predicate:
    def either(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if test(value):
                return True
        return False

    return either


def _leaf(shape: Shape, match: Match) -> Predicate:
    """The test of the selected value itself."""
    if match.operator not in operators(shape):
        raise FilterError(f'Invalid match operator "{match.operator.value}" for selector {_shown(match.selector)}')
    opposite = _OPPOSITE.get(match.operator)
    if opposite is not None:
        return _negated(_positive(shape, opposite, match))
    return _positive(shape, match.operator, match)


def _positive(shape: Shape, operator: Operator, match: Match) -> Predicate:
    if operator is Operator.IS_EMPTY:
        return lambda value: not value
    kind = shape if isinstance(shape, Scalar) else Scalar.TEXT
    if isinstance(shape, ListOf) and isinstance(shape.item, Scalar):
        kind = shape.item
    wanted = _wanted(kind, match)
    if operator is Operator.MATCHES:
        found = _pattern(str(wanted))
        return lambda value: found(value or "")
    if operator is Operator.IN:
        nothing: Any = "" if shape is Scalar.TEXT else ()
        return lambda value: wanted in (value or nothing)
    empty = EMPTY[kind]
    return lambda value: bool((value or empty) == wanted)


def _wanted(kind: Scalar, match: Match) -> Value:
    """The match's value as one of its field's type."""
    text = match.value or ""
    try:
        return coerce(text, kind)
    except ValueError as error:
        selector = _shown(match.selector)
        raise FilterError(f"Failed to coerce value {quoted(text)} for selector {selector}: {error}") from None


def _pattern(text: str) -> Callable[[str], bool]:
    try:
        return compile_pattern(text)
    except ValueError as error:
        raise FilterError(f"Failed to compile regular expression {quoted(text)}: {error}") from None


def _shown(selector: tuple[str, ...]) -> str:
    return quoted(".".join(selector))
