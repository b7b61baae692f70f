"""Filters over records: operators, missing values, lists and maps, errors, and agreement with a plain model."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.filter import FilterError, compile_filter
from lictor.filter.syntax import And, Expression, Match, Not, Operator, Or
from lictor.limits import FILTER_DEPTH


class Wire(msgspec.Struct, rename="pascal", kw_only=True):
    pass


class Address(Wire):
    address: str = ""
    port: int = 0


class Check(Wire):
    status: str = ""
    tags: list[str] = []
    meta: dict[str, str] = {}


class Group(Wire):
    checks: list[Check] = []


class Service(Wire):
    name: str = ""
    port: int = 0
    share: float = 0.0
    native: bool = False
    tags: list[str] | None = None
    ports: tuple[int, ...] = ()
    meta: dict[str, str] | None = None
    addresses: dict[str, Address] = {}


class Entry(Wire):
    service: Service | None = None
    checks: list[Check] = []
    groups: list[Group] = []
    next: Entry | None = None
    config: dict[str, Any] = {}


WEB = Entry(
    service=Service(
        name="web",
        port=80,
        share=0.5,
        native=True,
        tags=["v1", "primary"],
        ports=(80, 443),
        meta={"version": "1.0", "a b": "x", "": "nameless"},
        addresses={"lan": Address(address="10.0.0.1", port=8000)},
    ),
    checks=[Check(status="passing", tags=["t"], meta={"k": "v"}), Check(status="warning")],
    groups=[Group(), Group(checks=[Check(status="critical")])],
)
BARE = Entry()


def answers(expression: str) -> tuple[bool, bool]:
    """What `expression` says of the full record and of the bare one, which it must say of both their forms."""
    test = compile_filter(expression, Entry)
    full, bare = test(WEB), test(BARE)
    assert test(msgspec.to_builtins(WEB)) is full
    assert test({}) is bare
    assert test({"Service": Service(), "Checks": None}) is bare
    return full, bare


@pytest.mark.parametrize(
    ("expression", "full", "bare"),
    [
        ("Service.Name == web", True, False),
        ("Service.Name != web", False, True),
        ('Service.Name == ""', False, True),
        ("eb in Service.Name", True, False),
        ("Service.Name contains eb", True, False),
        ("Service.Name not contains eb", False, True),
        ("`` in Service.Name", True, True),
        ("Service.Name matches `^w.b$`", True, False),
        ("Service.Name not matches `^w.b$`", False, True),
        ("Service.Port == 80", True, False),
        ('Service.Port == "0x50"', True, False),
        ("Service.Port != 80", False, True),
        ("Service.Port == 0", False, True),
        ("Service.Share == 0.50", True, False),
        ("Service.Native == true", True, False),
        ("Service.Native != T", False, True),
        ("Service.Native == false", False, True),
    ],
)
def test_single_values(expression: str, full: bool, bare: bool) -> None:
    assert answers(expression) == (full, bare)


@pytest.mark.parametrize(
    ("expression", "full", "bare"),
    [
        ("v1 in Service.Tags", True, False),
        ("v1 not in Service.Tags", False, True),
        ("Service.Tags contains v", False, False),
        ("Service.Tags is empty", False, True),
        ("Service.Tags is not empty", True, False),
        ("443 in Service.Ports", True, False),
        ("Checks is empty", False, True),
    ],
)
def test_lists_of_values(expression: str, full: bool, bare: bool) -> None:
    assert answers(expression) == (full, bare)


@pytest.mark.parametrize(
    ("expression", "full", "bare"),
    [
        ("version in Service.Meta", True, False),
        ("Service.Meta contains nope", False, False),
        ("nope not in Service.Meta", True, True),
        ("Service.Meta is empty", False, True),
        ('Service.Meta["a b"] == x', True, False),
        ('"/Service/Meta/a b" == x', True, False),
        ('version in "/Service/Meta"', True, False),
        ('Service.Meta[""] == nameless', True, False),
        ('Service.Meta.version == "1.0"', True, False),
        ("Service.Addresses.lan.Port == 8000", True, False),
        ("lan in Service.Addresses", True, False),
    ],
)
def test_maps(expression: str, full: bool, bare: bool) -> None:
    assert answers(expression) == (full, bare)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("Service.Meta.nope == x", False),
        ("Service.Meta.nope != x", True),
        ("x in Service.Meta.nope", False),
        ("x not in Service.Meta.nope", True),
        ("Service.Meta.nope matches x", True),
        ("Service.Meta.nope not matches x", True),
        ("Service.Addresses.nope.Port == 0", False),
        ("Service.Addresses.nope.Port != 0", True),
    ],
)
def test_a_missing_key_is_as_in_the_reference(operation: str, expected: bool) -> None:
    assert answers(operation) == (expected, expected)


@pytest.mark.parametrize(
    ("expression", "full", "bare"),
    [
        ("Checks.Status == warning", True, False),
        ("Checks.Status != passing", True, False),
        ("not Checks.Status != passing", False, True),
        ("not Checks.Status == critical", True, True),
        ("Checks.Status == critical", False, False),
        ("Checks.Tags is empty", True, False),
        ("t in Checks.Tags", True, False),
        ("Checks.Meta.k == v", True, False),
        ("Checks.Meta.k != v", True, False),
        ("Groups.Checks.Status == critical", True, False),
        ("Groups.Checks is empty", True, False),
        ("Next.Next.Service.Name == x", False, False),
    ],
)
def test_a_list_of_records_holds_when_any_does(expression: str, full: bool, bare: bool) -> None:
    assert answers(expression) == (full, bare)


def test_logic() -> None:
    assert answers("Service.Port == 80 and Service.Name == web and Checks is not empty") == (True, False)
    assert answers("Service.Port == 1 or Service.Name == x or Checks is empty") == (False, True)
    assert answers("not (Service.Port == 80 or Checks is empty)") == (False, False)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("Nope == 1", 'Selector "Nope" is not valid'),
        ("service.Name == x", 'Selector "service" is not valid'),
        ("Service.Nope.More == 1", 'Selector "Service.Nope" is not valid'),
        ("Service.Name.x == 1", 'Selector "Service.Name.x" is not valid'),
        ("Service.Tags.x == 1", 'Selector "Service.Tags.x" is not valid'),
        ("Config.a == 1", 'Selector "Config" is not valid'),
        ("Service.Name is empty", 'Invalid match operator "Is Empty" for selector "Service.Name"'),
        ("Service == x", 'Invalid match operator "Equal" for selector "Service"'),
        ("x in Service.Port", 'Invalid match operator "In" for selector "Service.Port"'),
        ("Service.Tags == x", 'Invalid match operator "Equal" for selector "Service.Tags"'),
        ("x in Checks", 'Invalid match operator "In" for selector "Checks"'),
        ("Service.Meta not matches x", 'Invalid match operator "Not Matches" for selector "Service.Meta"'),
        (
            "Service.Port == abc",
            'Failed to coerce value "abc" for selector "Service.Port": strconv.ParseInt: parsing "abc": invalid syntax',
        ),
        (
            "x in Service.Ports",
            'Failed to coerce value "x" for selector "Service.Ports": strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (
            "Service.Native == yes",
            'Failed to coerce value "yes" for selector "Service.Native": '
            'strconv.ParseBool: parsing "yes": invalid syntax',
        ),
    ],
)
def test_errors(expression: str, reason: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(expression, Entry)
    assert caught.value.reason == reason
    with pytest.raises(FilterError):
        compile_filter(f"Service.Port == 80 or not ({expression})", Entry)


def test_a_wrong_pattern_is_an_error() -> None:
    with pytest.raises(FilterError, match=r'^.*Failed to compile regular expression "\[a": error parsing regexp: '):
        compile_filter('Service.Name matches "[a"', Entry)


def test_selectors_are_bounded() -> None:
    longest = "Next." * (FILTER_DEPTH - 2) + "Service.Name == x"
    assert compile_filter(longest, Entry)(BARE) is False
    with pytest.raises(FilterError, match=f"at most {FILTER_DEPTH} are allowed"):
        compile_filter("Next." + longest, Entry)


def test_nothing_to_filter_by_lets_everything_through() -> None:
    assert compile_filter("", Entry)(BARE) is True


def test_records_may_be_maps_and_nothing_else_without_fields() -> None:
    assert compile_filter("a == 1", dict[str, str])({"a": "1"}) is True
    with pytest.raises(FilterError, match="Data type bytes has no evaluatable fields"):
        compile_filter("a == 1", bytes)


def test_compiled_filters_are_kept() -> None:
    assert compile_filter("Service.Port == 80", Entry) is compile_filter("Service.Port == 80", Entry)


class Row(msgspec.Struct):
    text: str
    number: int
    tags: list[str]
    meta: dict[str, str]
    rows: list[Row]


WORDS = st.sampled_from(["", "a", "b", "ab", "c"])
ROWS = st.recursive(
    st.builds(Row, WORDS, st.integers(0, 3), st.lists(WORDS, max_size=2), st.dictionaries(WORDS, WORDS), st.just([])),
    lambda inner: st.builds(
        Row, WORDS, st.integers(0, 3), st.lists(WORDS, max_size=2), st.just({}), st.lists(inner, max_size=3)
    ),
    max_leaves=5,
)
SELECTED: list[tuple[tuple[str, ...], tuple[Operator, ...], st.SearchStrategy[str]]] = [
    (("number",), (Operator.EQUAL, Operator.NOT_EQUAL), st.integers(0, 3).map(str)),
    (("tags",), (Operator.IN, Operator.NOT_IN), WORDS),
    (("meta",), (Operator.IN, Operator.NOT_IN), WORDS),
    *(
        (
            selector,
            (Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN, Operator.NOT_IN, Operator.MATCHES, Operator.NOT_MATCHES),
            WORDS,
        )
        for selector in [("text",), ("meta", "a"), ("meta", "")]
    ),
]


@st.composite
def row_matches(draw: st.DrawFn) -> Match:
    above = ("rows",) * draw(st.integers(0, 2))
    if draw(st.booleans()):
        last = draw(st.sampled_from(["tags", "meta", "rows"]))
        return Match((*above, last), draw(st.sampled_from([Operator.IS_EMPTY, Operator.IS_NOT_EMPTY])))
    selector, operators, values = draw(st.sampled_from(SELECTED))
    return Match((*above, *selector), draw(st.sampled_from(operators)), draw(values))


def row_trees() -> st.SearchStrategy[Expression]:
    def deeper(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return inner.map(Not) | several.map(And) | several.map(Or)

    return st.recursive(row_matches(), deeper, max_leaves=6)


def model(tree: Expression, row: Row) -> bool:
    """What the language means, without a thought of speed."""
    if isinstance(tree, Not):
        return not model(tree.operand, row)
    if isinstance(tree, And):
        return all(model(operand, row) for operand in tree.operands)
    if isinstance(tree, Or):
        return any(model(operand, row) for operand in tree.operands)
    return holds(tree, row, tree.selector)


def holds(match: Match, value: Any, path: tuple[str, ...]) -> bool:
    wanted = match.value or ""
    if not path:
        outcomes = {
            Operator.EQUAL: lambda: str(value) == wanted,
            Operator.IN: lambda: wanted in value,
            Operator.IS_EMPTY: lambda: len(value) == 0,
            Operator.MATCHES: lambda: re.search(wanted, value) is not None,
        }
        name = match.operator.name
        positive = Operator[name.replace("NOT_", "")]
        return bool(outcomes[positive]()) != ("NOT_" in name)
    if isinstance(value, list):
        return any(holds(match, item, path) for item in value)
    if isinstance(value, dict) and path[0] not in value:
        return match.operator not in (Operator.EQUAL, Operator.IN, Operator.IS_NOT_EMPTY)
    return holds(match, value[path[0]] if isinstance(value, dict) else getattr(value, path[0]), path[1:])


@given(row_trees(), ROWS)
def test_evaluation_agrees_with_the_model(tree: Expression, row: Row) -> None:
    test = compile_filter(str(tree), Row)
    assert test(row) is model(tree, row)
    assert test(msgspec.to_builtins(row)) is model(tree, row)
