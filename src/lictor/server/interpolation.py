"""`${...}` in the texts of prepared query templates: what an expression means for one name that was looked up.

The language is the part of HIL that the reference documents for templates: variables, `match(N)`, whole numbers with
their arithmetic, quoted texts, parentheses; `$${` stands for `${`. Pure.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from lictor.limits import FILTER_BYTES, FILTERS_KEPT

Value = str | int


class Scope(msgspec.Struct, frozen=True):
    """What the expressions of a text may use: variables, and the groups that `match(N)` picks from."""

    variables: Mapping[str, str]
    groups: Sequence[str] = ()


Expression = Callable[[Scope], Value]

_TOKEN = re.compile(r'\s*(?:(\d+)|([A-Za-z_][\w.-]*)|"((?:[^"\\]|\\.)*)"|([-+*/%()},]))')
_DEPTH = 32


def interpolate(text: str, scope: Scope) -> str:
    """The text with its expressions replaced. Raises ValueError for what is malformed or gives no text."""
    parts = _compile(text)
    if len(parts) == 1 and isinstance(value := parts[0](scope), int):
        raise ValueError(f"expected a string, got the number {value}")
    return "".join(str(part(scope)) for part in parts)


@lru_cache(maxsize=FILTERS_KEPT)
def _compile(text: str) -> tuple[Expression, ...]:
    if len(text) > FILTER_BYTES:
        raise ValueError(f"text longer than {FILTER_BYTES} characters")
    parts: list[Expression] = []
    literal, position = "", 0
    while (start := text.find("${", position)) >= 0:
        if text[start - 1 : start] == "$" and start > position:
            literal += text[position : start - 1] + "${"
            position = start + 2
            continue
        literal += text[position:start]
        if literal:
            parts.append(_constant(literal))
            literal = ""
        parser = _Parser(text, start + 2)
        parts.append(parser.expression())
        parser.take("}")
        position = parser.position
    literal += text[position:]
    if literal or not parts:
        parts.append(_constant(literal))
    return tuple(parts)


def _constant(value: Value) -> Expression:
    return lambda scope: value


class _Parser:
    """Reads one expression from `position` on."""

    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self.position = position
        self._depth = 0

    def expression(self) -> Expression:
        """A sum of products."""
        left = self._product()
        while (sign := self._operator("+", "-")) is not None:
            left = _arithmetic(sign, left, self._product())
        return left

    def take(self, sign: str) -> None:
        """Passes over a sign that must be there."""
        found = _TOKEN.match(self._text, self.position)
        if found is None or found[4] != sign:
            raise ValueError(f'expected "{sign}" at {self.position} in "{self._text}"')
        self.position = found.end()

    def _operator(self, *signs: str) -> str | None:
        found = _TOKEN.match(self._text, self.position)
        if found is None or found[4] not in signs:
            return None
        self.position = found.end()
        return found[4]

    def _product(self) -> Expression:
        left = self._operand()
        while (sign := self._operator("*", "/", "%")) is not None:
            left = _arithmetic(sign, left, self._operand())
        return left

    def _operand(self) -> Expression:
        self._depth += 1
        if self._depth > _DEPTH:
            raise ValueError("expression nested too deeply")
        operand = self._read_operand()
        self._depth -= 1
        return operand

    def _read_operand(self) -> Expression:
        found = _TOKEN.match(self._text, self.position)
        if found is None:
            raise ValueError(f'cannot read "{self._text}" at {self.position}')
        self.position = found.end()
        number, name, quoted, sign = found.groups()
        if number is not None:
            if len(number) > 18:
                raise ValueError(f"the number {number} is too large")
            return _constant(int(number))
        if name is not None:
            return self._call(name) if self._operator("(") else _variable(name)
        if quoted is not None:
            return _constant(re.sub(r"\\(.)", r"\1", quoted))
        if sign == "(":
            inner = self.expression()
            self.take(")")
            return inner
        if sign == "-":
            return _arithmetic("-", _constant(0), self._operand())
        raise ValueError(f'unexpected "{sign}" at {self.position - 1} in "{self._text}"')

    def _call(self, name: str) -> Expression:
        argument = self.expression()
        self.take(")")
        if name != "match":
            raise ValueError(f"unknown function called: {name}")
        return lambda scope: _group(scope.groups, _number(argument(scope)))


def _variable(name: str) -> Expression:
    def read(scope: Scope) -> Value:
        value = scope.variables.get(name)
        if value is None:
            raise ValueError(f"unknown variable accessed: {name}")
        return value

    return read


def _group(groups: Sequence[str], number: int) -> str:
    """A group of the template's regular expression; empty text for one that is not there."""
    return groups[number] if 0 <= number < len(groups) else ""


_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
    "%": operator.mod,
}


def _arithmetic(sign: str, left: Expression, right: Expression) -> Expression:
    def run(scope: Scope) -> Value:
        a, b = _number(left(scope)), _number(right(scope))
        if b == 0 and sign in "/%":
            raise ValueError("divide by zero")
        result = _OPERATIONS[sign](a, b)
        if abs(result) >= 1 << 63:
            raise ValueError("number out of range")
        return result

    return run


def _number(value: Value) -> int:
    if isinstance(value, int):
        return value
    if re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
        return int(value)
    raise ValueError(f'"{value}" is no number')
