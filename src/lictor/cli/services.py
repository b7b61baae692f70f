"""`lictor services`: register services with the agent, and deregister them."""

from __future__ import annotations

from typing import Any

from lictor.cli.command import HttpCommand, UsageError
from lictor.cli.definitions import services
from lictor.cli.flags import Flag, number, pairs, text, texts


class Register(HttpCommand):
    """Registers a service with the agent: what the flags describe, or those that files define.

        $ lictor services register -name=web -port=80 -tag=v1
        $ lictor services register web.hcl db.json

    The agent runs the checks from then on. The service stays until it is deregistered.
    """

    words = "services register"
    synopsis = "Register services"
    arguments = "[FILE...]"
    address = text("The service's address; the node's when left out.")
    id = text("The service's id; the name when left out.")
    kind = text("The service's kind, such as connect-proxy; a normal service when left out.")
    meta = pairs("Metadata. May be repeated.")
    name = text("The service's name.")
    port = number("The service's port.")
    socket = text("The service's unix socket, instead of address and port.")
    tag = texts("A tag. May be repeated.")
    tagged_address: Flag[dict[str, str]] = pairs("A further address, such as lan=10.0.0.1:80. May be repeated.")

    def run(self, arguments: list[str]) -> int:
        if not arguments and not self.name:
            raise UsageError("Service registration requires at least one argument or flags.")
        if arguments and self.name:
            raise UsageError("Service registration requires arguments or -name, not both.")
        for definition in services(arguments) if arguments else [self._described()]:
            self.client.agent.register_service(definition)
            self.console.line(f"Registered service: {definition['Name']}")
        return 0

    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = {
            "Kind": self.kind,
            "ID": self.id,
            "Name": self.name,
            "Tags": list(self.tag),
            "Meta": self.meta,
            "Address": self.address,
            "Port": self.port,
            "SocketPath": self.socket,
            "TaggedAddresses": {tag: _address(tag, where) for tag, where in self.tagged_address.items()},
        }
        return {key: value for key, value in described.items() if value}


def _address(tag: str, where: str) -> dict[str, Any]:
    host, colon, port = where.rpartition(":")
    if not colon:
        return {"Address": where}
    if not (port.isascii() and port.isdigit()):
        raise UsageError(f"-tagged-address {tag}: {port!r} is not a port")
    return {"Address": host.strip("[]"), "Port": int(port)}


class Deregister(HttpCommand):
    """Deregisters services from the agent: by id, or those that files define.

    $ lictor services deregister -id=web
    $ lictor services deregister web.hcl
    """

    words = "services deregister"
    synopsis = "Deregister services"
    arguments = "[FILE...]"
    id = text("The service's id.")

    def run(self, arguments: list[str]) -> int:
        if not arguments and not self.id:
            raise UsageError("Service deregistration requires at least one argument or -id.")
        if arguments and self.id:
            raise UsageError("Service deregistration requires arguments or -id, not both.")
        ids = [str(d.get("ID") or d["Name"]) for d in services(arguments)] if arguments else [self.id]
        for id in ids:
            self.client.agent.deregister_service(id)
            self.console.line(f"Deregistered service: {id}")
        return 0


COMMANDS = (Register, Deregister)
GROUPS = {"services": "Register and deregister services"}
