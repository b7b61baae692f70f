"""Every limit of the system in one place, with what it protects. Nothing else may hold a limit of its own.

Values are the reference's where it has one. Those that an operator may change are read through `Limits`, which the
agent's configuration fills; the rest are constants.
"""

from __future__ import annotations

import msgspec

KIB = 1024
MIB = 1024 * KIB

KV_VALUE_BYTES = 512 * KIB
"""One key's value (the reference's kv_max_value_size)."""
TXN_BODY_BYTES = 512 * KIB
"""The decoded body of one /v1/txn request (the reference's txn_max_req_len)."""
TXN_OPS = 64
"""Operations in one /v1/txn request."""
BODY_BYTES = 8 * MIB
"""Any other request body."""
SNAPSHOT_BODY_BYTES = 1024 * MIB
"""An uploaded snapshot."""
EVENT_PAYLOAD_BYTES = 512
"""A user event's payload together with its name and filters, as the reference's gossip allowed."""
EVENTS_KEPT = 256
"""User events that an agent remembers."""

WATCHES = 32_768
"""Blocking queries held at once by one agent."""
READY_ANSWERS = 8_192
"""Encoded answers kept ready; the oldest go first."""
READY_ANSWER_BYTES = 64 * MIB
"""What all ready answers may hold together."""
IDLE_CELLS = 65_536
"""Cells without data behind them that are kept before they are swept."""

WAIT_DEFAULT_SECONDS = 300.0
WAIT_MAX_SECONDS = 600.0
WAIT_JITTER_FRACTION = 16
"""A wait is lengthened by up to 1/16 of itself, so that watchers do not come back in step."""

KEY_BYTES = 512 * 4
"""The length of a KV key."""
NAME_BYTES = 512
"""Node, service and check names, identifiers and tags."""
META_PAIRS = 64
META_KEY_BYTES = 128
META_VALUE_BYTES = 512
CHECK_OUTPUT_BYTES = 4 * KIB
"""A check's output; the rest is cut off (the reference's output_max_size)."""

FILTER_BYTES = 8 * KIB
"""A ?filter= expression."""
FILTER_DEPTH = 64
"""Nesting in a ?filter= expression, and names in one of its selectors."""
FILTERS_KEPT = 256
"""Compiled ?filter= expressions that are kept ready; the oldest go first."""
FILTER_PATTERN_BYTES = MIB
"""Memory of one regular expression in a ?filter= expression, its program and its states together."""

BATCH_PLANS = 512
"""Writes planned together into one commit."""
PENDING_WRITES = 16_384
"""Writes waiting for a commit before new ones are told to come back."""

DNS_UDP_BYTES = 512
DNS_TCP_BYTES = 65_535
DNS_PENDING_FORWARDS = 1_024
"""Questions that wait for a recursor at once."""

CONFIG_BYTES = 4 * MIB
"""One configuration file."""
CONFIG_FILES = 4_096
"""Files read from all configuration directories together."""
CONFIG_DEPTH = 64
"""Nesting of objects and lists in a configuration file."""

SESSION_TTL_MAX_SECONDS = 86_400.0
LOCK_DELAY_MAX_SECONDS = 60.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that the agent's configuration can change (`limits { ... }` and the reference's own key names)."""

    kv_value_bytes: int = KV_VALUE_BYTES
    txn_body_bytes: int = TXN_BODY_BYTES
    txn_ops: int = TXN_OPS
    body_bytes: int = BODY_BYTES
    watches: int = WATCHES
    session_ttl_min_seconds: float = 10.0
