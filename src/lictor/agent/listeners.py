"""What an agent listens on: the HTTP API on its addresses and sockets, and DNS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from lictor.api.app import Application
from lictor.api.context import APIConfig, Context
from lictor.api.listener import Listener
from lictor.api.routes import build, cluster
from lictor.dns.server import DNSServer
from lictor.dns.settings import DNSSettings
from lictor.errors import ConfigError
from lictor.runtime.clock import SystemClock

if TYPE_CHECKING:
    from lictor.agent.agent import Agent
    from lictor.agent.config import Address


def join_listener(agent: Agent) -> Listener | None:
    """The port that newcomers ask. It is served first, since servers that form a cluster ask there too."""
    address = agent.config.listen.serf_lan
    if address is None or not agent.tls.accepts_agents:
        return None
    context = Context(agent, None, _api_config(agent), SystemClock(), agent.entropy, trusted=True)
    return _agents_listener(agent, Application(context, cluster.joining), address)


def _agents_listener(agent: Agent, app: Application, address: Address) -> Listener:
    """Where other agents connect, with TLS where agents speak it."""
    return Listener(
        app,
        address.host,
        address.port,
        tls=(lambda: agent.tls.agents) if agent.tls.between_agents else None,
        handshake_seconds=agent.config.limits.rpc_handshake_timeout,
    )


class Listeners:
    """Started last and stopped first. `reload` hands on what the agent's configuration now says."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        clock = SystemClock()
        role, api = agent.role, _api_config(agent)
        self.context = Context(agent, role.server, api, clock, agent.entropy)
        self.context.forwarder = role.forwarder
        self.app = Application(self.context, build())
        self._apps = [self.app]
        self._for_agents = Context(agent, role.server, api, clock, agent.entropy, trusted=True)
        listen = agent.config.listen
        self._http = [self._listener(address) for address in listen.http]
        if listen.https:
            self._http += [self._listener(address, lambda: agent.tls.https) for address in listen.https]
        self._http += self._agent_listeners()
        self.dns = [DNSServer(role.dns_source(), _dns_settings(agent), clock, agent.entropy) for _ in listen.dns]
        self._register_metrics()

    async def start(self) -> None:
        """Listens everywhere. Raises ConfigError naming the address that cannot be had."""
        for server, address in zip(self.dns, self._agent.config.listen.dns, strict=True):
            try:
                await server.start(address.host, address.port)
            except OSError as error:
                raise ConfigError(f"cannot serve DNS on {address}: {error.strerror or error}") from None
        for listener in self._http:
            await listener.start()

    async def stop(self) -> None:
        """Stops listening everywhere."""
        await asyncio.gather(*(listener.stop() for listener in self._http))
        for server in self.dns:
            await server.close()

    def reload(self) -> None:
        """Takes up the agent's configuration as it now is."""
        self.context.config = self._for_agents.config = _api_config(self._agent)
        for app in self._apps:
            app.clear()
        for server in self.dns:
            server.configure(_dns_settings(self._agent))

    def _listener(self, address: Address, tls: Callable[[], ssl.SSLContext] | None = None) -> Listener:
        config = self._agent.config
        unix = config.unix_sockets
        return Listener(
            self.app,
            address.host,
            address.port,
            unix=address.path,
            mode=unix.mode,
            user=unix.user,
            group=unix.group,
            tls=tls,
            handshake_seconds=config.limits.https_handshake_timeout,
        )

    def _agent_listeners(self) -> list[Listener]:
        """Where other agents ask: the server port of servers. The join port is there already."""
        listen, found = self._agent.config.listen, []
        if self._agent.role.server is not None and listen.server is not None:
            router = build()
            router.merge(cluster.router)
            app = Application(self._for_agents, router)
            self._apps.append(app)
            found.append(_agents_listener(self._agent, app, listen.server))
        return found

    def _register_metrics(self) -> None:
        metrics, server = self._agent.metrics, self._agent.role.server
        app = self.app
        metrics.gauge("http.connections", lambda: app.gate.connections)
        metrics.counter("http.connections_refused", lambda: app.gate.refused)
        metrics.counter("http.connections_expired", lambda: app.gate.expired)
        metrics.gauge("http.watches", lambda: app.reads.watching)
        metrics.counter("http.watches_refused", lambda: app.reads.refused)
        metrics.gauge("http.ready_answers", lambda: len(app.reads))
        metrics.gauge("http.ready_answers_bytes", lambda: app.reads.bytes)
        metrics.counter("http.requests", lambda: app.requests)
        metrics.counter("http.requests_hot", lambda: app.hot_answers)
        if server is None:
            return
        state, writer = server.state, server.writer
        metrics.gauge("catalog.nodes", lambda: len(state.catalog.nodes))
        metrics.gauge("catalog.service_instances", lambda: len(state.catalog.services))
        metrics.gauge("kv.entries", lambda: len(state.keys.kv))
        metrics.gauge("session.count", lambda: len(state.keys.sessions))
        metrics.gauge("state.cells", lambda: len(state.cells))
        metrics.gauge("state.revision", lambda: state.revision)
        metrics.counter("writer.commits", lambda: writer.commits)
        metrics.counter("writer.plans", lambda: writer.plans)


def _api_config(agent: Agent) -> APIConfig:
    config = agent.config
    return APIConfig(
        config.datacenter,
        config.node_name,
        config.limits_in_force(),
        response_headers=config.http_config.response_headers,
        blocked=config.http_config.block_endpoints,
        writers=config.http_config.allow_write_http_from,
        json_tail=b"\n" if config.dev_mode else b"",
        unprintable=config.disable_http_unprintable_char_filter,
        header_bytes=config.http_config.max_header_bytes,
        connections_per_client=config.limits.http_max_conns_per_client,
    )


def _dns_settings(agent: Agent) -> DNSSettings:
    return msgspec.convert(agent.config, DNSSettings, from_attributes=True)
