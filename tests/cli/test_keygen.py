from __future__ import annotations

from base64 import b64decode

from tests.cli.conftest import Lictor


def test_keys_are_random_and_of_32_bytes(lictor: Lictor) -> None:
    first, second = lictor("keygen").out, lictor("keygen").out
    assert len(b64decode(first)) == len(b64decode(second)) == 32
    assert first != second
    assert lictor("keygen extra").code == 1
