"""`lictor version`: which version this is. Imports nothing else, so that it answers at once."""

from __future__ import annotations

from lictor.cli.command import ListCommand
from lictor.version import REFERENCE, VERSION


class Version(ListCommand):
    """Prints the version, and the version of the API that it speaks.

    $ lictor version -format=json
    """

    words = "version"
    synopsis = "Show the version"

    def run(self, arguments: list[str]) -> int:
        if self.as_json:
            release, _, stage = VERSION.partition("-")
            self.console.json({"Version": release, "Prerelease": stage, "FullVersion": VERSION, "API": REFERENCE})
        else:
            self.console.line(f"lictor v{VERSION}\nSpeaks the HTTP API of Consul {REFERENCE}")
        return 0


COMMANDS = (Version,)
