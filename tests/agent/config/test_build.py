from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lictor.agent.config import Flags, Host, Source, build, load, parse_flags
from lictor.agent.config.accepted import ENTERPRISE, WITHOUT_EFFECT
from lictor.agent.config.schema import Settings
from lictor.agent.config.spelling import FileSettings
from lictor.errors import ConfigError
from tests.agent.config.conftest import Build


def test_development_mode(make: Build) -> None:
    config = make(dev=True).config
    assert config.dev_mode and config.server and config.enable_debug and config.connect.enabled
    assert config.ui_config.enabled
    assert (config.bind_addr, config.log_level, config.ports.grpc, config.store.kind) == (
        "127.0.0.1", "DEBUG", 8502, "memory",
    )  # fmt: skip
    assert make('log_level = "warn" ports { grpc = -1 }', dev=True).config.ports.grpc == -1


def test_later_sources_win_and_lists_of_flags_come_first(host: Host) -> None:
    flags = parse_flags(
        ["-data-dir=/d", "-node=flag", "-recursor=1.1.1.1", "-node-meta=a:1", "-http-port=1", '-hcl=datacenter = "two"']
    )
    sources = [
        Source(name="1.hcl", format="hcl", text='node_name = "one" recursors = ["2.2.2.2"] ports { http = 2 dns = 3 }'),
        Source(
            name="2.json",
            format="json",
            text='{"datacenter": "one", "recursors": ["3.3.3.3"], "node_meta": {"b": "2"}}',
        ),
    ]
    config = build(flags, sources, host).config
    assert config.node_name == "flag"
    assert config.datacenter == "two"
    assert config.recursors == ("1.1.1.1", "2.2.2.2", "3.3.3.3")
    assert (config.ports.http, config.ports.dns) == (1, 3)
    assert config.node_meta == {"a": "1", "b": "2"}


def test_what_is_decided_from_the_rest(make: Build) -> None:
    client = make('datacenter = "North" enable_script_checks = true verify_server_hostname = true').config
    assert (client.datacenter, client.primary_datacenter, client.node_name) == ("north", "north", "machine")
    assert client.leave_on_terminate and not client.skip_leave_on_interrupt
    assert client.enable_local_script_checks and client.verify_outgoing
    assert client.store.kind == ""
    server = make("server = true auto_encrypt { allow_tls = true } enable_local_script_checks = true").config
    assert server.skip_leave_on_interrupt and not server.leave_on_terminate
    assert server.connect.enabled and not server.enable_script_checks and server.enable_local_script_checks
    assert server.store.kind == "sqlite"
    assert make("server = true bootstrap_expect = 3").config.store.kind == "etcd"


def test_bootstrap_expect_of_one_is_bootstrap(make: Build) -> None:
    built = make("server = true bootstrap_expect = 1")
    assert built.config.bootstrap and built.config.bootstrap_expect == 0
    assert "BootstrapExpect is set to 1; this is the same as Bootstrap mode." in built.warnings


def test_keys_without_effect_are_listed(make: Build) -> None:
    assert make('encrypt = "x"', "gossip_lan {}").ignored == ("encrypt", "gossip_lan")


def test_limits_in_force(make: Build) -> None:
    limits = make("""
        session_ttl_min = "1s"
        limits { kv_max_value_size = 2000000 txn_max_ops = 128 http_max_watches = 5 }
    """).config.limits_in_force()
    assert (limits.kv_value_bytes, limits.txn_body_bytes, limits.txn_ops) == (2_000_000, 2_000_000, 128)
    assert (limits.watches, limits.session_ttl_min_seconds) == (5, 1.0)
    assert make().config.limits_in_force().session_ttl_min_seconds == 10.0


def test_files_are_loaded(tmp_path: Path, host: Host) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"data_dir": str(tmp_path), "bind_addr": "127.0.0.1"}))
    (tmp_path / "b.hcl").write_text('service { name = "web" }')
    (tmp_path / "notes.txt").write_text("")
    built = load(Flags(config_paths=[str(tmp_path)]), host)
    assert [spec.name for spec in built.config.services] == ["web"]
    assert "notes.txt" in built.warnings[0]
    with pytest.raises(ConfigError, match="invalid config key no_such_option"):
        (tmp_path / "c.json").write_text('{"no_such_option": true}')
        load(Flags(config_paths=[str(tmp_path)]), host)


def test_a_host_without_a_name_is_refused(host: Host) -> None:
    def nameless() -> str:
        raise OSError("no name")

    with pytest.raises(ConfigError, match="node_name: no name"):
        build(Flags(dev=True), [], host._replace(hostname=nameless))
    with pytest.raises(ConfigError, match="node_name is longer than 512"):
        build(Flags(dev=True), [], host._replace(hostname=lambda: "x" * 600))


def test_no_key_is_both_taken_and_ignored() -> None:
    assert not (WITHOUT_EFFECT.keys() | ENTERPRISE) & set(FileSettings.__struct_fields__)


def test_printing_a_configuration_shows_no_secret(make: Build) -> None:
    config = make('acl { tokens { agent = "s3cret" } } service { name = "x" token = "s3cret" }', dev=True).config
    assert "s3cret" not in f"{config} {config.acl} {config.acl.tokens}"


_KEYS = st.sampled_from(sorted(Settings.__struct_fields__))
_VALUES = st.one_of(
    st.booleans(),
    st.integers(-3, 70_000),
    st.sampled_from(["", "x", "5s", "-5s", "::", "10.0.0.1", "{{ GetPrivateIP }}", "unix:///x", "etcd"]),
    st.lists(st.sampled_from(["a", "10.0.0.0/8", "{{"]), max_size=2),
    st.dictionaries(
        st.sampled_from(["http", "dns", "enabled", "kind", "mode", "soa"]), st.integers() | st.text(max_size=3)
    ),
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_settings_build_or_are_refused(host: Host, document: dict[str, object]) -> None:
    try:
        build(Flags(dev=True), [Source(name="x.json", format="json", text=json.dumps(document))], host)
    except ConfigError as error:
        assert str(error)
