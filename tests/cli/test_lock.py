from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lictor.client.locks import LOCK_FLAG
from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def soon(ready: Callable[[], bool], then: Callable[[], None]) -> threading.Thread:
    """Does something from another thread as soon as a condition holds."""

    def wait() -> None:
        deadline = time.monotonic() + 10
        while not ready() and time.monotonic() < deadline:
            threading.Event().wait(0.02)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_the_program_runs_while_the_lock_is_held(
    lictor: Lictor, agent: FakeAgent, capfd: pytest.CaptureFixture[str]
) -> None:
    done = lictor("lock -name=mine locks/job 'echo $CONSUL_LOCK_HELD'")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert capfd.readouterr().out == "true\n"
    assert agent.keys == {}
    assert agent.bodies("PUT /v1/session/create") == [{"Name": "mine", "TTL": "15000ms"}]


def test_a_semaphore(lictor: Lictor, agent: FakeAgent, capfd: pytest.CaptureFixture[str]) -> None:
    done = lictor("lock -n=2 -verbose locks/pool echo one two")
    assert done.code == 0
    assert done.lines[0] == "Setting up semaphore (limit 2) at prefix: locks/pool"
    assert done.lines[-1] == "Cleanup succeeded"
    assert capfd.readouterr().out == "one two\n"
    assert agent.keys == {}
    assert agent.bodies("PUT /v1/session/create")[0]["Behavior"] == "delete"


def test_the_programs_exit_code(lictor: Lictor) -> None:
    assert lictor("lock locks/job 'exit 7'").code == 0
    done = lictor("lock -child-exit-code locks/job 'exit 7'")
    assert (done.code, done.err) == (2, "Error running handler: exit status 7\n")
    assert lictor("lock -child-exit-code locks/job true").code == 0
    assert lictor("lock -child-exit-code -shell=false locks/job /none").code == 2


def test_standard_input_is_passed_only_when_asked(lictor: Lictor, capfd: pytest.CaptureFixture[str]) -> None:
    assert lictor("lock locks/job cat").code == 0
    assert capfd.readouterr().out == ""


def test_a_lock_that_is_held(lictor: Lictor, agent: FakeAgent, capfd: pytest.CaptureFixture[str]) -> None:
    agent.change("locks/job/.lock", b"", Flags=LOCK_FLAG, Session="somebody")
    for flag in ("-timeout=200ms", "-try=200ms"):
        done = lictor(f"lock {flag} locks/job 'echo never'")
        assert done.code == 1
        assert "Lock acquisition failed" in done.err
    assert capfd.readouterr().out == ""
    assert agent.sessions == {}


def test_a_key_that_is_no_lock(lictor: Lictor, agent: FakeAgent) -> None:
    agent.change("locks/job/.lock", b"data")
    assert "is not a lock" in lictor("lock locks/job true").err


def test_a_lost_lock_stops_the_program_and_its_children(lictor: Lictor, agent: FakeAgent, tmp_path: Path) -> None:
    held = soon((tmp_path / "started").exists, lambda: agent.end_session(next(iter(agent.sessions))))
    done = lictor("lock locks/job '(sleep 30; touch survived) & touch started; wait'")
    held.join()
    assert done.code == 1
    assert "The lock was lost" in done.err
    assert not (tmp_path / "survived").exists()


def test_a_signal_stops_the_program(lictor: Lictor, agent: FakeAgent, tmp_path: Path) -> None:
    import os
    import signal

    told = soon((tmp_path / "started").exists, lambda: os.kill(os.getpid(), signal.SIGTERM))
    done = lictor("lock -verbose locks/job 'touch started; sleep 30'")
    told.join()
    assert done.code == 0
    assert "Shutdown triggered, killing child" in done.lines
    assert agent.keys == {} and agent.sessions == {}


def test_a_signal_while_waiting(lictor: Lictor, agent: FakeAgent) -> None:
    import os
    import signal

    agent.change("locks/job/.lock", b"", Flags=LOCK_FLAG, Session="somebody")
    waits = lambda: len([a for a in agent.asked if a.method == "GET"]) > 1  # noqa: E731
    told = soon(waits, lambda: os.kill(os.getpid(), signal.SIGINT))
    done = lictor("lock locks/job true")
    told.join()
    assert (done.code, done.err) == (1, "Shutdown triggered during lock acquisition\n")
    assert agent.sessions == {}


@pytest.mark.parametrize(
    "line",
    [
        "lock",
        "lock prefix",
        "lock -n=0 a b",
        "lock -monitor-retry=-1 a b",
        "lock -timeout=-1s a b",
        "lock -timeout=x a b",
    ],
)
def test_what_cannot_be_locked(lictor: Lictor, agent: FakeAgent, line: str) -> None:
    assert lictor(line).code == 1
    assert agent.asked == []


def test_flags_of_the_program_are_its_own(lictor: Lictor, capfd: pytest.CaptureFixture[str]) -> None:
    assert lictor("lock locks/job echo -h -verbose").code == 0
    assert capfd.readouterr().out == "-h -verbose\n"
