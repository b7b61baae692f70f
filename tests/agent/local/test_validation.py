from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.agent.local import LocalSettings, LocalState, Source
from lictor.agent.local.files import KeptCheck, KeptService
from lictor.agent.local.validation import validate_check, validate_service
from lictor.errors import BadRequest, LictorError, Refused
from lictor.types.catalog import Proxy, ServiceAddress
from lictor.types.definitions import CheckSpec, ConnectSpec, ServiceSpec, WeightsSpec
from lictor.types.duration import Duration
from lictor.types.gojson import decode, encode
from tests.agent.local.helpers import StillClock, check, make_state, service

SETTINGS = LocalSettings(node_name="node1", enable_remote_script_checks=True)
PROXY = {"Kind": "connect-proxy", "Port": 1}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"ID": "noname"}, "Missing service name"),
        ({"Name": "bad", "Weights": {"Passing": -1, "Warning": 1}}, "Invalid Weights: Passing must be greater than 0"),
        (
            {"Name": "bad", "Weights": {"Passing": 1, "Warning": -1}},
            "Invalid Weights: Warning must be greater or equal than 0",
        ),
        ({"Name": "bad", "Weights": {"Passing": 70_000}}, "Invalid Weights: DNS Weight must be between 0 and 65535"),
        ({"Name": "bad", "Address": "0.0.0.0"}, "Invalid service address"),
        ({"Name": "bad", "Address": "::"}, "Invalid service address"),
        ({"Name": "bad", "Check": {"Interval": "10s"}}, "Invalid check: TTL must be > 0 for TTL checks"),
        (
            {"Name": "bad", "Check": {"TTL": "10s", "Status": "fine"}},
            "Status for checks must 'passing', 'warning', 'critical'",
        ),
        (
            {"Name": "bad", "Meta": {"not ok!": "x"}},
            "Invalid Service Meta: Couldn't load metadata pair ('not ok!', 'x'): Key contains invalid characters",
        ),
        ({"Name": "bad", "Kind": "odd"}, '1 error occurred:\n\t* Invalid service kind: "odd"\n\n'),
        (
            {"Name": "p", **PROXY},
            "1 error occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n\n",
        ),
        (
            {"Name": "p", **PROXY, "Proxy": {"DestinationServiceName": "*"}},
            "1 error occurred:\n\t* Proxy.DestinationServiceName must not be a wildcard for Connect proxy services\n\n",
        ),
        (
            {
                "Name": "p",
                "Kind": "connect-proxy",
                "Connect": {"Native": True},
                "Proxy": {"DestinationServiceName": "w"},
            },
            "2 errors occurred:\n\t* Port or SocketPath must be set for a Connect proxy\n"
            "\t* A Proxy cannot also be Connect Native, only typical services\n\n",
        ),
        ({"Name": "g", "Kind": "mesh-gateway"}, "1 error occurred:\n\t* Port must be non-zero for a mesh-gateway\n\n"),
        (
            {"Name": "bad", "Connect": {"SidecarService": {"ID": "chosen"}}},
            "1 error occurred:\n\t* A SidecarService cannot specify an ID as this is managed by the agent\n\n",
        ),
        (
            {"Name": "bad", "Connect": {"SidecarService": {"Connect": {"SidecarService": {}}}}},
            "1 error occurred:\n\t* A SidecarService cannot have a nested SidecarService\n\n",
        ),
        (
            {"Name": "bad", "Connect": {"SidecarService": {"Check": {"Interval": "1s"}}}},
            "Invalid check in sidecar_service: TTL must be > 0 for TTL checks",
        ),
        ({"Name": "n" * 513}, "Name is too long (limit: 512 bytes)"),
        ({"Name": "n", "Tags": ["t" * 513]}, "Tags is too long (limit: 512 bytes)"),
    ],
)
def test_services_that_are_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(BadRequest) as raised:
        validate_service(service(**fields), SETTINGS, Source.API)
    assert str(raised.value) == text


def test_a_tagged_address_must_fit_its_name() -> None:
    spec = service(Name="web", TaggedAddresses={"lan_ipv4": {"Address": "::1", "Port": 1}})
    with pytest.raises(Refused, match=r'^Service tagged address "lan_ipv4" must be a valid ipv4 address$'):
        validate_service(spec, SETTINGS, Source.API)


def test_names_that_dns_cannot_carry_are_told_once(state: LocalState, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        state.register_service(service(Name="my_web", Tags=["fine", "not.fine", "x" * 64]))
    warned = [record.getMessage() for record in caplog.records]
    assert [line.split('"')[1] for line in warned] == ["my_web", "not.fine", "x" * 64]


def test_an_empty_check_is_none(state: LocalState) -> None:
    state.register_service(service(Name="web", Check={}))
    assert not state.checks()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"TTL": "10s"}, "Missing check name"),
        ({"Name": "x"}, "Invalid check: TTL must be > 0 for TTL checks"),
        (
            {"Name": "x", "HTTP": "http://h/"},
            "Invalid check: Interval must be > 0 for Script, HTTP, H2PING, or TCP checks",
        ),
        ({"Name": "x", "TTL": "10s", "Status": "sideways"}, "Bad check status"),
        ({"Name": "x", "TTL": "10s", "Interval": "1s"}, "Invalid check: Interval and TTL cannot both be specified"),
        ({"Name": "x", "TTL": "-10s"}, "Invalid check: TTL must be > 0 for TTL checks"),
        ({"Name": "x", "AliasService": "y", "TTL": "1s"}, "Invalid check: TTL must be not be set for Alias checks"),
        (
            {"Name": "x", "AliasService": "y", "TCP": "z:1", "Interval": "1s"},
            "Invalid check: Interval cannot be set for Alias checks",
        ),
        ({"Name": "x", "TTL": "1s", "OutputMaxSize": -1}, "Invalid check: MaxOutput must be positive"),
        (
            {"Name": "x", "TCP": "z:1", "Interval": "1s", "FailuresBeforeWarning": 3, "FailuresBeforeCritical": 2},
            "Invalid check: FailuresBeforeWarning can't be higher than FailuresBeforeCritical",
        ),
        ({"Name": "x", "DockerContainerID": "c", "TTL": "1s"}, "Invalid check: Docker checks need Args"),
    ],
)
def test_checks_that_are_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(BadRequest) as raised:
        validate_check(check(**fields), SETTINGS, Source.API)
    assert str(raised.value) == text


@pytest.mark.parametrize(
    "kind",
    [{"HTTP": "u"}, {"TCP": "t"}, {"UDP": "u"}, {"GRPC": "g"}, {"H2PING": "h"}, {"Args": ["a"]}, {"OSService": "s"}],
)
def test_every_kind_with_an_interval_is_fine(kind: dict[str, Any]) -> None:
    validate_check(check(Name="x", Interval="1s", **kind), SETTINGS, Source.API)


@pytest.mark.parametrize(
    ("local", "remote", "source", "text"),
    [
        (
            False,
            False,
            Source.CONFIG,
            "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or "
            "'enable_local_script_checks' to true",
        ),
        (
            True,
            False,
            Source.API,
            "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
        ),
        (True, False, Source.CONFIG, ""),
        (True, True, Source.API, ""),
    ],
)
def test_scripts_only_where_they_are_allowed(
    clock: StillClock, local: bool, remote: bool, source: Source, text: str
) -> None:
    state = make_state(clock, enable_local_script_checks=local, enable_remote_script_checks=remote)
    script = {"Args": ["true"], "Interval": "10s"}
    register = [
        lambda: state.register_check(check(Name="x", **script), source=source),
        lambda: state.register_service(service(Name="web", Check=script), source=source),
        lambda: state.register_service(service(Name="w", Check={**script, "DockerContainerID": "c"}), source=source),
    ]
    for attempt in register:
        if text:
            with pytest.raises(LictorError) as raised:
                attempt()
            assert str(raised.value) == text
        else:
            attempt()


texts = st.one_of(
    st.just(""), st.sampled_from(["a", "b", "::", "10.0.0.1", "connect-proxy", "mesh-gateway", "*"]), st.text()
)
durations = st.one_of(st.none(), st.builds(Duration, st.integers(-(2**40), 2**62)))
numbers = st.one_of(st.integers(-2, 3), st.integers(-(2**63), 2**63))
check_specs = st.builds(
    CheckSpec,
    name=texts,
    id=texts,
    status=texts,
    service_id=texts,
    http=texts,
    tcp=texts,
    grpc=texts,
    alias_service=texts,
    alias_node=texts,
    script_args=st.lists(texts, max_size=2),
    docker_container_id=texts,
    interval=durations,
    timeout=durations,
    ttl=durations,
    deregister_critical_service_after=durations,
    output_max_size=numbers,
    failures_before_critical=numbers,
    failures_before_warning=numbers,
    success_before_passing=numbers,
)
addresses = st.dictionaries(st.sampled_from(["lan_ipv4", "wan_ipv6", "x"]), st.builds(ServiceAddress, address=texts))
service_specs = st.deferred(
    lambda: st.builds(
        ServiceSpec,
        kind=texts,
        id=texts,
        name=texts,
        tags=st.lists(texts, max_size=2),
        address=texts,
        port=numbers,
        tagged_addresses=addresses,
        socket_path=texts,
        meta=st.dictionaries(texts, texts, max_size=2),
        check=st.none() | check_specs,
        checks=st.lists(check_specs, max_size=2),
        weights=st.none() | st.builds(WeightsSpec, passing=numbers, warning=numbers),
        proxy=st.none() | st.builds(Proxy, destination_service_name=texts, local_service_port=numbers),
        connect=st.none() | st.builds(ConnectSpec, sidecar_service=st.none() | service_specs),
    )
)


@given(st.lists(st.one_of(service_specs, check_specs), max_size=4))
def test_any_definition_is_registered_or_refused_and_can_be_kept(specs: list[ServiceSpec | CheckSpec]) -> None:
    state = make_state(StillClock())
    for spec in specs:
        with suppress(LictorError):
            if isinstance(spec, ServiceSpec):
                state.register_service(spec)
            else:
                state.register_check(spec)
    for row in state.rows.services.values():
        kept = KeptService(service=row.service)
        assert decode(encode(kept), KeptService) == kept
    for check_row in state.rows.checks.values():
        kept_check = KeptCheck(check=check_row.check, spec=check_row.spec)
        assert decode(encode(kept_check), KeptCheck) == kept_check
    for service_id in list(state.services()):
        state.deregister_service(service_id)
    assert all(not check_row.check.service_id for check_row in state.rows.checks.values())
