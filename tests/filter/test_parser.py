"""Grammar: what parses into what, the places and expectations in errors, and that text and tree agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lictor.errors import http_status
from lictor.filter.errors import FilterError
from lictor.filter.parser import parse
from lictor.filter.syntax import And, Expression, Match, Not, Operator, Or
from lictor.limits import FILTER_BYTES, FILTER_DEPTH

A_IS_1 = Match(("a",), Operator.EQUAL, "1")
B_IS_2 = Match(("b",), Operator.EQUAL, "2")
C_EMPTY = Match(("c",), Operator.IS_EMPTY)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a == 1", A_IS_1),
        ("a==1", A_IS_1),
        (" \t\r\n a \n==\t 1 ", A_IS_1),
        ("a != xyz", Match(("a",), Operator.NOT_EQUAL, "xyz")),
        ("c is empty", C_EMPTY),
        ("c is \n not empty", Match(("c",), Operator.IS_NOT_EMPTY)),
        ("x in c", Match(("c",), Operator.IN, "x")),
        ("x not in c", Match(("c",), Operator.NOT_IN, "x")),
        ("c contains x", Match(("c",), Operator.IN, "x")),
        ("c not contains x", Match(("c",), Operator.NOT_IN, "x")),
        ("a matches `^x[.]y$`", Match(("a",), Operator.MATCHES, "^x[.]y$")),
        ('a not matches "x"', Match(("a",), Operator.NOT_MATCHES, "x")),
    ],
)
def test_operators(text: str, tree: Expression) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a == 1 or b == 2 and c is empty", Or((A_IS_1, And((B_IS_2, C_EMPTY))))),
        ("(a == 1 or b == 2) and c is empty", And((Or((A_IS_1, B_IS_2)), C_EMPTY))),
        ("not a == 1 and b == 2", And((Not(A_IS_1), B_IS_2))),
        ("not (a == 1 and b == 2)", Not(And((A_IS_1, B_IS_2)))),
        ("a == 1 or b == 2 or c is empty", Or((A_IS_1, B_IS_2, C_EMPTY))),
        ("a == 1 or (b == 2 or c is empty)", Or((A_IS_1, Or((B_IS_2, C_EMPTY))))),
        ("not not a == 1", A_IS_1),
        ("not (not a == 1)", A_IS_1),
        ("not not not a == 1", Not(A_IS_1)),
        ("((( a == 1 )))", A_IS_1),
    ],
)
def test_precedence(text: str, tree: Expression) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("in in in", Match(("in",), Operator.IN, "in")),
        ("not in Tags", Match(("Tags",), Operator.IN, "not")),
        ("not not in Tags", Not(Match(("Tags",), Operator.IN, "not"))),
        ("notes == and", Match(("notes",), Operator.EQUAL, "and")),
        ("not not contains or", Not(Match(("not",), Operator.IN, "or"))),
    ],
)
def test_words_are_words_only_where_the_grammar_wants_them(text: str, tree: Expression) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("a.b.c == 1", ("a", "b", "c")),
        ('a["b c"].d == 1', ("a", "b c", "d")),
        ('a[`b c`][\t"d" ] == 1', ("a", "b c", "d")),
        ('a["\\u00e5\\x41"] == 1', ("a", "\u00e5A")),
        ('"/a/b c/d~1e~0f" == 1', ("a", "b c", "d/e~f")),
        ('1 in "/a/b"', ("a", "b")),
    ],
)
def test_selectors(text: str, selector: tuple[str, ...]) -> None:
    tree = parse(text)
    assert isinstance(tree, Match)
    assert tree.selector == selector


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a == word", "word"),
        ("a == v1.x", "v1.x"),
        ('a == x["y z"]', "x.y z"),
        ("a == 0", "0"),
        ("a == -12.50", "-12.50"),
        ('a == "1.0"', "1.0"),
        ('a == "/x/y"', "/x/y"),
        ('"/x/y" in a', "/x/y"),
        ('a == "tab\\tnew\\n\\\\ \\101\\x42\\u0043\\U00000044"', "tab\tnew\n\\ ABCD"),
        ('a == `raw \\n "quoted" \n`', 'raw \\n "quoted" \n'),
        ("a == `c\r\nd`", "c\nd"),
        ('a == "\\xc3\\xa5"', "\u00e5"),
        ('a == "\\xff"', "\udcff"),
        ("(a == 1)", "1"),
    ],
)
def test_values(text: str, value: str) -> None:
    tree = parse(text)
    assert isinstance(tree, Match)
    assert tree.value == value


SPACE = r"[ \t\r\n]"
START = f'"(", "-", "0", "\\"", "`", "not", {SPACE}, [1-9] or [a-zA-Z]'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # Recorded from the reference.
        ("Node == n-a", f'1:10 (9): no match found, expected: ".", "[", {SPACE}, [a-zA-Z0-9_] or EOF'),
        # Its rules, worked out by hand.
        ("a b", f'1:3 (2): no match found, expected: "!=", "==", "contains", "in", "is", "matches", "not" or {SPACE}'),
        ("1 == 1", f'1:3 (2): no match found, expected: "in", "not" or {SPACE}'),
        ("x in a zz", f'1:8 (7): no match found, expected: "and", "or", {SPACE} or EOF'),
        ("x in a or ", f"1:11 (10): no match found, expected: {START}"),
        ("not(a == 1)", f'1:4 (3): no match found, expected: "!=", ".", "==", "[", {SPACE} or [a-zA-Z0-9_]'),
        ("a. == 1", "1:3 (2): no match found, expected: [a-zA-Z]"),
        (" ", f"1:2 (1): no match found, expected: {START}"),
        ("\u00e5 == 1\n", f"1:1 (0): no match found, expected: {START}"),
        ('"\u00e5\u00e5"\n in 1x', '2:5 (11): rule "match": Invalid selector'),
        ("(a == 1", '1:8 (7): rule "grouping": Unmatched parentheses'),
        ("not ((a == 1) and b == 2", '1:25 (24): rule "grouping": Unmatched parentheses'),
        ("a == 3x", '1:7 (6): rule "number": Invalid number literal'),
        ("a == 007", '1:7 (6): rule "number": Invalid number literal'),
        ("a == 1.2.3", '1:9 (8): rule "number": Invalid number literal'),
        ('a == "1', '1:8 (7): rule "string": Unterminated string literal'),
        ("a == `1", '1:8 (7): rule "string": Unterminated string literal'),
        ('a == "\\q"', '1:6 (5): rule "string": invalid syntax'),
        ('a == "\\400"', '1:6 (5): rule "string": invalid syntax'),
        ('a == "\\ud800"', '1:6 (5): rule "string": invalid syntax'),
        ('a == "x\ny"', '1:6 (5): rule "string": invalid syntax'),
        ("a[1] == 1", '1:3 (2): rule "index": Invalid index'),
        ('a[ "b" == 1', '1:8 (7): rule "index": Unclosed index expression'),
        ("x in 32", '1:6 (5): rule "match": Invalid selector'),
        ("a == \ud800", "1:6 (5): invalid encoding"),
    ],
)
def test_errors(text: str, reason: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.reason == reason
    assert str(caught.value) == f"Failed to create boolean expression evaluator: {reason}"
    assert http_status(caught.value) == 500


@pytest.mark.parametrize("opening", ["(", "not ", "not ("])
def test_nesting_is_bounded(opening: str) -> None:
    closing = ")" * opening.count("(")
    levels = FILTER_DEPTH // (2 if opening == "not (" else 1)
    parse(opening * levels + "a == 1" + closing * levels)
    for count in (levels + 1, FILTER_BYTES // (3 * len(opening))):
        with pytest.raises(FilterError, match=f"nested more than {FILTER_DEPTH} deep"):
            parse(opening * count + "a == 1" + closing * count)


def test_length_is_bounded_in_bytes() -> None:
    longest = "a == `" + "\u00e5" * ((FILTER_BYTES - 8) // 2) + "` "
    assert len(longest.encode()) <= FILTER_BYTES
    parse(longest)
    with pytest.raises(FilterError, match=f"at most {FILTER_BYTES} are allowed"):
        parse(longest + "   ")


def test_long_chains_do_not_nest() -> None:
    tree = parse(" or ".join(["a == 1"] * 800))
    assert isinstance(tree, Or)
    assert len(tree.operands) == 800


def names() -> st.SearchStrategy[str]:
    return st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,8}", fullmatch=True)


def selectors() -> st.SearchStrategy[tuple[str, ...]]:
    dotted = st.tuples(names(), st.lists(names() | st.text(max_size=5), max_size=3)).map(lambda t: (t[0], *t[1]))
    part = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), min_size=1, max_size=6)
    return dotted | st.lists(part, min_size=1, max_size=3).map(tuple)


def matches() -> st.SearchStrategy[Match]:
    alone = st.sampled_from([Operator.IS_EMPTY, Operator.IS_NOT_EMPTY])
    with_value = st.sampled_from([one for one in Operator if one not in (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY)])
    values = st.text(max_size=10) | st.binary(max_size=4).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
    return st.builds(Match, selectors(), alone) | st.builds(Match, selectors(), with_value, values)


def trees() -> st.SearchStrategy[Expression]:
    def deeper(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        negated = inner.map(lambda node: node if isinstance(node, Not) else Not(node))
        return negated | several.map(And) | several.map(Or)

    return st.recursive(matches(), deeper, max_leaves=8)


@given(trees())
def test_a_tree_reads_back_from_its_text(tree: Expression) -> None:
    assert parse(str(tree)) == tree


PIECES = st.sampled_from(
    [
        *'()[]."`-/\\ \n0',
        "a",
        "Tags",
        "==",
        "!=",
        " in ",
        " not ",
        " is empty",
        " and ",
        " or ",
        " matches ",
        "1.5",
        "\u00e5",
    ]
)


@given(st.text(max_size=40) | st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=300)
def test_any_text_gives_a_tree_or_a_filter_error(text: str) -> None:
    try:
        tree = parse(text)
    except FilterError:
        return
    assert parse(str(tree)) == tree
