"""What every command is made of: its words, its flags, its help, and what it needs to ask an agent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from lictor.cli.console import Console, Failure
from lictor.cli.flags import OWN_SECTION, Flag, UsageError, choice, flags_of, switch, text

if TYPE_CHECKING:
    from lictor.client.sync import SyncClient

__all__ = ["Command", "Console", "Described", "Failure", "HttpCommand", "ListCommand", "ServerCommand", "UsageError"]


class Described(NamedTuple):
    """A flag as the help shows it; without a placeholder it is a switch."""

    name: str
    placeholder: str
    help: str
    section: str = OWN_SECTION


class Command:
    """A command. `words` is how it is called, `synopsis` one line, `arguments` what comes after the flags, and the
    docstring its help, examples included. `child_words` says that what follows the first argument is another program's,
    `own_flags` that the command reads its flags itself.
    """

    words: ClassVar[str]
    synopsis: ClassVar[str]
    arguments: ClassVar[str] = ""
    child_words: ClassVar[bool] = False
    own_flags: ClassVar[bool] = False

    def __init__(self, console: Console) -> None:
        self.console = console

    @classmethod
    def described(cls) -> Iterable[Described]:
        """The flags for the help. A command with `own_flags` tells of its own."""
        for flag in flags_of(cls).values():
            yield Described(flag.name, flag.placeholder, flag.about, flag.section)

    def run(self, arguments: list[str]) -> int:
        """Does it and gives the exit code. May raise Failure, UsageError and LictorError."""
        raise NotImplementedError

    def none(self, arguments: list[str]) -> None:
        """Refuses arguments where there must be none."""
        if arguments:
            raise UsageError(f"Too many arguments (expected 0, got {len(arguments)})")

    def one(self, arguments: list[str], what: str) -> str:
        """The only argument."""
        if not arguments:
            raise UsageError(f"Missing {what} argument")
        if len(arguments) > 1:
            raise UsageError(f"Too many arguments (expected 1, got {len(arguments)})")
        return arguments[0]

    def given(self, *names: str) -> bool:
        """Whether the command line names any of these flags."""
        known = flags_of(type(self))
        return any(known[name].given(self) for name in names)


def _http(flag: Flag[Any]) -> Any:
    flag.section = "HTTP API Options"
    return flag


class HttpCommand(Command):
    """A command that asks an agent."""

    http_addr: Flag[str] = _http(
        text(
            "The agent's address: host:port, http://..., https://... or unix://... (CONSUL_HTTP_ADDR).",
            name="http-addr",
        )
    )
    token: Flag[str] = _http(text("The ACL token to use (CONSUL_HTTP_TOKEN)."))
    token_file: Flag[str] = _http(text("A file that holds the ACL token (CONSUL_HTTP_TOKEN_FILE)."))
    ca_file: Flag[str] = _http(text("PEM file of the authorities to trust (CONSUL_CACERT)."))
    ca_path: Flag[str] = _http(text("Directory of authorities to trust (CONSUL_CAPATH)."))
    client_cert: Flag[str] = _http(text("PEM file of the certificate to show (CONSUL_CLIENT_CERT)."))
    client_key: Flag[str] = _http(text("PEM file of that certificate's key (CONSUL_CLIENT_KEY)."))
    tls_server_name: Flag[str] = _http(
        text("The name that the agent's certificate must have (CONSUL_TLS_SERVER_NAME).")
    )

    _client: SyncClient | None = None

    @property
    def client(self) -> SyncClient:
        """The client that the flags and the environment describe."""
        if self._client is None:
            from lictor.client.sync import SyncClient

            self._client = SyncClient(self.config())
        return self._client

    def config(self) -> Any:
        """The client's configuration: the environment's, with what the flags say instead."""
        from lictor.client.config import Address, Config

        config = Config.from_env(self.console.env)
        tls = config.tls._replace(
            ca_file=self.ca_file or config.tls.ca_file,
            ca_path=self.ca_path or config.tls.ca_path,
            cert=self.client_cert or config.tls.cert,
            key=self.client_key or config.tls.key,
            server_name=self.tls_server_name or config.tls.server_name,
        )
        if self.http_addr:
            wants_tls = config.address.scheme == "https" and "://" not in self.http_addr
            config = config._replace(address=Address.parse(self.http_addr, tls=wants_tls))
        if self.token_file:
            config = config._replace(token_file=self.token_file)
        elif self.token:
            # A token on the command line is meant more than a file named in the environment.
            config = config._replace(token=self.token, token_file="")
        return config._replace(tls=tls)


class ServerCommand(HttpCommand):
    """A command whose question goes on from the agent to the servers."""

    datacenter: Flag[str] = _http(text("The datacenter to ask instead of the agent's own."))
    stale: Flag[bool] = _http(switch("Let any server answer, not only the leader."))
    namespace: Flag[str] = _http(text("The namespace to ask (CONSUL_NAMESPACE)."))

    def config(self) -> Any:
        config = super().config()
        return config._replace(
            datacenter=self.datacenter, stale=self.stale, namespace=self.namespace or config.namespace
        )


class ListCommand(Command):
    """A command that lists, for people or as JSON."""

    format = choice("How to print: for people, or as JSON.", "pretty", ("pretty", "json"))

    @property
    def as_json(self) -> bool:
        """Whether JSON is asked for."""
        return self.format == "json"
