"""`lictor keygen`: a key for encryption between agents."""

from __future__ import annotations

from lictor.cli.command import Command


class Keygen(Command):
    """Prints 32 random bytes in base64, as the agent's `encrypt` takes them.

    $ lictor keygen
    """

    words = "keygen"
    synopsis = "Make an encryption key"

    def run(self, arguments: list[str]) -> int:
        from base64 import b64encode
        from os import urandom

        self.none(arguments)
        self.console.line(b64encode(urandom(32)))
        return 0


COMMANDS = (Keygen,)
