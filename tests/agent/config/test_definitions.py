from __future__ import annotations

from typing import Any

import pytest

from lictor.agent.config.definitions import check_problem, service_problem
from lictor.errors import ConfigError
from lictor.types.catalog import Proxy, Weights
from lictor.types.definitions import CheckSpec, ConnectSpec, ServiceSpec, WeightsSpec
from lictor.types.duration import Duration
from tests.agent.config.conftest import Build

TEN = Duration.of(10)


def test_definitions_of_a_file(make: Build) -> None:
    config = make("""
        service {
          id = "red0" name = "redis" tags = ["primary"] port = 6379 address = "10.0.0.7" meta { tier = "cache" }
          enable_tag_override = true
          weights { passing = 3 warning = 1 }
          check { id = "red0-ttl" ttl = "60s" status = "passing" deregister_critical_service_after = "72h" }
          tagged_addresses { lan { address = "1.2.3.4" port = 1 } }
          connect { sidecar_service { proxy { upstreams { destination_name = "db" local_bind_port = 5000 } } } }
        }
        service {
          Name = "mail" Checks = [{ Args = ["true"] Interval = "1s" }, { grpc = "x" grpc_use_tls = true interval = 5 }]
        }
        check { id = "c" name = "n" http = "http://x" interval = "5s" header { X-A = ["1", "2"] } }
        checks = [{ ID = "d" Name = "d" TTL = "1m" ServiceID = "red0" }]
    """).config
    redis, mail = sorted(config.services, key=lambda spec: spec.name, reverse=True)
    assert redis.weights == WeightsSpec(passing=3, warning=1)
    assert redis.check == CheckSpec(
        id="red0-ttl", ttl=Duration.of(60), status="passing", deregister_critical_service_after=Duration.of(259200)
    )
    assert redis.tagged_addresses["lan"].port == 1
    assert redis.connect is not None and redis.connect.sidecar_service is not None
    proxy = redis.connect.sidecar_service.proxy
    assert proxy is not None and proxy.upstreams[0].destination_name == "db"
    assert proxy.upstreams[0].destination_type == "service"
    assert [check.kind for check in mail.checks] == ["script", "grpc"]
    by_id = {check.id: check for check in config.checks}
    assert by_id["c"].header == {"X-A": ["1", "2"]}
    assert by_id["d"].service_id == "red0"


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({}, "Missing service name"),
        ({"address": "0.0.0.0"}, "Invalid service address"),
        ({"port": 70000}, "Invalid service port"),
        ({"kind": "robot"}, "Invalid service kind"),
        ({"weights": WeightsSpec(passing=-1)}, "Invalid Weights: Passing must be greater than 0"),
        ({"weights": WeightsSpec(warning=-1)}, "Invalid Weights: Warning"),
        ({"weights": WeightsSpec(passing=70000)}, "Invalid Weights: DNS Weight must be between 0 and 65535"),
        ({"meta": {"not ok!": "x"}},
         "Invalid Service Meta: Couldn't load metadata pair ('not ok!', 'x'): Key contains invalid characters"),
        ({"check": CheckSpec(interval=TEN)}, "Invalid check: TTL must be > 0 for TTL checks"),
        ({"checks": [CheckSpec(ttl=TEN, status="fine")]}, "Status for checks must 'passing', 'warning', 'critical'"),
        ({"kind": "connect-proxy", "port": 1}, "Proxy.DestinationServiceName must be non-empty"),
        ({"kind": "connect-proxy", "port": 1, "proxy": Proxy(destination_service_name="*")}, "must not be a wildcard"),
        ({"kind": "connect-proxy", "proxy": Proxy(destination_service_name="x")}, "Port or SocketPath must be set"),
        ({"connect": ConnectSpec(sidecar_service=ServiceSpec(id="x"))}, "A SidecarService cannot specify an ID"),
        ({"connect": ConnectSpec(sidecar_service=ServiceSpec(connect=ConnectSpec(sidecar_service=ServiceSpec())))},
         "A SidecarService cannot have a nested SidecarService"),
    ],
)  # fmt: skip
def test_service_problems(spec: dict[str, Any], problem: str) -> None:
    named: dict[str, Any] = {"name": "x"} if spec else {}
    assert problem in service_problem(ServiceSpec(**named, **spec))


def test_services_that_are_fine() -> None:
    assert service_problem(ServiceSpec(name="x", check=CheckSpec(ttl=TEN))) == ""
    assert service_problem(ServiceSpec(name="g", kind="mesh-gateway", meta={"consul-wan-federation": "1"})) == ""
    assert Weights() == Weights(passing=1, warning=1)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (CheckSpec(ttl=TEN), ""),
        (CheckSpec(alias_service="x"), ""),
        (CheckSpec(http="http://x", interval=TEN), ""),
        (CheckSpec(os_service="x", interval=TEN), ""),
        (CheckSpec(http="http://x"), "Interval must be > 0 for Script, HTTP, H2PING, or TCP checks"),
        (CheckSpec(tcp="x", interval=TEN, ttl=TEN), "Interval and TTL cannot both be specified"),
        (CheckSpec(tcp="x", interval=TEN, alias_node="n"), "Interval cannot be set for Alias checks"),
        (CheckSpec(alias_node="n", ttl=TEN), "TTL must be not be set for Alias checks"),
        (CheckSpec(), "TTL must be > 0 for TTL checks"),
        (CheckSpec(ttl=TEN, output_max_size=-1), "MaxOutputMaxSize must be positive"),
        (CheckSpec(ttl=TEN, failures_before_warning=3, failures_before_critical=2), "can't be higher"),
        (CheckSpec(ttl=TEN, status="sideways"), "Status for checks must"),
    ],
)
def test_check_problems(spec: CheckSpec, problem: str) -> None:
    found = check_problem(spec)
    assert problem in found
    assert bool(problem) == bool(found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('service { name = "web" check { interval = "1s" } }', 'service "web": Invalid check: TTL must be > 0'),
        ('check { id = "c" name = "c" http = "x" }', 'check "c": Interval must be > 0'),
        ('check { ttl = "5s" }', 'check "": Missing check name'),
    ],
)
def test_a_wrong_definition_is_named(make: Build, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(text)
    assert problem in str(caught.value)


def test_a_definition_given_twice_is_warned_of(make: Build) -> None:
    warnings = make('services = [{ name = "a" }, { id = "a" name = "b" }]').warnings
    assert warnings == ('service "a" is defined more than once: the last definition counts',)
