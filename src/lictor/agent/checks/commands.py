"""Checks that run a command: scripts, scripts inside a Docker container, and services of the operating system.

Source: the reference's script and docker checks (exit code 0 is passing, 1 a warning, anything else critical).
"""

from __future__ import annotations

from lictor.agent.checks.kit import CheckKit
from lictor.agent.checks.outcome import Outcome
from lictor.agent.checks.process import CannotRun, Ran, run
from lictor.types.catalog import CRITICAL, PASSING, WARNING
from lictor.types.definitions import CheckSpec
from lictor.types.duration import Duration

DOCKER = "docker"
SYSTEMCTL = "systemctl"


async def check_script(spec: CheckSpec, kit: CheckKit, timeout: float) -> Outcome:
    """Runs the script, which inherits the agent's environment."""
    try:
        return _judged(await run(_command(spec), timeout, kit.output_bytes(spec.output_max_size)), timeout)
    except CannotRun as error:
        return Outcome(CRITICAL, str(error))


async def check_docker(spec: CheckSpec, kit: CheckKit, timeout: float) -> Outcome:
    """Runs the script in a container through the Docker client."""
    container = spec.docker_container_id
    if container.startswith("-"):
        return Outcome(CRITICAL, f"DockerContainerID {container!r} is no container")
    try:
        ran = await run([DOCKER, "exec", container, *_command(spec)], timeout, kit.output_bytes(spec.output_max_size))
    except CannotRun as error:
        return Outcome(CRITICAL, f"Docker checks need the docker client in the agent's PATH: {error}")
    return _judged(ran, timeout)


async def check_os_service(spec: CheckSpec, kit: CheckKit, timeout: float) -> Outcome:
    """Asks systemd about a unit: active is passing, on its way up or down a warning, anything else critical."""
    unit = spec.os_service
    try:
        ran = await run(
            [SYSTEMCTL, "show", "--property=LoadState,ActiveState,SubState", "--", unit],
            timeout,
            kit.output_bytes(spec.output_max_size),
        )
    except CannotRun as error:
        return Outcome(CRITICAL, f"OS service checks need systemd's systemctl in the agent's PATH: {error}")
    if ran.code != 0:
        said = _judged(ran, timeout).output.strip()
        return Outcome(CRITICAL, f'OS service "{unit}" could not be asked about: {said}')
    return unit_outcome(unit, dict(line.partition("=")[::2] for line in ran.output.splitlines()))


def unit_outcome(unit: str, properties: dict[str, str]) -> Outcome:
    """What systemd's properties of a unit mean."""
    active, sub = properties.get("ActiveState", "unknown"), properties.get("SubState", "unknown")
    if properties.get("LoadState") in ("not-found", "masked", "bad-setting", "error"):
        return Outcome(CRITICAL, f'OS service "{unit}" is {properties["LoadState"]}')
    status = PASSING if active == "active" else WARNING if active in ("activating", "reloading") else CRITICAL
    return Outcome(status, f'OS service "{unit}" is {active} ({sub})')


def _command(spec: CheckSpec) -> list[str]:
    return [spec.shell, "-c", " ".join(spec.script_args)] if spec.shell else spec.script_args


def _judged(ran: Ran, timeout: float) -> Outcome:
    if ran.code is None:
        text = f"Timed out ({Duration.of(timeout)}) running check"
        return Outcome(CRITICAL, f"{text}\n\n{ran.output}" if ran.output else text)
    return Outcome({0: PASSING, 1: WARNING}.get(ran.code, CRITICAL), ran.output)
