"""The reference's recorded answers, replayed against the agent; runner and recordings lie beside the repository."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.processes import LICTOR
from tests.e2e.conftest import TOP

RUNNER = TOP.parent / "shared" / "conformance" / "conformance.py"
AREAS = "kv session txn event operator snapshot query catalog- health- agent- dns- cli-"
ENOUGH = 97.0


@pytest.mark.skipif(not RUNNER.exists(), reason="the recordings are not beside this checkout")
@pytest.mark.timeout(1200)
def test_enough_steps_answer_as_the_reference_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    only = AREAS.replace(" ", ",")
    done = subprocess.run(
        [sys.executable, str(RUNNER), "check", "--binary", LICTOR, "--only", only, "--json", str(report)],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert report.exists(), done.stdout + done.stderr
    steps = [(area, step) for area, steps in json.loads(report.read_text()).items() for step in steps]
    missed = [f"{area} step {step['step']}, {step['what']}: {step['hard'][0]}" for area, step in steps if step["hard"]]
    share = 100 * (1 - len(missed) / len(steps))
    with capsys.disabled():
        print(f"\n{len(steps) - len(missed)} of {len(steps)} steps match ({share:.1f} %)", *missed, sep="\n  ")
    assert share >= ENOUGH, "\n".join(missed)
