"""Fixtures of the tests of local state."""

from __future__ import annotations

import pytest

from lictor.agent.local import LocalState
from tests.agent.local.helpers import StillClock, make_state


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def state(clock: StillClock) -> LocalState:
    return make_state(clock)
