"""`lictor validate`: check configuration files without starting an agent."""

from __future__ import annotations

from lictor.cli.command import Command, Failure, UsageError
from lictor.cli.flags import choice, switch


class Validate(Command):
    """Reads configuration files, and directories of them, as an agent would, and says what is wrong with them.

    $ lictor validate /etc/lictor.d
    """

    words = "validate"
    synopsis = "Check configuration files"
    arguments = "FILE_OR_DIRECTORY..."
    config_format = choice("Read every file as this, whatever its name.", "", ("", "hcl", "json"))
    quiet = switch("Print nothing when they are fine.")

    def run(self, arguments: list[str]) -> int:
        from lictor.agent.config import Flags, load, this_machine
        from lictor.errors import ConfigError

        if not arguments:
            raise UsageError("Must specify at least one config file or directory")
        try:
            built = load(Flags(config_paths=arguments, config_format=self.config_format), this_machine())
        except ConfigError as error:
            raise Failure(f"Config validation failed: {error}") from error
        for warning in built.warnings:
            self.console.complain(warning)
        if not self.quiet:
            self.console.line("Configuration is valid!")
        return 0


COMMANDS = (Validate,)
