"""`lictor reload`: make an agent read its configuration again."""

from __future__ import annotations

from lictor.cli.command import HttpCommand


class Reload(HttpCommand):
    """Tells the agent to read its configuration files again, as SIGHUP does. What cannot change while it runs stays.

    $ lictor reload
    """

    words = "reload"
    synopsis = "Tell an agent to read its configuration again"

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        self.client.agent.reload()
        self.console.line("Configuration reload triggered")
        return 0


COMMANDS = (Reload,)
