"""npm's `consul`, as it is, against the agent: the steps are in `npm/client.js`. `make e2e` installs it into .cache."""

from __future__ import annotations

import os
import subprocess

from bench.processes import Agent
from tests.e2e.conftest import TOP


def test_every_step_of_the_script_holds(agent: Agent) -> None:
    done = subprocess.run(
        ["node", str(TOP / "tests" / "e2e" / "npm" / "client.js"), str(agent.ports["http"])],
        env={**os.environ, "NODE_PATH": str(TOP / ".cache" / "npm" / "node_modules")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ok"
