"""`lictor operator`: the servers, their consensus and its rules."""

from __future__ import annotations

from typing import Any

from lictor.cli.command import Failure, ListCommand, ServerCommand, UsageError
from lictor.cli.flags import Flag, duration, switch, text, unsigned
from lictor.cli.table import table


class ListPeers(ServerCommand, ListCommand):
    """Lists the servers that take part in consensus.

    $ lictor operator raft list-peers
    """

    words = "operator raft list-peers"
    synopsis = "List the servers"

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        configuration = self.client.operator.raft_configuration(stale=self.stale)
        if self.as_json:
            self.console.json(configuration)
            return 0
        rows = [["Node", "ID", "Address", "State", "Voter", "RaftProtocol"]]
        for server in configuration.get("Servers") or ():
            state = "leader" if server.get("Leader") else "follower"
            voter = "true" if server.get("Voter") else "false"
            protocol = server.get("ProtocolVersion") or "<=1"
            rows.append([server["Node"], server["ID"], server["Address"], state, voter, str(protocol)])
        for line in table(rows):
            self.console.line(line)
        return 0


class RemovePeer(ServerCommand):
    """Takes a server out of consensus that is gone for good and was not noticed. Try `lictor force-leave` first.

    $ lictor operator raft remove-peer -address=10.0.0.3:8300
    """

    words = "operator raft remove-peer"
    synopsis = "Take a server out"
    address = text("The server's address and port.")
    id = text("The server's id.")

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        if self.address and self.id:
            raise UsageError("Give either an address or an id, not both")
        if not self.address and not self.id:
            raise UsageError("An address or id is required for the peer to remove")
        self.client.operator.raft_remove_peer(address=self.address, id=self.id)
        what = f'address "{self.address}"' if self.address else f'id "{self.id}"'
        self.console.line(f"Removed peer with {what}")
        return 0


class GetConfig(ServerCommand, ListCommand):
    """Prints the rules by which servers are looked after.

    $ lictor operator autopilot get-config
    """

    words = "operator autopilot get-config"
    synopsis = "Print the rules"

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        found = self.client.operator.autopilot_configuration(stale=self.stale)
        if self.as_json:
            self.console.json(found)
            return 0
        for name in ("CleanupDeadServers", "LastContactThreshold", "MaxTrailingLogs", "MinQuorum"):
            self.console.line(f"{name} = {_plain(found.get(name))}")
        self.console.line(f"ServerStabilizationTime = {found.get('ServerStabilizationTime')}")
        self.console.line(f'RedundancyZoneTag = "{found.get("RedundancyZoneTag", "")}"')
        self.console.line(f"DisableUpgradeMigration = {_plain(found.get('DisableUpgradeMigration'))}")
        self.console.line(f'UpgradeVersionTag = "{found.get("UpgradeVersionTag", "")}"')
        return 0


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value if value is not None else 0)


class SetConfig(ServerCommand):
    """Changes those rules that the flags name; the others stay.

    $ lictor operator autopilot set-config -min-quorum=3
    """

    words = "operator autopilot set-config"
    synopsis = "Change the rules"
    cleanup_dead_servers = switch("Remove servers that died once a new one has joined.")
    disable_upgrade_migration = switch("Do not hold back newer servers until they can take over.")
    last_contact_threshold = duration("How long a healthy server may be without word from the leader.")
    max_trailing_logs = unsigned("How many entries a healthy server may be behind.")
    min_quorum = unsigned("How many servers must stay when dead ones are removed.")
    redundancy_zone_tag = text("The node metadata that names a server's zone.")
    server_stabilization_time = duration("How long a new server must be healthy before it counts.")
    upgrade_version_tag = text("The node metadata that names a server's version.")

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        found = self.client.operator.autopilot_configuration()
        for field, flag in self._fields().items():
            if self.given(flag.name):
                found[field] = self._value(flag)
        if not self.client.operator.set_autopilot_configuration(found, cas=int(found.get("ModifyIndex", 0))):
            raise Failure("Configuration could not be atomically updated, please try again")
        self.console.line("Configuration updated!")
        return 0

    @classmethod
    def _fields(cls) -> dict[str, Flag[Any]]:
        return {
            "CleanupDeadServers": cls.cleanup_dead_servers,
            "DisableUpgradeMigration": cls.disable_upgrade_migration,
            "LastContactThreshold": cls.last_contact_threshold,
            "MaxTrailingLogs": cls.max_trailing_logs,
            "MinQuorum": cls.min_quorum,
            "RedundancyZoneTag": cls.redundancy_zone_tag,
            "ServerStabilizationTime": cls.server_stabilization_time,
            "UpgradeVersionTag": cls.upgrade_version_tag,
        }

    def _value(self, flag: Flag[Any]) -> object:
        from lictor.types.duration import Duration

        value = flag.__get__(self, type(self))
        return str(Duration.of(value)) if isinstance(value, float) else value


class State(ServerCommand, ListCommand):
    """Prints what autopilot knows of every server.

    $ lictor operator autopilot state
    """

    words = "operator autopilot state"
    synopsis = "Print the servers' health"

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        state = self.client.operator.autopilot_state()
        if self.as_json:
            self.console.json(state)
            return 0
        self.console.line(f"Healthy:                      {_plain(state.get('Healthy', False))}")
        self.console.line(f"Failure Tolerance:            {state.get('FailureTolerance', 0)}")
        self.console.line(f"Optimistic Failure Tolerance: {state.get('OptimisticFailureTolerance', 0)}")
        self.console.line(f"Leader:                       {state.get('Leader', '')}")
        self.console.line("Voters:")
        for voter in state.get("Voters") or ():
            self.console.line(f"   {voter}")
        self.console.line("Servers:")
        for id, server in sorted((state.get("Servers") or {}).items()):
            self._server(id, server)
        return 0

    def _server(self, id: str, server: dict[str, Any]) -> None:
        self.console.line(f"   {id}")
        for label, field in (
            ("Name", "Name"),
            ("Address", "Address"),
            ("Version", "Version"),
            ("Status", "Status"),
            ("Node Type", "NodeType"),
            ("Node Status", "NodeStatus"),
            ("Healthy", "Healthy"),
            ("Last Contact", "LastContact"),
            ("Last Term", "LastTerm"),
            ("Last Index", "LastIndex"),
        ):
            self.console.line(f"      {label + ':':<16} {_plain(server.get(field))}")
        meta = server.get("Meta") or {}
        if meta:
            self.console.line("      Meta")
        for key in sorted(meta):
            self.console.line(f'         "{key}": "{meta[key]}"')


COMMANDS = (ListPeers, RemovePeer, GetConfig, SetConfig, State)
GROUPS = {
    "operator": "Look after the servers",
    "operator raft": "The servers in consensus",
    "operator autopilot": "The rules by which servers are looked after",
}
