"""Who may connect."""

from __future__ import annotations

import pytest

from lictor import limits
from lictor.api.gate import TOO_MANY, TOO_MANY_OF_YOURS, Gate


def test_bounds_of_one_client() -> None:
    gate = Gate()
    assert [gate.enter("a", 2) for _ in range(3)] == [None, None, TOO_MANY_OF_YOURS]
    assert gate.enter("b", 2) is None and gate.enter("", 2) is None
    gate.leave("a")
    assert gate.enter("a", 2) is None
    for client in ("a", "a", "b", ""):
        gate.leave(client)
    assert (gate.connections, gate.refused, gate._of) == (0, 1, {})


def test_no_bound() -> None:
    gate = Gate()
    assert [gate.enter("a", 0) for _ in range(1000)] == [None] * 1000


def test_bound_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 2)
    gate = Gate()
    assert [gate.enter(client, 0) for client in ("a", "", "b")] == [None, None, TOO_MANY]
    gate.leave("")
    assert gate.enter("b", 0) is None
