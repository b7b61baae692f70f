"""Other spellings of settings: each is moved to the key that counts, which wins when both are given.

Source: the deprecated keys that version 1.10 of the reference still takes, and the later names of two tokens. Works on
decoded settings (plain nested dicts); `FileSettings` is the schema that has these spellings beside the proper ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lictor.agent.config.schema import Settings
from lictor.agent.config.sections import ACLConfig, Seconds, Tokens
from lictor.types.definitions import CheckSpec, ServiceSpec


class FileTokens(Tokens, frozen=True, kw_only=True):
    initial_management: str = ""
    agent_recovery: str = ""


class FileACL(ACLConfig, frozen=True, kw_only=True):
    tokens: FileTokens = FileTokens()


class FileSettings(Settings, frozen=True, kw_only=True):
    """All keys that a file may have: the settings, their other spellings, and definitions of services and checks."""

    acl: FileACL = FileACL()
    service: tuple[ServiceSpec, ...] = ()
    services: tuple[ServiceSpec, ...] = ()
    check: tuple[CheckSpec, ...] = ()
    checks: tuple[CheckSpec, ...] = ()

    acl_agent_master_token: str = ""
    acl_agent_token: str = ""
    acl_datacenter: str = ""
    acl_default_policy: str = ""
    acl_down_policy: str = ""
    acl_enable_key_list_policy: bool = False
    acl_master_token: str = ""
    acl_replication_token: str = ""
    acl_token: str = ""
    acl_ttl: Seconds = 0.0
    enable_acl_replication: bool = False
    ui: bool = False
    ui_dir: str = ""
    ui_content_path: str = ""


class Moved(NamedTuple):
    """`old` is read as `new`, both paths; `warn` tells whether a user is told to change it."""

    old: str
    new: str
    warn: bool = True


MOVED = (
    Moved("acl_agent_master_token", "acl.tokens.agent_master"),
    Moved("acl_agent_token", "acl.tokens.agent"),
    Moved("acl_default_policy", "acl.default_policy"),
    Moved("acl_down_policy", "acl.down_policy"),
    Moved("acl_enable_key_list_policy", "acl.enable_key_list_policy"),
    Moved("acl_master_token", "acl.tokens.master"),
    Moved("acl_replication_token", "acl.tokens.replication"),
    Moved("acl_token", "acl.tokens.default"),
    Moved("acl_ttl", "acl.token_ttl"),
    Moved("enable_acl_replication", "acl.enable_token_replication"),
    Moved("acl_datacenter", "primary_datacenter"),
    Moved("acl.tokens.initial_management", "acl.tokens.master", warn=False),
    Moved("acl.tokens.agent_recovery", "acl.tokens.agent_master", warn=False),
    Moved("ui", "ui_config.enabled"),
    Moved("ui_dir", "ui_config.dir"),
    Moved("ui_content_path", "ui_config.content_path"),
)


def settle(settings: dict[str, Any]) -> list[str]:
    """Moves every other spelling in `settings`, which it changes, to its proper place. Gives the warnings for a user.

    Two old keys imply more, as in the reference: `acl_datacenter` enables ACLs, `acl_replication_token` enables token
    replication.
    """
    warnings: list[str] = []
    implied = [
        path
        for key, path in (("acl_datacenter", "acl.enabled"), ("acl_replication_token", "acl.enable_token_replication"))
        if key in settings
    ]
    for moved in MOVED:
        holder, key = _holder(settings, moved.old, create=False)
        if holder is None or key not in holder:
            continue
        value = holder.pop(key)
        target, name = _holder(settings, moved.new, create=True)
        if target is not None:
            target.setdefault(name, value)
        if moved.warn:
            warnings.append(f"The '{moved.old}' field is deprecated. Use the '{moved.new}' field instead.")
    for path in implied:
        target, name = _holder(settings, path, create=True)
        if target is not None:
            target.setdefault(name, True)
    return warnings


def _holder(settings: dict[str, Any], path: str, *, create: bool) -> tuple[dict[str, Any] | None, str]:
    """The dict that has, or would have, the last key of `path`, and that key."""
    *sections, key = path.split(".")
    holder: dict[str, Any] | None = settings
    for section in sections:
        if holder is not None:
            holder = holder.setdefault(section, {}) if create else holder.get(section)
    return holder, key
