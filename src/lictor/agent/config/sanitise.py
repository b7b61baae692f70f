"""A configuration as it may be shown: plain values without secrets. For `/v1/agent/self` and for logs."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from lictor.agent.config.schema import RuntimeConfig
from lictor.types.gojson import encode_hook

HIDDEN = "hidden"
_SECRETS = frozenset({"token", "tokens", "password", "ca_config", "auto_config", "add_headers"})
# Join targets may be cloud lookups with credentials among their key=value pairs.
_CREDENTIAL = re.compile(r"(\w*(?:key|secret|token|password)\w*=)\S+", re.I)
_JOINS = frozenset({"start_join", "start_join_wan", "retry_join", "retry_join_wan"})


def sanitised(config: RuntimeConfig) -> dict[str, Any]:
    """All settings under their keys, durations in seconds; what is or may hold a secret reads "hidden"."""
    shown: dict[str, Any] = msgspec.to_builtins(config, enc_hook=encode_hook)
    return {key: _shown(key, value) for key, value in shown.items()}


def _shown(key: str, value: Any) -> Any:
    if key.lower() in _SECRETS:
        return HIDDEN if value else value
    if key in _JOINS:
        return [_CREDENTIAL.sub(rf"\1{HIDDEN}", target) for target in value]
    if isinstance(value, dict):
        return {inner: _shown(inner, item) for inner, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown("", item) for item in value]
    return value
