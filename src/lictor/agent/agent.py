"""The agent's lifecycle: everything is made, started, reloaded and stopped here, and nowhere else.

Start: store and state, then this node's own rows, then local services and checks, then the listeners: whoever can
connect gets answers. Stop is the reverse. A reload takes up what may change and says what waits for a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lictor.agent.checks import CheckKit, CheckScheduler
from lictor.agent.checks.kit import CheckTLS
from lictor.agent.config import Built, RuntimeConfig, reload_diff
from lictor.agent.identity import node_id, own_node
from lictor.agent.listeners import Listeners, join_listener
from lictor.agent.local import LocalState, Syncer, upkeep
from lictor.agent.local.files import DefinitionFiles
from lictor.agent.local.settings import LocalSettings
from lictor.agent.metrics import AgentMetrics
from lictor.agent.roles import Role
from lictor.agent.tls import AgentTLS
from lictor.api.listener import Listener
from lictor.errors import LictorError
from lictor.runtime import log as logs
from lictor.runtime.clock import Clock, Entropy
from lictor.runtime.files import raise_file_limit
from lictor.server.events import Events
from lictor.types.catalog import Node

if TYPE_CHECKING:
    from lictor.agent.watches import Watches

SETTLE_SECONDS = 5.0
"""How long a registration waits for the catalog before it goes on in the background."""
log = logs.get_logger("agent")


class Agent:
    """One agent. `run` serves until `shutdown` is called (a signal, `leave`)."""

    def __init__(self, built: Built, load: Callable[[], Built], clock: Clock, entropy: Entropy) -> None:
        self.config: RuntimeConfig = built.config
        self._load = load
        self._clock = clock
        self.entropy = entropy
        self.node = own_node(self.config, node_id(self.config, entropy))
        self.tls = AgentTLS(self.config, clock)
        self.role = _role(self.config, self.node, clock, entropy, self.tls)
        self.events = Events()
        self.metrics = AgentMetrics(self.config.telemetry, clock)
        self.started_at = clock.time()
        self.failure: BaseException | None = None
        self._shutdown = asyncio.Event()
        self._leaving = False
        self._spawned: set[asyncio.Task[None]] = set()
        self.scheduler: CheckScheduler
        self.local: LocalState
        self.syncer: Syncer
        self.listeners: Listeners | None = None
        self._joining: Listener | None = None
        self._watches: Watches | None = None

    @property
    def server_address(self) -> str:
        """Where other agents reach this server."""
        return _host_port(self.config.advertise_addr, self.config.ports.server)

    def shutdown(self, *, leave: bool = False) -> None:
        """Asks the agent to stop, with a goodbye to the cluster or without; `run` returns when it has."""
        self._leaving |= leave
        self._shutdown.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Starts, calls `ready`, serves until asked to stop, and stops. Raises what keeps it from starting."""
        tasks: list[asyncio.Task[None]] = []
        raise_file_limit()
        self._joining = join_listener(self)
        try:
            if self._joining is not None:
                await self._joining.start()
            for task in await self._role_opened():
                task.add_done_callback(self._role_ended)
            if not self._shutdown.is_set():
                tasks = self._start_local()
                self.listeners = Listeners(self)
                await self.listeners.start()
                self._follow_watches()
                ready()
                await self._shutdown.wait()
            if self.failure is not None:
                raise self.failure
        finally:
            await self._stop(tasks)

    async def _role_opened(self) -> list[asyncio.Task[None]]:
        """Opens the role, which may take as long as it takes others to appear; asked to stop meanwhile, it gives up."""
        opening = asyncio.ensure_future(self.role.open())
        stopping = asyncio.ensure_future(self._shutdown.wait())
        await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if opening.done():
            return opening.result()
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        return []

    async def reload(self) -> None:
        """Reads the configuration again and takes up what may change. Raises ConfigError with nothing changed."""
        built = self._load()
        outcome = reload_diff(self.config, built.config)
        tls = self.tls.prepare(outcome.config)
        for warning in (*built.warnings, *outcome.warnings):
            log.warning("%s", warning)
        set_aside = self.local.reload(outcome.config.services, outcome.config.checks)
        self.local.configure(local_settings(outcome.config))
        self.config = outcome.config
        self.tls.take(tls)
        for line in set_aside:
            log.warning("%s", line)
        self.node = own_node(self.config, self.node.id)
        self.local.set_node(self.node)
        if "log_level" in outcome.changed:
            logs.setup(logs.level_of(self.config.log_level) or 20, self.config.log_json, self.config.log_file)
        if self.listeners is not None:
            self.listeners.reload()
        if "watches" in outcome.changed:
            self._follow_watches()
        await self.syncer.flush(SETTLE_SECONDS)
        log.info("configuration reloaded")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something beside everything else; it ends with the agent at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)

    def _role_ended(self, task: asyncio.Task[None]) -> None:
        """A task of the role has ended: without reason to go on, the agent stops and says why."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failure = error
            self.shutdown()

    async def settle(self) -> None:
        """Returns once what was just registered here is kept on disk and known to the catalog (or that has to wait)."""
        await self.local.saved()
        await self.syncer.flush(SETTLE_SECONDS)

    def _follow_watches(self) -> None:
        """Begins (again) to follow what the configuration's `watches` say."""
        if self._watches is None and self.config.watches:
            # Imported only where needed: the HTTP client takes a quarter of a second that every start would pay for.
            from lictor.agent.watches import Watches

            self._watches = Watches()
        if self._watches is not None:
            self._watches.start(self.config.watches, self._own_address())

    def _own_address(self) -> str:
        """Where this agent's own watches reach it; empty when it serves no plain HTTP."""
        for address in self.config.listen.http:
            if address.path:
                return str(address)
            host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address.host, address.host)
            return _host_port(host, address.port)
        return ""

    def _start_local(self) -> list[asyncio.Task[None]]:
        """Local services and checks: the configuration's and those kept from before. Returns the tasks for them."""
        config = self.config
        kit = CheckKit(config.check_output_max_size, _check_tls(config))
        self.scheduler = CheckScheduler(self._clock, self.entropy, kit)
        files = None if config.dev_mode or not config.data_dir else DefinitionFiles(Path(config.data_dir))
        self.local = LocalState(
            local_settings(config),
            self.node,
            self._clock,
            self.entropy,
            self.scheduler,
            files=files,
            watch_node=self.role.watch_node,
        )
        for line in self.local.load(config.services, config.checks):
            log.warning("%s", line)
        self.syncer = Syncer(self.local, self.role.catalog, self._clock, self.entropy, interval=config.ae_interval)
        return [
            asyncio.create_task(self.scheduler.run(), name="checks"),
            asyncio.create_task(self.syncer.run(), name="anti-entropy"),
            asyncio.create_task(upkeep(self.local, config.check_reap_interval), name="local upkeep"),
            asyncio.create_task(self.tls.follow(lambda: self.config), name="certificates"),
        ]

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        log.info("shutting down")
        if self._watches is not None:
            self._watches.stop()
        if self.listeners is not None:
            await self.listeners.stop()
        if self._joining is not None:
            await self._joining.stop()
        for task in (*tasks, *self._spawned):
            task.cancel()
        await asyncio.gather(*tasks, *self._spawned, return_exceptions=True)
        if self._leaving:
            try:
                await self.role.leave()
            except LictorError as error:
                log.warning("could not say goodbye: %s", error)
        await self.role.close()


def _role(config: RuntimeConfig, node: Node, clock: Clock, entropy: Entropy, tls: AgentTLS) -> Role:
    """What the configuration makes of this agent."""
    if config.server:
        from lictor.agent.roles.server import ServerRole

        return ServerRole(config, node, clock, entropy, tls)
    from lictor.agent.roles.client import ClientRole  # with an HTTP client, which servers do without

    return ClientRole(config, node, clock, entropy, tls)


def local_settings(config: RuntimeConfig) -> LocalSettings:
    """The part of the configuration that local services and checks read."""
    return LocalSettings(
        node_name=config.node_name,
        datacenter=config.datacenter,
        enable_local_script_checks=config.enable_local_script_checks or config.enable_script_checks,
        enable_remote_script_checks=config.enable_script_checks,
        check_update_interval=config.check_update_interval,
        check_output_max_size=config.check_output_max_size,
        discard_check_output=config.discard_check_output,
        check_deregister_interval_min=config.check_deregister_interval_min,
        sidecar_min_port=config.ports.sidecar_min_port,
        sidecar_max_port=config.ports.sidecar_max_port,
    )


def _check_tls(config: RuntimeConfig) -> CheckTLS | None:
    """The agent's own certificate for checks, where the configuration asks for it."""
    if not config.enable_agent_tls_for_checks:
        return None
    return CheckTLS(
        ca_file=config.ca_file,
        ca_path=config.ca_path,
        cert_file=config.cert_file,
        key_file=config.key_file,
        server_name=config.server_name,
    )


def _host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
