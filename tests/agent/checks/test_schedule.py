from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lictor.agent.checks.schedule import Schedule, next_turn

KEYS = st.sampled_from("abcd")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.integers(0, 20)),
        st.tuples(st.just("drop"), KEYS, st.just(0)),
        st.tuples(st.just("pop"), st.just(""), st.integers(0, 20)),
    )
)


@given(STEPS)
def test_a_schedule_is_a_dict_of_times(steps: list[tuple[str, str, int]]) -> None:
    schedule, model = Schedule(), dict[str, float]()
    for what, key, at in steps:
        if what == "set":
            schedule.set(key, at)
            model[key] = at
        elif what == "drop":
            schedule.drop(key)
            model.pop(key, None)
        else:
            popped = schedule.pop(at)
            assert sorted(popped) == sorted(key for key, due in model.items() if due <= at)
            times = [model.pop(key) for key in popped]
            assert times == sorted(times)
        assert schedule.next() == min(model.values(), default=None)
        assert len(schedule) == len(model)


def test_a_thousand_heartbeats_leave_nothing_behind() -> None:
    schedule = Schedule()
    for beat in range(1000):
        schedule.set("ttl", beat + 10.0)
        schedule.pop(beat)
    assert len(schedule._heap) == 1


@given(
    st.floats(0, 1e6),
    st.floats(1, 3600),
    st.floats(0, 1e5),
)
def test_turns_stay_on_the_beat(planned: float, interval: float, late: float) -> None:
    now = planned + late
    due = next_turn(planned, interval, now)
    assert now < due <= now + interval * 1.001
    turns = (due - planned) / interval
    assert abs(turns - round(turns)) < 1e-6 * max(1.0, turns)


def test_a_late_run_does_not_move_the_next_one() -> None:
    assert next_turn(100.0, 10.0, 103.0) == 110.0
    assert next_turn(100.0, 10.0, 110.0) == 120.0
    assert next_turn(100.0, 10.0, 125.0) == 130.0
