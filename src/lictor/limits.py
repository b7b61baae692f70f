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
SNAPSHOT_STATE_BYTES = 4 * SNAPSHOT_BODY_BYTES
"""What an uploaded snapshot may unpack to."""
SNAPSHOT_ENTRY_BYTES = 64 * MIB
"""One key with its value in a snapshot."""
EVENT_PAYLOAD_BYTES = 512
"""A user event's payload together with its name and filters, as the reference's gossip allowed."""
EVENTS_KEPT = 256
"""User events that an agent remembers."""

WATCHES = 32_768
"""Blocking queries held at once by one agent."""
READY_ANSWERS = 8_192
"""Encoded answers kept ready; the oldest go first."""
READY_ANSWER_BYTES = 64 * MIB
"""What all ready answers may hold together, in every form in which they are sent."""
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
CHECK_BODY_BYTES = MIB
"""What a check reads of an answer's body before it hangs up."""
CHECK_CONNECTIONS = 256
"""Checks over the network that one agent runs at once; the others wait for their turn."""
CHECK_PROCESSES = 32
"""Checks that run a command, likewise."""
DEFINITION_BYTES = MIB
"""One file with a registered service or check in the data directory."""
SYNC_WRITES = 32
"""Registrations that an agent has under way at once while it syncs its services and checks."""

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

STORE_CHANGES = 8_192
"""Changes, and as many compares, in one transaction of the memory and SQLite stores (etcd has --max-txn-ops)."""
STORE_GROUP = 512
"""Transactions that one write to the disk takes together; the event loop hears of them in one turn."""
STORE_LOG_PAGES = 16_384
"""Pages of 4 KiB in SQLite's log before they are moved into the file."""
ETCD_WRITES = 64
"""Transactions that one server has under way at etcd at once."""
ETCD_PAGE_BYTES = 4 * MIB
"""About what is read from etcd in one answer."""
ETCD_MEMBER_TXN_OPS = 3 * STORE_CHANGES + 3
"""Operations in one transaction of an etcd member that we run (--max-txn-ops)."""
ETCD_MEMBER_REQUEST_BYTES = 32 * MIB
"""One transaction of such a member (--max-request-bytes)."""
ETCD_MEMBER_QUOTA_BYTES = 8 * 1024 * MIB
"""What such a member keeps on disk before it takes no more writes (--quota-backend-bytes)."""

DNS_UDP_BYTES = 512
DNS_TCP_BYTES = 65_535
DNS_PENDING_FORWARDS = 1_024
"""Questions that wait for a recursor at once."""
DNS_QUERY_BYTES = 4_096
"""A question over UDP; longer ones are malformed."""
DNS_UDP_PAYLOAD_BYTES = 65_467
"""The largest UDP answer whatever the client says it takes (the reference leaves 68 bytes for headers)."""
DNS_UDP_ANSWERS = 8
"""Records in a 512-byte answer whatever `udp_answer_limit` says (the reference's)."""
DNS_UDP_BURST = 64
"""Datagrams answered before the event loop gets its turn."""
DNS_READY_NAMES = 8_192
"""Questions whose packets are kept ready; the oldest go first."""
DNS_READY_BYTES = 32 * MIB
"""What all ready packets may hold together."""
DNS_READY_QUERY_BYTES = 512
"""Longer questions are never kept ready."""
DNS_VARIANTS = 16
"""Ready packets of one question, each with the instances in another order."""
DNS_NAMES_FOLLOWED = 64
"""Host names that one answer has looked up, in the catalog or by recursors."""
DNS_RECORDS_FOLLOWED = 5
"""Records that one such name may add to an answer without EDNS (the reference's)."""
DNS_CNAME_DEPTH = 3
"""Names of ours that one answer may lead through (the reference's)."""
DNS_TCP_CONNECTIONS = 2_048
"""Open DNS connections; the one longest silent makes room for a new one."""
DNS_TCP_IDLE_SECONDS = 10.0
"""A connection without a question for so long is closed."""
DNS_TCP_PIPELINE = 64
"""Questions of one connection in work at once; its next ones are read after these."""

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


CONNECTIONS = 65_536
"""Connections to the HTTP API at once, on all its addresses together."""
TLS_HANDSHAKES = 1_024
"""TLS handshakes under way at once on one address; who comes then waits for a place."""
URL_BYTES = 64 * KIB
HEADER_BYTES = 64 * KIB
"""A request's headers together, unless `http_config.max_header_bytes` says otherwise."""
BODY_UNASKED_BYTES = 64 * KIB
"""How much of a body is taken before a handler asks for it, and read off after an answer to keep a connection."""
CHUNK_OVERHEAD_BYTES = 64 * KIB
"""What a body's chunks may cost beyond its own length again: their sizes, extensions and trailers."""
PARSE_BYTES = 16 * KIB
"""Bytes parsed in one go; what a client sends ahead is parsed once there is room for its requests."""
PIPELINED_REQUESTS = 32
"""Requests sent ahead on one connection that are parsed before those before them are answered."""

IDLE_CONNECTION_SECONDS = 120.0
"""How long a connection may stay open while its client sends no request."""
HEAD_SECONDS = 20.0
"""How long a request's head may take from its first byte to its last."""
BODY_STALL_SECONDS = 30.0
"""A body of which fewer than BODY_STALL_BYTES come in this time (and which is not whole) is given up."""
BODY_STALL_BYTES = 16 * KIB
WRITE_STALL_SECONDS = 60.0
"""A client that takes nothing of its answers for so long is cut off."""
LINGER_SECONDS = 10.0
"""How long a client that was answered too early may go on sending, so that it hears the answer."""
LINGER_BYTES = 64 * MIB
GOODBYE_SECONDS = 1.0
"""How long requests under way may take when the API stops."""
SWEEP_SECONDS = 5.0
"""How often the API looks for connections whose time is up."""

HOT_ANSWERS = 4_096
"""Requests whose very bytes are remembered together with their ready answer."""
HOT_REQUEST_BYTES = 2 * KIB
PACK_INLINE_BYTES = 256 * KIB
"""Larger answers are compressed in a thread."""
HEADS_KEPT = 1_024
"""Beginnings of responses that are kept as bytes."""
CACHED_KEYS = 8_192
"""Reads with ?cached that are remembered, to tell a first one from the others."""
CACHED_KEY_BYTES = 2 * KIB
WAKES_A_TURN = 128
"""Watchers woken before the event loop gets its turn."""
DNS_WAITS = 8
"""How often one question may wait for a server's answer: it may need several."""
FEEDS = 16_384
"""Different questions that a client agent keeps answered by its servers."""
