"""The tree that an expression is parsed into, and its canonical text. It must not know types of records or evaluate.

`str(node)` parses back into an equal node, for every node the parser can give.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from lictor.filter.literals import quote


class Operator(Enum):
    """What a match does. The values are the reference's names for them in errors; `contains` is `in` turned round."""

    EQUAL = "Equal"
    NOT_EQUAL = "Not Equal"
    IN = "In"
    NOT_IN = "Not In"
    IS_EMPTY = "Is Empty"
    IS_NOT_EMPTY = "Is Not Empty"
    MATCHES = "Matches"
    NOT_MATCHES = "Not Matches"


_INFIX = {
    Operator.EQUAL: "==",
    Operator.NOT_EQUAL: "!=",
    Operator.MATCHES: "matches",
    Operator.NOT_MATCHES: "not matches",
}
_PREFIX = {Operator.IN: "in", Operator.NOT_IN: "not in"}
_POSTFIX = {Operator.IS_EMPTY: "is empty", Operator.IS_NOT_EMPTY: "is not empty"}

_IDENTIFIER = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Match:
    """One comparison. `selector` is never empty; `value` is the text as written, unquoted, or None for emptiness."""

    selector: tuple[str, ...]
    operator: Operator
    value: str | None = None

    def __str__(self) -> str:
        selector = _selector_text(self.selector)
        if self.value is None:
            return f"{selector} {_POSTFIX[self.operator]}"
        if self.operator in _PREFIX:
            return f"{quote(self.value)} {_PREFIX[self.operator]} {selector}"
        return f"{selector} {_INFIX[self.operator]} {quote(self.value)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of `operand`, which is never a Not itself."""

    operand: Expression

    def __str__(self) -> str:
        return f"not {_operand_text(self.operand)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more operands, tested from the left until one fails."""

    operands: tuple[Expression, ...]

    def __str__(self) -> str:
        return " and ".join(map(_operand_text, self.operands))


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more operands, tested from the left until one holds."""

    operands: tuple[Expression, ...]

    def __str__(self) -> str:
        return " or ".join(map(_operand_text, self.operands))


Expression: TypeAlias = Match | Not | And | Or


def _operand_text(node: Expression) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)


def _selector_text(selector: tuple[str, ...]) -> str:
    """Dotted and bracketed; a JSON pointer when the first name is no identifier, which only a pointer can say."""
    if not _IDENTIFIER.match(selector[0]):
        return '"' + "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in selector) + '"'
    rest = (f".{name}" if _IDENTIFIER.match(name) else f"[{quote(name)}]" for name in selector[1:])
    return selector[0] + "".join(rest)
