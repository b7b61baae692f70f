"""Base64 as Go reads it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.types.base64 import decode_base64


@given(st.binary(max_size=40), st.sets(st.integers(0, 50)))
def test_there_and_back_with_line_ends(data: bytes, breaks: set[int]) -> None:
    text = "".join(c + ("\r\n" if i in breaks else "") for i, c in enumerate(base64.b64encode(data).decode()))
    assert decode_base64(text) == data


@pytest.mark.parametrize("text", ["*", "YQ", "YQ=", "YQ===", "=", "YQ==YQ==", "Y Q=", "é", "YWI", "YW-_"])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="illegal base64 data at input byte"):
        decode_base64(text)
