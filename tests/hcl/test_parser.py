from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.hcl import HCLError, Object, parse


def test_blocks_and_assignments_share_a_line() -> None:
    assert parse('service { name = "x" port = 80 } domain = "a"') == {
        "service": {"name": "x", "port": 80},
        "domain": "a",
    }


def test_repeated_blocks_become_a_list() -> None:
    assert parse("s { a = 1 } s { a = 2 } s { a = 3 }")["s"] == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert parse("s = [{ a = 1 }] s { a = 2 }")["s"] == [{"a": 1}, {"a": 2}]


def test_anything_else_counts_the_last_time() -> None:
    assert parse("a = 1 a = 2") == {"a": 2}
    assert parse("a = [1] a = [2]") == {"a": [2]}
    assert parse("a { b = 1 } a = 2") == {"a": 2}


def test_labels_nest_and_join() -> None:
    rules = parse('key "a" { policy = "read" } key "b" "c" { x = 1 } key "a" { policy = "write" }')
    assert rules == {"key": {"a": [{"policy": "read"}, {"policy": "write"}], "b": {"c": {"x": 1}}}}


def test_commas_are_optional_in_objects_and_lists_may_end_in_one() -> None:
    assert parse('a = { b = 1, c = 2\n d = 3 }, "e" = [1, 2,]') == {"a": {"b": 1, "c": 2, "d": 3}, "e": [1, 2]}


def test_nested_lists_and_booleans() -> None:
    assert parse("a = [[1], [true, false], {}]") == {"a": [[1], [True, False], {}]}


def test_json_is_read_too() -> None:
    assert parse('\ufeff {"a": {"b": [1, null]}}') == {"a": {"b": [1, None]}}
    with pytest.raises(HCLError) as caught:
        parse('{"a":\n {"b": 1x}}')
    assert caught.value.line == 2


def test_an_object_knows_its_lines() -> None:
    document = parse("a = 1\nb {\n  c = 1\n}\n")
    assert document.lines == {"a": 1, "b": 2}
    assert isinstance(document["b"], Object)
    assert document["b"].lines == {"c": 3}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a {", 1, "end of text"),
        ("a =\n", 2, "expected a value"),
        ("a = [1 2]", 1, "expected a comma"),
        ("\n}", 2, "expected a key"),
        ("a", 1, "needs a value"),
        ("a = 10s", 1, "needs a value"),
        ('a "b" = 1', 1, "needs a value"),
        ("a = b", 1, "expected a value"),
        ("1 = a", 1, "expected a key"),
    ],
)
def test_what_is_no_hcl_is_refused_with_its_place(text: str, line: int, problem: str) -> None:
    with pytest.raises(HCLError, match=problem) as caught:
        parse(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a {" * 100_000,
        'a "b" ' * 100_000 + "{}",
        '{"a":' * 100_000,
        '{"a":' * 80 + "1" + "}" * 80,
    ],
    ids=["lists", "blocks", "labels", "broken json", "json"],
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(HCLError, match="nested deeper than 64 levels"):
        parse(text)


def test_depth_up_to_the_bound_is_fine() -> None:
    assert parse("a { b { c = [1] } }", max_depth=4) == {"a": {"b": {"c": [1]}}}
    with pytest.raises(HCLError, match="nested deeper"):
        parse("a { b { c = [1] } }", max_depth=3)


@given(st.text(alphabet=st.sampled_from('ab =:{}[],"\\\n#/*<-E0.1e${}truefalse'), max_size=80))
def test_any_text_gives_an_object_or_a_place(text: str) -> None:
    try:
        assert isinstance(parse(text), Object)
    except HCLError as error:
        assert error.line >= 1
        assert error.column >= 1


_VALUES = st.recursive(
    st.booleans() | st.integers(-(1 << 62), 1 << 62) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_", min_size=1), inner, max_size=3),
    max_leaves=12,
)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    assert isinstance(value, dict)
    return "{" + "\n".join(f'"{key}" = {_written(item)}' for key, item in value.items()) + "}"


@given(st.dictionaries(st.text("abc_", min_size=1), _VALUES, max_size=4))
def test_what_is_written_is_read(document: dict[str, object]) -> None:
    assert parse("\n".join(f"{key} = {_written(value)}" for key, value in document.items())) == document
