from __future__ import annotations

import pytest

from lictor.errors import ConfigError
from tests.agent.config.conftest import Build


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('datacenter = ""', "datacenter cannot be empty"),
        ('datacenter = "Dc 1"', 'datacenter cannot be "dc 1". Please use only [a-z0-9-_]'),
        ('primary_datacenter = "a.b"', 'primary_datacenter cannot be "a.b"'),
        ('data_dir = "/a/file"', 'data_dir "/a/file" is not a directory'),
        ('node_name = " "', "node_name cannot be empty"),
        ('node_id = "x"', "node_id: uuid string is wrong length"),
        ('node_meta { "consul-x" = "1" }', "node_meta invalid: Couldn't load metadata pair"),
        ('alt_domain = "service.x"', "alt_domain cannot start with {service,connect,node,query,addr,dc1}"),
        ("server = false bootstrap = true", "'bootstrap = true' requires 'server = true'"),
        ("bootstrap_expect = 3", "'bootstrap_expect > 0' requires 'server = true'"),
        ("bootstrap_expect = -1", "bootstrap_expect cannot be -1. Must be greater than or equal to zero"),
        ("server = true bootstrap = true bootstrap_expect = 3", "mutually exclusive"),
        ('server = true store { kind = "paper" }', 'store.kind cannot be "paper"'),
        ('server = true bootstrap_expect = 3 store { kind = "sqlite" }', "sqlite serves one server"),
        ('server = true store { kind = "sqlite" endpoints = ["x"] }', "store.endpoints needs"),
        ("check_output_max_size = 0", "check_output_max_size must be positive"),
        ('ae_interval = "0s"', "ae_interval must be positive"),
        ('retry_interval = "-1s"', "retry_interval cannot be -1. Must be greater"),
        ("dns_config { udp_answer_limit = -1 }", "dns_config.udp_answer_limit cannot be -1"),
        ("dns_config { soa { expire = -1 } }", "dns_config.soa.expire cannot be -1"),
        ('dns_config { service_ttl { "a" = "-1s" } }', 'dns_config.service_ttl["a"] cannot be -1'),
        ("performance { raft_multiplier = 11 }", "performance.raft_multiplier cannot be 11. Must be between 1 and 10"),
        ('http_config { allow_write_http_from = ["10.0.0.1"] }', "allow_write_http_from: invalid cidr: 10.0.0.1"),
        ('serf_lan_allowed_cidrs = ["x/8"]', "serf_lan_allowed_cidrs: invalid cidr: x/8"),
        ('ui_config { content_path = "a b" }', "ui-content-path can only contain alphanumeric"),
        ('ui_config { content_path = "v1" }', "ui-content-path cannot have 'v[0-9]'. received: /v1/"),
        ('ui_config { enabled = true dir = "/x" }', "please provide only one"),
        ('unix_sockets { mode = "999" }', 'unix_sockets.mode cannot be "999"'),
        ('log_level = "loud"', "Invalid log level: loud. Valid log levels are: TRACE DEBUG INFO WARN ERR"),
        ("watches { key = 1 }", "watches[0]: Watch type must be defined"),
        ('acl { default_policy = "maybe" }', 'acl.default_policy cannot be "maybe"'),
        ('acl { down_policy = "maybe" }', 'acl.down_policy cannot be "maybe"'),
        ('tls_min_version = "ssl3"', 'tls_min_version cannot be "ssl3"'),
        ('cert_file = "/x"', "cert_file and key_file must be given together"),
        ("auto_config { enabled = true }", "auto_config is not supported"),
        ("server = true auto_encrypt { tls = true }", "auto_encrypt.tls can only be used on a client."),
        ("auto_encrypt { allow_tls = true }", "auto_encrypt.allow_tls can only be used on a server."),
        ('connect { ca_provider = "me" }', "me is not a valid CA provider"),
        ("connect { enable_mesh_gateway_wan_federation = true }", "requires 'connect.enabled=true'"),
        ('primary_gateways = ["x"]', "'primary_gateways' requires 'server = true'"),
        ('server = true primary_gateways = ["x"]', "should only be configured in a secondary datacenter"),
        ('config_entries { bootstrap { name = "x" } }', "config_entries.bootstrap[0]: Payload does not contain a kind"),
    ],
)
def test_rules(make: Build, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(text)
    assert problem in str(caught.value)


def test_a_data_directory_is_needed_unless_nothing_is_kept(make: Build) -> None:
    with pytest.raises(ConfigError, match="data_dir cannot be empty"):
        make(bare=True)
    assert make(dev=True).config.data_dir == ""
    assert make('server = true store { endpoints = ["http://e:2379"] }', bare=True).config.store.kind == "etcd"
    assert make('server = true store { kind = "memory" }', bare=True).config.store.kind == "memory"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ('node_name = "a_b"', 'Node name "a_b" will not be discoverable via DNS due to invalid characters.'),
        (f'node_name = "{"a" * 64}"', "due to it being too long"),
        ("server = true bootstrap_expect = 2", "bootstrap_expect = 2: A cluster with 2 servers"),
        ("server = true bootstrap_expect = 4", "bootstrap_expect is even number"),
        ("server = true bootstrap_expect = 3", "bootstrap_expect > 0: expecting 3 servers"),
        ("server = true bootstrap = true", "bootstrap = true: do not enable unless necessary"),
        ("server = true auto_encrypt { allow_tls = true }", "auto_encrypt.allow_tls is on"),
        ('telemetry { prefix_filter = ["x"] }', "Filter rule must begin with either '+' or '-': \"x\""),
        ('telemetry { prefix_filter = [""] }', "Cannot have empty filter rule in prefix_filter"),
        ('auto_encrypt { ip_san = ["x"] }', 'Cannot parse ip "x"'),
        ('store { kind = "sqlite" }', "store has no effect on a client agent"),
        ('acl_token = "t"', "The 'acl_token' field is deprecated."),
    ],
)
def test_warnings(make: Build, text: str, warning: str) -> None:
    assert any(warning in told for told in make(text).warnings)
