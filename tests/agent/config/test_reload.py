from __future__ import annotations

from lictor.agent.config import reload_diff
from lictor.agent.config.reload import RELOADABLE
from lictor.agent.config.schema import RuntimeConfig
from tests.agent.config.conftest import Build


def test_what_may_change_changes_and_the_rest_waits(make: Build) -> None:
    old = make('acl { tokens { agent = "a" } } ports { http = 1 }').config
    new = make("""
        service { name = "web" }
        dns_config { only_passing = true }
        acl { default_policy = "deny" tokens { agent = "b" } }
        ports { http = 2 dns = 3 }
        datacenter = "dc2"
        log_level = "debug"
    """).config
    diff = reload_diff(old, new)
    assert diff.changed == {"services", "dns_config", "acl.tokens", "log_level"}
    assert diff.restart == ("acl.default_policy", "datacenter", "ports.dns", "ports.http", "primary_datacenter")
    assert diff.config.services == new.services
    assert diff.config.acl.tokens.agent == "b"
    assert diff.config.acl.default_policy == "allow"
    assert diff.config.ports == old.ports
    assert diff.config.listen == old.listen
    assert "datacenter has changed and takes effect only when the agent is restarted" in diff.warnings


def test_the_same_configuration_changes_nothing(make: Build) -> None:
    text = 'service { name = "x" check { ttl = "5s" } } watches { type = "key" }'
    diff = reload_diff(make(text).config, make(text).config)
    assert (diff.changed, diff.restart) == (frozenset(), ())


def test_every_reloadable_path_is_a_setting() -> None:
    config_keys = set(RuntimeConfig.__struct_fields__)
    assert {path.partition(".")[0] for path in RELOADABLE} <= config_keys
