"""Keys of the reference that are read and have no effect here, each with the reason; tables, and nothing else.

A key stands here by its path from the top of the file; everything inside it is accepted too.
"""

from __future__ import annotations

_NO_GOSSIP = "members are known through leases, not gossip"
_NO_RAFT = "the store is SQLite or etcd; there is no Raft log to tune"
_NO_CACHE = "answers are kept ready and follow the state; there is no cache to tune"
_ENTERPRISE = "an Enterprise feature of the reference"
_FIXED = "not for users to set in the reference either"
_CIRCONUS = (
    "api_app api_token api_url broker_id broker_select_tag check_display_name check_force_metric_activation check_id"
    " check_instance_id check_search_tag check_tags submission_interval submission_url"
)

_NOT_YET = "not there yet"
_STATSD = "metrics are read from /v1/agent/metrics, as JSON or in Prometheus' form"

WITHOUT_EFFECT: dict[str, str] = {
    "encrypt": _NO_GOSSIP,
    "encrypt_verify_incoming": _NO_GOSSIP,
    "encrypt_verify_outgoing": _NO_GOSSIP,
    "disable_keyring_file": _NO_GOSSIP,
    "gossip_lan": _NO_GOSSIP,
    "gossip_wan": _NO_GOSSIP,
    "raft_protocol": _NO_RAFT,
    "raft_snapshot_threshold": _NO_RAFT,
    "raft_snapshot_interval": _NO_RAFT,
    "raft_trailing_logs": _NO_RAFT,
    "protocol": "there is one protocol between agents",
    "cache": _NO_CACHE,
    "use_streaming_backend": _NO_CACHE,
    "rpc": _NO_CACHE,
    "disable_update_check": "nothing asks for newer versions",
    "disable_anonymous_signature": "nothing asks for newer versions",
    "tls_prefer_server_cipher_suites": "the TLS library decides",
    "snapshot_agent": "read by another program",
    "license_path": _ENTERPRISE,
    "acl.disabled_ttl": "ACLs are on or off everywhere; servers are not asked again",
    "acl_disabled_ttl": "ACLs are on or off everywhere; servers are not asked again",
    "telemetry.disable_compat_1.9": "only the newer metric names exist",
    **{f"telemetry.circonus_{key}": _STATSD for key in _CIRCONUS.split()},
    "connect.test_ca_leaf_root_change_spread": _FIXED,
    "consul": _FIXED,
    "revision": _FIXED,
    "version": _FIXED,
    "version_prerelease": _FIXED,
    "segment_limit": _FIXED,
    "segment_name_limit": _FIXED,
    "sync_coordinate_interval_min": _FIXED,
    "sync_coordinate_rate_target": _FIXED,
    "acl_enforce_version_8": "old rules are gone",
}
"""Path of the key -> why it does nothing."""

UNUSED: dict[str, str] = {
    "disable_coordinates": "coordinates are only kept, not measured",
    "disable_host_node_id": "a node's id is made by chance and kept",
    "enable_debug": "there are no profiling endpoints",
    "enable_syslog": _NOT_YET,
    "log_rotate_bytes": _NOT_YET,
    "log_rotate_duration": _NOT_YET,
    "log_rotate_max_files": _NOT_YET,
    "syslog_facility": _NOT_YET,
    "translate_wan_addrs": "there is one datacenter",
    "telemetry.disable_hostname": _STATSD,
    "telemetry.dogstatsd_addr": _STATSD,
    "telemetry.dogstatsd_tags": _STATSD,
    "telemetry.filter_default": _NOT_YET,
    "telemetry.prefix_filter": _NOT_YET,
    "telemetry.statsd_address": _STATSD,
    "telemetry.statsite_address": _STATSD,
}
"""Path of a key that is read and checked, and does nothing yet -> why. Who sets it is warned."""

ENTERPRISE: frozenset[str] = frozenset(
    {
        "audit",
        "acl.msp_disable_bootstrap",
        "acl.tokens.managed_service_provider",
        "autopilot.disable_upgrade_migration",
        "autopilot.redundancy_zone_tag",
        "autopilot.upgrade_version_tag",
        "dns_config.prefer_namespace",
        "non_voting_server",
        "read_replica",
    }
)
"""Paths that the reference takes with a warning that they have no effect outside its Enterprise edition; so do we."""

_NO_SEGMENTS = "Network segments are not supported in this version of Consul"
REFUSED: dict[str, str] = {"segment": _NO_SEGMENTS, "segments": _NO_SEGMENTS}
"""Path of the key -> what is said when it is set: it asks for what the reference's open edition refuses as well."""
