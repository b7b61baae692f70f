from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from lictor.agent.checks.process import CannotRun, run


async def test_output_and_exit_code() -> None:
    ran = await run(["sh", "-c", "echo out; echo err >&2; exit 3"], 10, 100)
    assert (ran.code, ran.output) == (3, "out\nerr\n")


async def test_a_flood_of_output_is_kept_small() -> None:
    ran = await run(["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; echo end"], 10, 8)
    assert ran.output == "Captured 8 of 1000004 bytes\n...\nxxxxend\n"


async def test_at_the_timeout_the_whole_group_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo $! > {pids}; echo $$ >> {pids}; echo begun; wait"
    ran = await run(["sh", "-c", script], 0.5, 100)
    assert (ran.code, ran.output) == (None, "begun\n")
    for pid in map(int, pids.read_text().split()):
        await gone(pid)


async def test_a_cancelled_run_leaves_nothing_behind(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    task = asyncio.create_task(run(["sh", "-c", f"echo $$ > {pids}.new; mv {pids}.new {pids}; sleep 600"], 600, 100))
    while not pids.exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(int(pids.read_text()))


async def test_a_run_cancelled_while_it_starts_leaves_nothing_behind() -> None:
    for step in range(30):
        task = asyncio.create_task(run(["sh", "-c", "sleep 600; echo cancelled-at-start"], 600, 9))
        await asyncio.sleep(step / 5000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
    async with asyncio.timeout(10):
        for pid in [p for p in children() if b"cancelled-at-start" in Path(f"/proc/{p}/cmdline").read_bytes()]:
            await gone(pid)


async def test_a_grandchild_that_left_the_group_does_not_hold_the_check() -> None:
    ran = await run(["sh", "-c", "setsid sleep 2 & echo begun"], 0.5, 100)
    assert (ran.code, ran.output) == (None, "begun\n")


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["lictor-no-such-command"], 'exec: "lictor-no-such-command": executable file not found in $PATH'),
        (["/no/such/file"], "fork/exec /no/such/file: no such file or directory"),
        (["/dev/null"], "fork/exec /dev/null: permission denied"),
        (["echo", "a\0b"], "fork/exec echo: invalid argument"),
    ],
)
async def test_what_cannot_be_started(argv: list[str], text: str) -> None:
    with pytest.raises(CannotRun, match=text.replace("$", r"\$")):
        await run(argv, 1, 100)


async def gone(pid: int) -> None:
    """Waits until a process is dead; whoever inherited it may not have reaped it yet."""
    while True:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        await asyncio.sleep(0.01)


def children() -> list[int]:
    """This process's children, those of other threads included."""
    return [int(pid) for thread in Path("/proc/self/task").glob("*/children") for pid in thread.read_text().split()]
