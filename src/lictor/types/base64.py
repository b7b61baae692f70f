"""Base64 as Go's standard encoding reads it, with its words and positions for what is wrong."""

from __future__ import annotations

import re
from binascii import a2b_base64

_ALPHABET = re.compile(r"[A-Za-z0-9+/]*")


def decode_base64(text: str) -> bytes:
    """The bytes of a padded base64 text; line ends in it do not count. Raises ValueError naming the first bad byte."""
    packed = text.replace("\r", "").replace("\n", "")
    digits = _ALPHABET.match(packed)
    length = digits.end() if digits is not None else 0
    padding = {0: "", 2: "==", 3: "="}.get(length % 4)
    if padding is None or packed[length:] != padding:
        position = length if packed[length:] else length - length % 4
        raise ValueError(f"illegal base64 data at input byte {position}")
    return a2b_base64(packed)
