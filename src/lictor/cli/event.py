"""`lictor event`: fire a user event."""

from __future__ import annotations

from lictor.cli.command import ServerCommand, UsageError
from lictor.cli.flags import text


class Event(ServerCommand):
    """Fires an event that agents see and watches of type `event` act on. Keep the payload small.

        $ lictor event -name=deploy 1609030

    Only for nodes that have a matching service:

        $ lictor event -name=flush -service='^web$' -tag='^v2$'
    """

    words = "event"
    synopsis = "Fire a user event"
    arguments = "[PAYLOAD]"
    name = text("The event's name. Required.")
    node = text("Only for nodes whose name this regular expression matches.")
    service = text("Only for nodes with a service whose name this regular expression matches.")
    tag = text("Only for nodes with a service that has a tag this matches; needs -service.")

    def run(self, arguments: list[str]) -> int:
        from lictor.types.regexp import compile_regexp

        if not self.name:
            raise UsageError("Event name must be specified")
        for flag, expression in (("node", self.node), ("service", self.service), ("tag", self.tag)):
            try:
                compile_regexp(expression)
            except ValueError as error:
                raise UsageError(f"Error compiling {flag} filter regexp: {error}") from error
        if self.tag and not self.service:
            raise UsageError("Cannot provide tag filter without service filter.")
        if len(arguments) > 1:
            raise UsageError("Too many command line arguments.")
        payload = arguments[0].encode("utf-8", "surrogateescape") if arguments else b""
        event = self.client.event.fire(self.name, payload, node=self.node, service=self.service, tag=self.tag)
        self.console.line(f"Event ID: {event['ID']}")
        return 0


COMMANDS = (Event,)
