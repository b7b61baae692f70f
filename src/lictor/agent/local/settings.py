"""What the agent's configuration says about its local services and checks. Values only; nothing here decides."""

from __future__ import annotations

import enum

import msgspec

from lictor import limits


class Source(enum.StrEnum):
    """Where a definition came from: a configuration file (replaced at every reload) or the API (kept on disk)."""

    CONFIG = "local"
    API = "remote"


class LocalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the configuration that `LocalState` reads. Spans are in seconds; names are the configuration's."""

    node_name: str
    datacenter: str = "dc1"
    enable_local_script_checks: bool = False
    """Script checks from configuration files (`enable_script_checks` or `enable_local_script_checks`)."""
    enable_remote_script_checks: bool = False
    """Script checks from the API (`enable_script_checks`)."""
    check_update_interval: float = 300.0
    """How long a change of nothing but a check's output is held back from the catalog (0: not at all)."""
    check_output_max_size: int = limits.CHECK_OUTPUT_BYTES
    discard_check_output: bool = False
    check_deregister_interval_min: float = 60.0
    sidecar_min_port: int = 21_000
    sidecar_max_port: int = 21_255
