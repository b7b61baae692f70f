"""From flags and configuration text to a RuntimeConfig: the order of the sources, and what is decided from the rest.

Pure: text, flags and the machine are given. Source: the reference's documented precedence: defaults, development mode,
lists from flags, files in order, other flags, `-hcl` pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec

from lictor.agent.config import definitions, files
from lictor.agent.config.accepted import UNUSED
from lictor.agent.config.files import Fragment, Source
from lictor.agent.config.flags import Flags
from lictor.agent.config.host import Host
from lictor.agent.config.listen import place
from lictor.agent.config.schema import RuntimeConfig, Settings
from lictor.agent.config.spelling import settle
from lictor.agent.config.validate import validate
from lictor.errors import ConfigError

_DEV: dict[str, Any] = {
    "bind_addr": "127.0.0.1",
    "connect": {"enabled": True},
    "enable_debug": True,
    "log_level": "DEBUG",
    "performance": {"raft_multiplier": 1},
    "ports": {"grpc": 8502},
    "server": True,
    "ui_config": {"enabled": True},
}
_NODE_NAME_CHARACTERS = 512


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration, what to warn of, and the keys that were given and have no effect here."""

    config: RuntimeConfig
    warnings: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def build(flags: Flags, sources: Sequence[Source], host: Host) -> Built:
    """The configuration that `flags` and `sources` amount to. Raises ConfigError naming the source or the key."""
    fragments = _fragments(flags, sources)
    merged: dict[str, Any] = {}
    for fragment in fragments:
        merged = files.merge(merged, fragment.settings)
    warnings = [warning for fragment in fragments for warning in fragment.warnings]
    warnings += settle(merged)
    services = definitions.services(merged.pop("services", ()))
    checks = definitions.checks(merged.pop("checks", ()))
    for kind, again in (("service", definitions.repeated(services)), ("check", definitions.repeated(checks))):
        warnings += [f'{kind} "{name}" is defined more than once: the last definition counts' for name in again]
    placed = place(msgspec.convert(merged, Settings), host.interfaces)
    given: dict[str, Any] = {name: getattr(placed.settings, name) for name in placed.settings.__struct_fields__}
    given |= _decided(placed.settings, flags.dev, host)
    if given["bootstrap_expect"] == 1:
        given |= {"bootstrap": True, "bootstrap_expect": 0}
        warnings.append("BootstrapExpect is set to 1; this is the same as Bootstrap mode.")
    config = RuntimeConfig(**given, dev_mode=flags.dev, listen=placed.listen, services=services, checks=checks)
    warnings += placed.warnings
    warnings += _unused(config)
    warnings += validate(config, host.is_file)
    if not config.server and config.store.kind:
        config = msgspec.structs.replace(config, store=msgspec.structs.replace(config.store, kind=""))
    ignored = sorted({path for fragment in fragments for path in fragment.ignored})
    return Built(config=config, warnings=tuple(warnings), ignored=tuple(ignored))


def load(flags: Flags, host: Host) -> Built:
    """Reads the files that `flags` name and builds the configuration; at start and again at each reload."""
    sources, skipped = files.read(flags.config_paths, flags.config_format)
    built = build(flags, sources, host)
    return msgspec.structs.replace(built, warnings=(*skipped, *built.warnings))


def _fragments(flags: Flags, sources: Sequence[Source]) -> list[Fragment]:
    """All sources in the order in which they are laid over each other."""
    command_line = Source(name="flags", text="", format="json")
    lists = {key: value for key, value in flags.settings.items() if isinstance(value, list)}
    others = {key: value for key, value in flags.settings.items() if key not in lists}
    pieces = [Source(name=f"flags-{n}.hcl", text=text, format="hcl") for n, text in enumerate(flags.hcl)]
    return [
        Fragment(settings=_DEV if flags.dev else {}),
        files.fit(lists, command_line),
        *map(files.decode, sources),
        files.fit(others, command_line),
        *map(files.decode, pieces),
    ]


def _unused(config: RuntimeConfig) -> list[str]:
    """A warning for every setting that was changed and does nothing yet."""
    standard, told = Settings(), []
    for path, reason in UNUSED.items():
        if path == "enable_debug" and config.dev_mode:
            continue
        given, default = attrgetter(path)(config), attrgetter(path)(standard)
        if given != default:
            told.append(f"{path} has no effect here: {reason}")
    return told


def _decided(settings: Settings, dev: bool, host: Host) -> dict[str, Any]:
    """The settings whose value follows from others."""
    local_scripts = settings.enable_local_script_checks
    leave, skip_leave = settings.leave_on_terminate, settings.skip_leave_on_interrupt
    datacenter = settings.datacenter.lower()
    connect = settings.connect
    if settings.auto_encrypt.allow_tls:
        connect = msgspec.structs.replace(connect, enabled=True)
    return {
        "node_name": _node_name(settings, host),
        "node_id": settings.node_id.lower(),
        "datacenter": datacenter,
        "primary_datacenter": settings.primary_datacenter.lower() or datacenter,
        "enable_local_script_checks": settings.enable_script_checks if local_scripts is None else local_scripts,
        "leave_on_terminate": not settings.server if leave is None else leave,
        "skip_leave_on_interrupt": settings.server if skip_leave is None else skip_leave,
        # Otherwise agents would talk in the clear although their peers' names are to be verified.
        "verify_outgoing": settings.verify_outgoing or settings.verify_server_hostname,
        "connect": connect,
        "store": msgspec.structs.replace(settings.store, kind=_store_kind(settings, dev)),
    }


def _node_name(settings: Settings, host: Host) -> str:
    name = settings.node_name
    if not name:
        try:
            name = host.hostname()
        except OSError as error:
            raise ConfigError(f"node_name: {error}") from None
    if len(name) > _NODE_NAME_CHARACTERS:
        raise ConfigError(f"node_name is longer than {_NODE_NAME_CHARACTERS} characters")
    return name.strip()


def _store_kind(settings: Settings, dev: bool) -> str:
    """The store that a server uses: as told, else by whether anything is kept and by the number of servers."""
    if settings.store.kind or not settings.server:
        return settings.store.kind
    if settings.store.endpoints or settings.bootstrap_expect > 1:
        return "etcd"
    return "memory" if dev else "sqlite"
