from __future__ import annotations

import os
from pathlib import Path

import pytest

from lictor.agent.checks import CheckKit, Outcome
from lictor.agent.checks.commands import check_docker, check_os_service, check_script, unit_outcome
from lictor.types.definitions import CheckSpec


@pytest.mark.parametrize(("code", "status"), [(0, "passing"), (1, "warning"), (2, "critical"), (127, "critical")])
async def test_the_exit_code_decides(kit: CheckKit, code: int, status: str) -> None:
    spec = CheckSpec(script_args=["sh", "-c", f"echo hello; exit {code}"])
    assert await check_script(spec, kit, 10) == Outcome(status, "hello\n")


async def test_a_shell_takes_the_arguments_as_one_line(kit: CheckKit) -> None:
    spec = CheckSpec(script_args=["echo one;", "echo two"], shell="/bin/sh")
    assert await check_script(spec, kit, 10) == Outcome("passing", "one\ntwo\n")


async def test_scripts_see_the_agents_environment(kit: CheckKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICTOR_TEST_COLOUR", "green")
    spec = CheckSpec(script_args=["sh", "-c", "printf %s $LICTOR_TEST_COLOUR"])
    assert await check_script(spec, kit, 10) == Outcome("passing", "green")


async def test_a_script_that_takes_too_long(kit: CheckKit) -> None:
    spec = CheckSpec(script_args=["sh", "-c", "echo begun; sleep 600"])
    assert await check_script(spec, kit, 0.5) == Outcome("critical", "Timed out (500ms) running check\n\nbegun\n")


async def test_a_definition_may_keep_less_output_but_not_more() -> None:
    kit = CheckKit(output_max_size=10)
    script = ["printf", "0123456789abcdef"]
    less = await check_script(CheckSpec(script_args=script, output_max_size=4), kit, 10)
    assert less.output == "Captured 4 of 16 bytes\n...\ncdef"
    more = await check_script(CheckSpec(script_args=script, output_max_size=4000), kit, 10)
    assert more.output == "Captured 10 of 16 bytes\n...\n6789abcdef"


async def test_docker_runs_the_script_in_the_container(
    kit: CheckKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, monkeypatch, "docker", 'echo "$@"; exit 1')
    spec = CheckSpec(docker_container_id="f00", script_args=["check", "--fast"])
    assert await check_docker(spec, kit, 10) == Outcome("warning", "exec f00 check --fast\n")


async def test_without_the_docker_client(kit: CheckKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = await check_docker(CheckSpec(docker_container_id="f00", script_args=["check"]), kit, 10)
    assert outcome.status == "critical"
    assert "need the docker client in the agent's PATH" in outcome.output


async def test_a_container_cannot_be_an_option(kit: CheckKit) -> None:
    outcome = await check_docker(CheckSpec(docker_container_id="--privileged", script_args=["check"]), kit, 10)
    assert outcome == Outcome("critical", "DockerContainerID '--privileged' is no container")


async def test_an_os_service(kit: CheckKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = 'test "$4" = web.service && printf "LoadState=loaded\\nActiveState=active\\nSubState=running\\n"'
    pretend(tmp_path, monkeypatch, "systemctl", said)
    outcome = await check_os_service(CheckSpec(os_service="web.service"), kit, 10)
    assert outcome == Outcome("passing", 'OS service "web.service" is active (running)')


async def test_a_system_without_systemd(kit: CheckKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "systemctl", "echo not booted with systemd >&2; exit 1")
    outcome = await check_os_service(CheckSpec(os_service="web"), kit, 10)
    assert outcome == Outcome("critical", 'OS service "web" could not be asked about: not booted with systemd')
    (tmp_path / "systemctl").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = await check_os_service(CheckSpec(os_service="web"), kit, 10)
    assert outcome.output.startswith("OS service checks need systemd's systemctl")


@pytest.mark.parametrize(
    ("load", "active", "status", "text"),
    [
        ("loaded", "active", "passing", 'OS service "u" is active (x)'),
        ("loaded", "reloading", "warning", 'OS service "u" is reloading (x)'),
        ("loaded", "activating", "warning", 'OS service "u" is activating (x)'),
        ("loaded", "failed", "critical", 'OS service "u" is failed (x)'),
        ("loaded", "inactive", "critical", 'OS service "u" is inactive (x)'),
        ("not-found", "inactive", "critical", 'OS service "u" is not-found'),
    ],
)
def test_what_a_units_state_means(load: str, active: str, status: str, text: str) -> None:
    properties = {"LoadState": load, "ActiveState": active, "SubState": "x"}
    assert unit_outcome("u", properties) == Outcome(status, text)


def pretend(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Puts a program of that name first in the PATH."""
    program = directory / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
