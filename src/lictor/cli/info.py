"""`lictor info`: an agent's statistics."""

from __future__ import annotations

from lictor.cli.command import HttpCommand, ListCommand


class Info(HttpCommand, ListCommand):
    """Prints the agent's statistics, section by section.

    $ lictor info
    """

    words = "info"
    synopsis = "Show an agent's statistics"

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        stats: dict[str, dict[str, object]] = self.client.agent.self().get("Stats") or {}
        if self.as_json:
            self.console.json(stats)
            return 0
        for section in sorted(stats):
            self.console.line(f"{section}:")
            for key in sorted(stats[section]):
                self.console.line(f"\t{key} = {stats[section][key]}")
        return 0


COMMANDS = (Info,)
