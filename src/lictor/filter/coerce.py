"""The text of a value to a value of a field's type, by Go's rules for numbers and booleans. Nothing else."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

from lictor.filter.errors import quoted
from lictor.filter.schema import Scalar

Value: TypeAlias = str | int | float | bool

EMPTY: dict[Scalar, Value] = {Scalar.TEXT: "", Scalar.INTEGER: 0, Scalar.FLOAT: 0.0, Scalar.BOOLEAN: False}
"""What a field that is left out counts as."""

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})

_INTEGER = re.compile(
    r"""(?P<sign>[+-]?)(?:
        0[xX](?P<hex>(?:_?[0-9a-fA-F])+) | 0[bB](?P<binary>(?:_?[01])+) | 0[oO]?(?P<octal>(?:_?[0-7])+)
        | (?P<decimal>0|[1-9](?:_?[0-9])*) )\Z""",
    re.VERBOSE,
)
_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
_INTEGER_BITS, _INTEGER_DIGITS = 64, 20

_FLOAT = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|(?P<infinite>inf(?:inity)?)|nan)\Z", re.I)


def coerce(text: str, kind: Scalar) -> Value:
    """`text` as a value of `kind`. Raises ValueError in the words of the reference's number parser."""
    match kind:
        case Scalar.TEXT:
            return text
        case Scalar.INTEGER:
            return _integer(text)
        case Scalar.FLOAT:
            return _float(text)
        case Scalar.BOOLEAN:
            if text in _TRUE or text in _FALSE:
                return text in _TRUE
            raise _wrong("ParseBool", text, "invalid syntax")


def _integer(text: str) -> int:
    found = _INTEGER.match(text)
    if found is None or found.lastgroup is None:
        raise _wrong("ParseInt", text, "invalid syntax")
    base = _BASES[found.lastgroup]
    digits = found[found.lastgroup].replace("_", "")
    # Python refuses to read very long decimals, so their length decides first.
    number = 1 << _INTEGER_BITS if base == 10 and len(digits) > _INTEGER_DIGITS else int(digits, base)
    number = -number if found["sign"] == "-" else number
    if not -(1 << (_INTEGER_BITS - 1)) <= number < 1 << (_INTEGER_BITS - 1):
        raise _wrong("ParseInt", text, "value out of range")
    return number


def _float(text: str) -> float:
    found = _FLOAT.match(text)
    if found is None:
        raise _wrong("ParseFloat", text, "invalid syntax")
    number = float(text)
    if math.isinf(number) and found["infinite"] is None:
        raise _wrong("ParseFloat", text, "value out of range")
    return number


def _wrong(parser: str, text: str, reason: str) -> ValueError:
    return ValueError(f"strconv.{parser}: parsing {quoted(text)}: {reason}")
