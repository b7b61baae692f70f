"""Values by Go's rules."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.filter.coerce import coerce
from lictor.filter.schema import Scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("0x1F", 31),
        ("0b101", 5),
        ("0o17", 15),
        ("017", 15),
        ("1_000", 1000),
        ("0x_ff", 255),
        ("0_7", 7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_integers(text: str, value: int) -> None:
    assert coerce(text, Scalar.INTEGER) == value


@pytest.mark.parametrize("text", ["", "abc", "1.0", " 1", "1 ", "08", "1__0", "_1", "1_", "0x", "-", "\u0661", "1\n"])
def test_wrong_integers(text: str) -> None:
    with pytest.raises(ValueError, match=r"^strconv.ParseInt: parsing .*: invalid syntax$"):
        coerce(text, Scalar.INTEGER)


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 5000, "0x" + "f" * 17])
def test_integers_out_of_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"value out of range$"):
        coerce(text, Scalar.INTEGER)


@pytest.mark.parametrize("word", ["1", "t", "T", "true", "TRUE", "True"])
def test_true(word: str) -> None:
    assert coerce(word, Scalar.BOOLEAN) is True


@pytest.mark.parametrize("word", ["0", "f", "F", "false", "FALSE", "False"])
def test_false(word: str) -> None:
    assert coerce(word, Scalar.BOOLEAN) is False


@pytest.mark.parametrize("word", ["", "yes", "tRUE", "2"])
def test_wrong_booleans(word: str) -> None:
    with pytest.raises(ValueError, match="ParseBool"):
        coerce(word, Scalar.BOOLEAN)


def test_floats() -> None:
    assert coerce("1.5", Scalar.FLOAT) == 1.5
    assert coerce("-.5e1", Scalar.FLOAT) == -5.0
    assert coerce("+Inf", Scalar.FLOAT) == math.inf
    for text in ("1e999", "", "one", "1_0", " 1"):
        with pytest.raises(ValueError, match="ParseFloat"):
            coerce(text, Scalar.FLOAT)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_reads_back(number: int) -> None:
    assert coerce(str(number), Scalar.INTEGER) == number


@given(st.text(), st.sampled_from(Scalar))
def test_any_text_gives_a_value_or_a_value_error(text: str, kind: Scalar) -> None:
    try:
        coerce(text, kind)
    except ValueError as error:
        str(error).encode()
