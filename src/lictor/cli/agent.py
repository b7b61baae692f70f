"""`lictor agent`: runs an agent in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from lictor.cli.command import Command, Described

if TYPE_CHECKING:
    from lictor.agent.agent import Agent
    from lictor.agent.config import Built


SWITCH_SECONDS = 0.0005


class AgentCommand(Command):
    """Runs an agent.

    lictor agent -dev
        An agent for trying things out: a server on 127.0.0.1 that keeps everything in memory.

    lictor agent -server -data-dir /var/lib/lictor -config-dir /etc/lictor.d
        A durable server with services and checks from files.

    SIGHUP reads the configuration again; SIGTERM and SIGINT stop the agent.
    """

    words = "agent"
    synopsis = "Run an agent"
    own_flags = True

    @classmethod
    def described(cls) -> Iterable[Described]:
        from lictor.agent.config import FLAGS

        return [Described(flag.name, "" if flag.kind == "bool" else flag.kind, flag.help) for flag in FLAGS]

    def run(self, arguments: list[str]) -> int:
        """Serves until stopped; 1 when it could not start."""
        from lictor.agent.config import load, parse_flags, this_machine
        from lictor.errors import LictorError
        from lictor.runtime import log

        try:
            flags = parse_flags(arguments)
            host = this_machine()

            def reload() -> Built:
                return load(flags, host)

            built = reload()
            config = built.config
            log.setup(log.level_of(config.log_level) or 20, config.log_json, config.log_file)
            logger = log.get_logger("agent")
            for warning in built.warnings:
                logger.warning("%s", warning)
            if built.ignored:
                logger.warning("settings without effect here: %s", ", ".join(built.ignored))
            _pid_file(config.pid_file)
            return self._serve(built, reload)
        except (LictorError, OSError) as error:
            self.console.complain(f"==> {error}")
            return 1

    def _serve(self, built: Built, reload: Callable[[], Built]) -> int:
        import uvloop

        # The store's thread must not wait long for the event loop to let go of the interpreter.
        sys.setswitchinterval(SWITCH_SECONDS)
        from lictor.agent.agent import Agent
        from lictor.runtime.clock import Entropy, SystemClock

        async def main() -> None:
            agent = Agent(built, reload, SystemClock(), Entropy())
            _handle_signals(agent)
            await agent.run(lambda: self._announce(agent))

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
        return 0

    def _announce(self, agent: Agent) -> None:
        """Tells a person where everything is."""
        config = agent.config
        listen = config.listen
        rows = [
            ("Version", f"lictor {_version()}"),
            ("Node name", config.node_name),
            ("Node ID", agent.node.id),
            ("Datacenter", config.datacenter),
            ("Server", f"{config.server} (store: {config.store.kind})"),
            ("HTTP", ", ".join(map(str, listen.http)) or "off"),
            ("HTTPS", ", ".join(map(str, listen.https)) or "off"),
            ("DNS", ", ".join(map(str, listen.dns)) or "off"),
        ]
        self.console.line("==> lictor agent running!")
        for name, value in rows:
            self.console.line(f"{name:>14}: {value}")
        sys.stdout.flush()


def _handle_signals(agent: Agent) -> None:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(_reload(agent))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def terminate() -> None:
        agent.shutdown(leave=agent.config.leave_on_terminate)

    def interrupt() -> None:
        agent.shutdown(leave=not agent.config.skip_leave_on_interrupt)

    loop.add_signal_handler(signal.SIGTERM, terminate)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGHUP, reload)


async def _reload(agent: Agent) -> None:
    from lictor.errors import LictorError
    from lictor.runtime.log import get_logger

    try:
        await agent.reload()
    except LictorError as error:
        get_logger("agent").error("reload failed, nothing was changed: %s", error)


def _pid_file(path: str) -> None:
    if path:
        import atexit
        import os
        from contextlib import suppress

        with open(path, "w") as file:
            file.write(f"{os.getpid()}\n")

        def remove() -> None:
            with suppress(OSError):
                os.unlink(path)

        atexit.register(remove)


def _version() -> str:
    from lictor.version import VERSION

    return VERSION


COMMANDS = (AgentCommand,)
