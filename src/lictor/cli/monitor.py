"""`lictor monitor`: an agent's log as it is written."""

from __future__ import annotations

from lictor.cli.command import HttpCommand
from lictor.cli.flags import choice, switch


class Monitor(HttpCommand):
    """Prints the agent's log as it is written, until interrupted or until the agent stops.

    $ lictor monitor -log-level=debug
    """

    words = "monitor"
    synopsis = "Follow an agent's log"
    log_json = switch("Print the log as JSON.")
    log_level = choice("The least level to print.", "info", ("trace", "debug", "info", "warn", "error", "err"))

    def run(self, arguments: list[str]) -> int:
        from lictor.client.resources import plan

        self.none(arguments)
        request = plan.agent.monitor(log_level=self.log_level, log_json=self.log_json)
        try:
            for chunk in self.client.stream(request):
                self.console.stdout.write(chunk)
                self.console.stdout.flush()
        except KeyboardInterrupt:
            return 0
        self.console.complain("Remote side ended the monitor! This usually means that the remote side has exited.")
        return 0


COMMANDS = (Monitor,)
