"""`lictor maint`: maintenance mode of the node and of single services."""

from __future__ import annotations

from lictor.cli.command import HttpCommand, UsageError
from lictor.cli.flags import switch, text

NODE_CHECK = "_node_maintenance"
SERVICE_CHECK = "_service_maintenance:"


class Maint(HttpCommand):
    """Takes the node, or one service, out of DNS and health answers for a while. Without flags it lists what is out.

    $ lictor maint -enable -reason="kernel upgrade"
    $ lictor maint -enable -service=web-1 -reason="draining"
    $ lictor maint -disable
    """

    words = "maint"
    synopsis = "Put a node or service into maintenance mode"
    enable = switch("Begin maintenance.")
    disable = switch("End maintenance.")
    reason = text("Why, for others to see. Only with -enable.")
    service = text("The id of the service; without it the whole node is meant.")

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        if self.enable and self.disable:
            raise UsageError("Only one of -enable or -disable may be provided")
        if not self.enable and self.reason:
            raise UsageError("Reason may only be provided with -enable")
        if not self.enable and not self.disable:
            if self.service:
                raise UsageError("Service requires either -enable or -disable")
            return self._list()
        done = "enabled" if self.enable else "disabled"
        if self.service:
            self.client.agent.service_maintenance(self.service, self.enable, self.reason)
            self.console.line(f'Service maintenance is now {done} for "{self.service}"')
        else:
            self.client.agent.maintenance(self.enable, self.reason)
            self.console.line(f"Node maintenance is now {done}")
        return 0

    def _list(self) -> int:
        name = str(self.client.agent.self()["Config"]["NodeName"])
        checks = self.client.agent.checks()
        for _, check in sorted(checks.items()):
            id = check["CheckID"]
            if id == NODE_CHECK:
                self._entry("Node", "Name:  ", name, check["Notes"])
            elif id.startswith(SERVICE_CHECK):
                self._entry("Service", "ID:    ", id.removeprefix(SERVICE_CHECK), check["Notes"])
        return 0

    def _entry(self, kind: str, label: str, what: str, reason: str) -> None:
        for line in (f"{kind}:", f"  {label} {what}", f"  Reason: {reason}", ""):
            self.console.line(line)


COMMANDS = (Maint,)
