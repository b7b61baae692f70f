"""`lictor join`, `leave` and `force-leave`: who belongs to the cluster."""

from __future__ import annotations

from lictor.cli.command import Failure, HttpCommand, UsageError
from lictor.cli.flags import switch


class Join(HttpCommand):
    """Tells the agent to join a cluster through at least one of its members.

    $ lictor join 10.0.0.1 10.0.0.2
    """

    words = "join"
    synopsis = "Tell an agent to join a cluster"
    arguments = "ADDRESS..."
    wan = switch("Join the servers of other datacenters.")

    def run(self, arguments: list[str]) -> int:
        from lictor.client.errors import ClientError

        if not arguments:
            raise UsageError("At least one address to join must be specified.")
        joined = 0
        for address in arguments:
            try:
                self.client.agent.join(address, wan=self.wan)
                joined += 1
            except ClientError as error:
                self.console.complain(f"Error joining address '{address}': {error}")
        if not joined:
            raise Failure("Failed to join any nodes.")
        self.console.line(f"Successfully joined cluster by contacting {joined} nodes.")
        return 0


class Leave(HttpCommand):
    """Tells the agent to leave its cluster properly and stop.

    $ lictor leave
    """

    words = "leave"
    synopsis = "Tell an agent to leave its cluster and stop"

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        self.client.agent.leave()
        self.console.line("Graceful leave complete")
        return 0


class ForceLeave(HttpCommand):
    """Declares a member that has failed gone, so that nobody waits for it. One that is alive comes back.

    $ lictor force-leave -prune worker-07
    """

    words = "force-leave"
    synopsis = "Declare a failed member gone"
    arguments = "NODE"
    prune = switch("Forget the member altogether.")
    wan = switch("Only among the servers of all datacenters.")

    def run(self, arguments: list[str]) -> int:
        if len(arguments) != 1:
            raise UsageError("A single node name must be specified to force leave.")
        self.client.agent.force_leave(arguments[0], prune=self.prune, wan=self.wan)
        return 0


COMMANDS = (Join, Leave, ForceLeave)
