"""The grammar: an expression's text to its tree. It must not know which fields exist.

    or     = and ("or" and)*                       the loosest
    and    = not ("and" not)*
    not    = "not" not | group                     the tightest
    group  = "(" or ")" | match
    match  = selector ("==" | "!=") value                                  space around these is optional
           | selector ["not"] ("contains" | "matches") value
           | selector "is" ["not"] "empty"
           | value ["not"] "in" selector
    value  = selector (its text) | number | string

A parenthesis may not touch a word operator: `not(a == b)` is no expression. Selectors are dotted names with string
indexes; JSON pointers in double quotes are taken too, as later versions of the reference's language do.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lictor.filter.errors import FilterError
from lictor.filter.literals import unquote
from lictor.filter.scanner import Scanner
from lictor.filter.syntax import And, Expression, Match, Not, Operator, Or
from lictor.limits import FILTER_BYTES, FILTER_DEPTH

_LETTER, _WORD, _DIGIT, _NOT_ZERO = "[a-zA-Z]", "[a-zA-Z0-9_]", "[0-9]", "[1-9]"
_POINTER = re.compile(r'"((?:/[^/"]+)+)"')

_SYMBOLS = (("==", Operator.EQUAL), ("!=", Operator.NOT_EQUAL))
_BEFORE_VALUE = (
    (("contains",), Operator.IN),
    (("not", "contains"), Operator.NOT_IN),
    (("matches",), Operator.MATCHES),
    (("not", "matches"), Operator.NOT_MATCHES),
)
_ALONE = ((("is", "empty"), Operator.IS_EMPTY), (("is", "not", "empty"), Operator.IS_NOT_EMPTY))
_BEFORE_SELECTOR = ((("in",), Operator.IN), (("not", "in"), Operator.NOT_IN))

_Words = tuple[tuple[tuple[str, ...], Operator], ...]


def parse(text: str) -> Expression:
    """The tree of `text`. Raises FilterError with the place (line:column and byte) and what was expected there."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise FilterError(f"1:{error.start + 1} ({error.start}): invalid encoding") from None
    if size > FILTER_BYTES:
        raise FilterError(f"the expression has {size} bytes, at most {FILTER_BYTES} are allowed")
    parser = _Parser(text)
    parser.scan.space()
    tree = parser.disjunction()
    if tree is not None:
        parser.scan.space()
        if parser.scan.end():
            return tree
    raise parser.scan.no_match()


class _Parser:
    """One method a rule. A rule that does not fit gives None with the cursor where it was."""

    def __init__(self, text: str) -> None:
        self.scan = Scanner(text)
        self._depth = 0

    def disjunction(self) -> Expression | None:
        return self._chain("or", self._conjunction, Or)

    def _conjunction(self) -> Expression | None:
        return self._chain("and", self._negation, And)

    def _chain(
        self, word: str, rule: Callable[[], Expression | None], node: Callable[[tuple[Expression, ...]], Expression]
    ) -> Expression | None:
        scan = self.scan
        first = rule()
        if first is None:
            return None
        operands = [first]
        while True:
            before = scan.pos
            following = rule() if scan.space() and scan.literal(word) and scan.space() else None
            if following is None:
                scan.pos = before
                return first if len(operands) == 1 else node(tuple(operands))
            operands.append(following)

    def _negation(self) -> Expression | None:
        scan = self.scan
        before = scan.pos
        if scan.literal("not") and scan.space():
            operand = self._nested(self._negation)
            if operand is not None:
                return operand.operand if isinstance(operand, Not) else Not(operand)
        scan.pos = before
        return self._group()

    def _group(self) -> Expression | None:
        scan = self.scan
        before = scan.pos
        if not scan.literal("("):
            return self._match()
        scan.space()
        inner = self._nested(self.disjunction)
        if inner is None:
            scan.pos = before
            return None
        scan.space()
        if not scan.literal(")"):
            raise scan.failure("grouping", "Unmatched parentheses")
        return inner

    def _nested(self, rule: Callable[[], Expression | None]) -> Expression | None:
        self._depth += 1
        if self._depth > FILTER_DEPTH:
            raise self.scan.failure("grouping", f"nested more than {FILTER_DEPTH} deep")
        inner = rule()
        self._depth -= 1
        return inner

    def _match(self) -> Expression | None:
        scan = self.scan
        before = scan.pos
        selector = self._selector()
        if selector is not None:
            operator = self._symbol() or self._words(_BEFORE_VALUE)
            value = None if operator is None else self._value()
            if operator is not None and value is not None:
                return Match(selector, operator, value)
            alone = None if operator is not None else self._words(_ALONE)
            if alone is not None:
                return Match(selector, alone)
        scan.pos = before
        value = self._value()
        operator = None if value is None else self._words(_BEFORE_SELECTOR)
        if operator is None:
            scan.pos = before
            return None
        selector = self._selector()
        if selector is None:
            raise scan.failure("match", "Invalid selector")
        return Match(selector, operator, value)

    def _symbol(self) -> Operator | None:
        """An operator that needs no space around it."""
        scan = self.scan
        before = scan.pos
        scan.space()
        for symbol, operator in _SYMBOLS:
            if scan.literal(symbol):
                scan.space()
                return operator
        scan.pos = before
        return None

    def _words(self, choices: _Words) -> Operator | None:
        """An operator of words, each after space. What is to follow must stand after space too."""
        scan = self.scan
        before = scan.pos
        for words, operator in choices:
            if all(scan.space() and scan.literal(word) for word in words) and (choices is _ALONE or scan.space()):
                return operator
            scan.pos = before
        return None

    def _selector(self) -> tuple[str, ...] | None:
        """A path to a field: dotted and indexed names, or a JSON pointer."""
        scan = self.scan
        pointer = _POINTER.match(scan.text, scan.pos)
        if pointer is None:
            return self._path()
        scan.pos = pointer.end()
        return tuple(name.replace("~1", "/").replace("~0", "~") for name in pointer[1][1:].split("/"))

    def _path(self) -> tuple[str, ...] | None:
        scan = self.scan
        first = self._identifier()
        if first is None:
            return None
        path = [first]
        while True:
            before = scan.pos
            name = self._identifier() if scan.literal(".") else self._index()
            if name is None:
                scan.pos = before
                return tuple(path)
            path.append(name)

    def _identifier(self) -> str | None:
        scan = self.scan
        start = scan.pos
        if not scan.one(_LETTER):
            return None
        scan.many(_WORD)
        return scan.text[start : scan.pos]

    def _index(self) -> str | None:
        scan = self.scan
        if not scan.literal("["):
            return None
        scan.space()
        name = self._string()
        if name is None:
            raise scan.failure("index", "Invalid index")
        scan.space()
        if not scan.literal("]"):
            raise scan.failure("index", "Unclosed index expression")
        return name

    def _value(self) -> str | None:
        path = self._path()
        if path is not None:
            return ".".join(path)
        number = self._number()
        return self._string() if number is None else number

    def _number(self) -> str | None:
        scan = self.scan
        start = scan.pos
        scan.literal("-")
        if not scan.literal("0"):
            if not scan.one(_NOT_ZERO):
                scan.pos = start
                return None
            scan.many(_DIGIT)
        whole = scan.pos
        if not (scan.literal(".") and scan.many(_DIGIT)):
            scan.pos = whole
        end = scan.pos
        if not (scan.space() or scan.end() or scan.literal(")")):
            raise scan.failure("number", "Invalid number literal")
        scan.pos = end
        return scan.text[start:end]

    def _string(self) -> str | None:
        scan = self.scan
        start = scan.pos
        for mark in ("`", '"'):
            if scan.literal(mark):
                close = scan.text.find(mark, scan.pos)
                scan.pos = len(scan.text) if close < 0 else close + 1
                if close < 0:
                    raise scan.failure("string", "Unterminated string literal")
                return self._unquoted(start)
        return None

    def _unquoted(self, start: int) -> str:
        scan = self.scan
        end = scan.pos
        try:
            return unquote(scan.text[start:end])
        except ValueError as error:
            scan.pos = start
            raise scan.failure("string", str(error)) from None
