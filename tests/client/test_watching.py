from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.client import Answer, plan
from lictor.client.errors import ClientError, Forbidden, ServerError, Unreachable
from lictor.client.watching import BACKOFF_MAX_SECONDS, Watching, backoff
from lictor.errors import ConfigError


def answer(value: Any, index: int, hash: str = "") -> Answer[Any]:
    return Answer(value, {"x-consul-index": str(index), "x-consul-contenthash": hash})


def watching(**options: Any) -> Watching[Any]:
    return Watching(plan.kv.get("a"), random=lambda: 0.0, **options)


def test_the_first_question_does_not_wait_and_the_next_do() -> None:
    watch = watching(wait=60)
    assert watch.ask().params == ()
    assert watch.answered(answer(1, 7), 0.0)
    assert watch.ask().params == (("index", "7"), ("wait", "60000ms"))


def test_the_end_of_a_wait_is_no_news() -> None:
    watch = watching()
    watch.answered(answer(1, 7), 0.0)
    assert not watch.answered(answer(1, 7), 300.0)
    assert watch.pause == 0


def test_an_equal_value_is_no_news_but_moves_the_index() -> None:
    watch = watching()
    watch.answered(answer(1, 7), 0.0)
    assert not watch.answered(answer(1, 8), 3.0)
    assert watch.ask().param("index") == "8"
    assert watch.answered(answer(2, 9), 3.0)


def test_an_index_that_goes_backwards_starts_anew() -> None:
    watch = watching()
    watch.answered(answer(1, 700), 0.0)
    assert watch.answered(answer(2, 5), 1.0)
    assert watch.ask().param("index") is None
    assert not watch.answered(answer(2, 5), 0.0)
    assert watch.ask().param("index") == "5"


def test_an_index_is_at_least_one() -> None:
    watch = watching()
    watch.answered(answer(1, 0), 0.0)
    assert watch.ask().param("index") == "1"


def test_an_endpoint_that_does_not_wait_is_asked_ever_more_slowly() -> None:
    watch = watching()
    watch.answered(answer(1, 7), 0.0)
    pauses = []
    for _ in range(4):
        watch.answered(answer(1, 7), 0.01)
        pauses.append(watch.pause)
    assert pauses == [0.25, 0.5, 1.0, 2.0]
    watch.answered(answer(2, 8), 0.01)
    assert watch.pause == 0


def test_failures_are_waited_out_and_forgotten() -> None:
    watch = watching()
    watch.failed(Unreachable("here", "why"))
    assert watch.pause == 0.25
    watch.failed(ServerError(500, "No cluster leader"))
    assert watch.pause == 0.5
    watch.answered(answer(1, 7), 0.0)
    assert watch.pause == 0


@pytest.mark.parametrize("error", [Forbidden(403, "Permission denied")])
def test_what_asking_again_cannot_mend_is_raised(error: ClientError) -> None:
    with pytest.raises(type(error)):
        watching().failed(error)


def test_a_watch_that_does_not_give_up() -> None:
    watch = watching(give_up=False)
    watch.failed(Forbidden(403, "Permission denied"))
    assert watch.pause == 0.25


def test_hashes() -> None:
    watch = Watching(plan.agent.service("web"), random=lambda: 0.0, wait=10)
    assert watch.ask().params == ()
    assert watch.answered(answer(1, 0, "aa"), 0.0)
    assert watch.ask().params == (("hash", "aa"), ("wait", "10000ms"))
    assert not watch.answered(answer(1, 0, "aa"), 10.0)
    assert watch.answered(answer(2, 0, "bb"), 1.0)


def test_what_the_agent_does_not_hold_cannot_be_watched() -> None:
    with pytest.raises(ConfigError, match="/v1/catalog/datacenters"):
        Watching(plan.catalog.datacenters(), random=lambda: 0.0)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_is_bounded(failures: int, chance: float) -> None:
    assert 0.125 <= backoff(failures, lambda: chance) <= BACKOFF_MAX_SECONDS


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50), st.floats(0, 2))))
def test_every_change_of_value_is_news_and_nothing_else(answers: list[tuple[int, int, float]]) -> None:
    watch, last = watching(), None
    for value, index, took in answers:
        # An agent that keeps its index keeps its value.
        if last is not None and max(index, 1) == watch.index:
            value = last
        assert watch.answered(answer(value, index), took) == (last is None or value != last)
        assert watch.index >= 0
        last = value
