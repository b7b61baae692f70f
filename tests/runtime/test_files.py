"""The limit on open files."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from lictor.runtime.files import raise_file_limit


@pytest.fixture(autouse=True)
def low() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_soft_limit_becomes_the_hard_one(low: int) -> None:
    assert raise_file_limit() == low
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (low, low)


def test_a_refusal_leaves_it_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("not allowed")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert raise_file_limit() == 256
    monkeypatch.undo()
