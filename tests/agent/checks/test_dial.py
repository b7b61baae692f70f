from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.agent.checks.dial import DialError, dial, join_target, split_target


@pytest.mark.parametrize(
    ("target", "parts"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:80", ("::1", 80)), (":80", ("", 80)), ("a.b:0", ("a.b", 0))],
)
def test_a_target_in_two(target: str, parts: tuple[str, int]) -> None:
    assert split_target(target) == parts
    assert join_target(*parts) == target


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("localhost", "dial tcp: address localhost: missing port in address"),
        ("[::1]", "dial tcp: address \\[::1\\]: missing port in address"),
        ("::1:80", "dial tcp: address ::1:80: too many colons in address"),
        ("a:http", "dial tcp: lookup tcp/http: unknown port"),
        ("a:70000", "dial tcp: lookup tcp/70000: unknown port"),
    ],
)
def test_what_is_no_target(target: str, text: str) -> None:
    with pytest.raises(DialError, match=text):
        split_target(target)


@given(st.text())
def test_any_text_is_a_target_or_an_error(target: str) -> None:
    try:
        split_target(target)
    except DialError as error:
        assert str(error).startswith("dial tcp: ")


async def test_names_that_do_not_exist() -> None:
    for name in ("no-such-host.invalid", "a" * 300):
        with pytest.raises(DialError, match=f"dial tcp: lookup {name}: no such host"):
            await dial(f"{name}:80")
