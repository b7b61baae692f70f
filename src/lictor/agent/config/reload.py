"""What of a new configuration a running agent may take up, and what has to wait for a restart. Pure.

Source: the reference's list of reloadable settings.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lictor.agent.config.schema import RuntimeConfig
from lictor.agent.config.sections import Section

RELOADABLE: frozenset[str] = frozenset(
    {
        "acl.tokens",
        "ca_file",
        "ca_path",
        "cert_file",
        "check_update_interval",
        "checks",
        "config_entries",
        "discard_check_output",
        "dns_config",
        "enable_debug",
        "http_config",
        "key_file",
        "limits",
        "log_level",
        "node_meta",
        "recursors",
        "services",
        "telemetry.filter_default",
        "telemetry.prefix_filter",
        "tls_cipher_suites",
        "tls_min_version",
        "verify_incoming",
        "verify_incoming_https",
        "verify_incoming_rpc",
        "verify_outgoing",
        "verify_server_hostname",
        "watches",
    }
)
"""Paths of settings that take effect at a reload; a section's name stands for all of it."""

_DERIVED = frozenset({"listen", "tagged_addresses"})


class Reload(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of comparing two configurations.

    `config` is the old one with all that may change changed; `changed` are the paths that differ there; `restart` those
    that differ in the new one and wait for a restart.
    """

    config: RuntimeConfig
    changed: frozenset[str]
    restart: tuple[str, ...]

    @property
    def warnings(self) -> list[str]:
        """What to tell about settings that were changed in vain."""
        return [f"{path} has changed and takes effect only when the agent is restarted" for path in self.restart]


def reload_diff(old: RuntimeConfig, new: RuntimeConfig) -> Reload:
    """What a reload from `old` to `new` does."""
    changed: set[str] = set()
    restart: list[str] = []
    replaced: dict[str, Any] = {}
    for name in old.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before == after or name in _DERIVED:
            continue
        if name in RELOADABLE:
            changed.add(name)
            replaced[name] = after
        elif isinstance(before, Section):
            members = {key for key in before.__struct_fields__ if getattr(before, key) != getattr(after, key)}
            taken = {key for key in members if f"{name}.{key}" in RELOADABLE}
            changed.update(f"{name}.{key}" for key in taken)
            restart.extend(f"{name}.{key}" for key in sorted(members - taken))
            replaced[name] = msgspec.structs.replace(before, **{key: getattr(after, key) for key in taken})
        else:
            restart.append(name)
    return Reload(
        config=msgspec.structs.replace(old, **replaced), changed=frozenset(changed), restart=tuple(sorted(restart))
    )
