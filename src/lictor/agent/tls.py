"""TLS as the configuration wants it: for HTTPS, for the ports that other agents ask at, and for asking other agents.

`AgentTLS` holds the contexts in use. Whoever serves or connects asks it anew for each connection, so that certificates,
authorities and rules change for new connections while old ones go on. Keys and their meaning are the reference's
(ca_file, ca_path, cert_file, key_file, verify_*, tls_*), with two differences. Between agents TLS is on or off: with
verify_incoming, verify_incoming_rpc or verify_outgoing these ports speak TLS only. And where it is on, servers are
always verified against the authorities; verify_server_hostname also demands the name `server.<datacenter>.<domain>`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import NamedTuple

from lictor.agent import tls_files
from lictor.agent.config import RuntimeConfig
from lictor.agent.config.ciphers import openssl_ciphers
from lictor.errors import ConfigError
from lictor.runtime.clock import Clock
from lictor.runtime.log import get_logger

LOOK_SECONDS = 30.0
"""Between two looks at whether the files have changed."""
log = get_logger("agent.tls")


class Outgoing(NamedTuple):
    """How to connect to another agent. `name` is what its certificate must be valid for; empty: any name will do.

    `certified` says whether we have a certificate to show.
    """

    context: ssl.SSLContext
    certified: bool
    name: str = ""


class Contexts(NamedTuple):
    """Everything made from one configuration; None where there is no TLS."""

    https: ssl.SSLContext | None
    agents: ssl.SSLContext | None
    """For the join and server ports."""
    joining: Outgoing | None
    """To any agent's join port."""
    servers: Outgoing | None
    warnings: tuple[str, ...]
    stamps: tls_files.Stamps
    """The files that all this was made from."""


class AgentTLS:
    """The contexts in use. Raises ConfigError naming the key and the file that cannot be used."""

    def __init__(self, config: RuntimeConfig, clock: Clock) -> None:
        self._clock = clock
        self._contexts = self.prepare(config)
        self._stamps = self._contexts.stamps
        for warning in self._contexts.warnings:
            log.warning("%s", warning)

    @property
    def between_agents(self) -> bool:
        """Whether agents speak TLS with each other."""
        return self._contexts.servers is not None

    @property
    def https(self) -> ssl.SSLContext:
        """For a new connection to the HTTPS API."""
        return _there(self._contexts.https)

    @property
    def agents(self) -> ssl.SSLContext:
        """For a new connection from another agent."""
        return _there(self._contexts.agents)

    @property
    def accepts_agents(self) -> bool:
        """Whether other agents can be served: not where TLS is on and this agent has no certificate."""
        return not self.between_agents or self._contexts.agents is not None

    def joining(self) -> Outgoing | None:
        """For a new connection to a join port."""
        return self._contexts.joining

    def servers(self) -> Outgoing | None:
        """For a new connection to a server."""
        return self._contexts.servers

    def prepare(self, config: RuntimeConfig) -> Contexts:
        """Makes the contexts without using them yet. Raises ConfigError."""
        return make(config, self._clock.time())

    def take(self, fresh: Contexts) -> None:
        """New connections use these from now on. What cannot be turned on or off while ports are open stays."""
        kept, turned = self._contexts._asdict(), False
        for part, value in fresh._asdict().items():
            if part not in ("warnings", "stamps") and (value is None) != (kept[part] is None):
                turned = True
            else:
                kept[part] = value
        self._contexts, self._stamps = Contexts(**kept), fresh.stamps
        for warning in fresh.warnings:
            log.warning("%s", warning)
        if turned:
            log.warning("TLS was turned on or off for a port: that takes effect only when the agent is restarted")

    def look(self, config: RuntimeConfig) -> bool:
        """Takes up files that have changed since they were read; returns whether any have.

        Files that cannot be used are complained of once; what was read before stays in use.
        """
        stamps = tls_files.stamps(config)
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        try:
            self.take(self.prepare(config))
        except ConfigError as error:
            log.error("changed certificates cannot be used, the ones from before stay in use: %s", error)
        else:
            log.info("changed certificates are in use from now on")
        return True

    async def follow(self, config: Callable[[], RuntimeConfig]) -> None:
        """Looks at intervals whether the configured files have changed."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look(config())


def make(config: RuntimeConfig, now: float) -> Contexts:
    """The contexts that a configuration means at a time (seconds since 1970). Raises ConfigError."""
    stamps = tls_files.stamps(config)
    files = tls_files.read(config)
    warnings = tuple(tls_files.warnings(config, files, now))
    https = agents = None
    if config.listen.https:
        https = _context(config, ssl.PROTOCOL_TLS_SERVER, files)
        if config.verify_incoming or config.verify_incoming_https:
            https.verify_mode = ssl.CERT_REQUIRED
    if not tls_files.between_agents(config):
        return Contexts(https, None, None, None, warnings, stamps)
    if files.own:
        agents = _context(config, ssl.PROTOCOL_TLS_SERVER, files)
        if config.verify_incoming or config.verify_incoming_rpc:
            agents.verify_mode = ssl.CERT_REQUIRED
    asking = _context(config, ssl.PROTOCOL_TLS_CLIENT, files)
    asking.check_hostname = False
    joining = servers = Outgoing(asking, bool(files.own))
    if config.verify_server_hostname:
        strict = _context(config, ssl.PROTOCOL_TLS_CLIENT, files)
        servers = Outgoing(strict, bool(files.own), tls_files.server_name(config))
    return Contexts(https, agents, joining, servers, warnings, stamps)


def _there(context: ssl.SSLContext | None) -> ssl.SSLContext:
    if context is None:
        raise ConfigError("TLS is not configured for this port")
    return context


def _context(config: RuntimeConfig, protocol: int, files: tls_files.TLSFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    tls13 = config.tls_min_version == "tls13"
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls13 else ssl.TLSVersion.TLSv1_2
    # An authority in between may be trusted without the one above it, as in the reference.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        if ciphers := openssl_ciphers(config.tls_cipher_suites):
            context.set_ciphers(ciphers)
        if config.cert_file:
            # The function stands in for a terminal that would otherwise be asked for a password.
            context.load_cert_chain(config.cert_file, config.key_file, password=lambda: "")
        for file, _ in files.authorities:
            context.load_verify_locations(file)
    except OSError as error:
        raise ConfigError(f"the files of TLS (cert_file, key_file, ca_file) cannot be used: {error}") from None
    return context
