from __future__ import annotations

from collections.abc import Callable

import pytest

from lictor.agent.config import Address, Host
from lictor.agent.config.addresses import Interface
from lictor.errors import ConfigError
from tests.agent.config.conftest import ETH0, LO, Build


def at(*interfaces: Interface) -> Host:
    return Host(hostname=lambda: "machine", interfaces=lambda: list(interfaces), is_file=lambda path: False)


def test_defaults(make: Build) -> None:
    config = make().config
    assert (config.bind_addr, config.advertise_addr, config.advertise_addr_wan) == ("0.0.0.0", "10.1.2.3", "10.1.2.3")
    assert config.tagged_addresses == {
        "lan": "10.1.2.3", "lan_ipv4": "10.1.2.3", "wan": "10.1.2.3", "wan_ipv4": "10.1.2.3",
    }  # fmt: skip
    assert config.listen.http == (Address("127.0.0.1", 8500),)
    assert config.listen.dns == (Address("127.0.0.1", 8600),)
    assert config.listen.https == config.listen.grpc == ()
    assert config.listen.server == Address("0.0.0.0", 8300)
    assert config.listen.serf_wan == Address("0.0.0.0", 8302)


def test_each_interface_may_have_its_own_addresses(make: Build) -> None:
    listen = make("""
        client_addr = "127.0.0.1 ::1"
        addresses { http = "unix:///run/l.sock {{ GetPrivateIP }}" https = "[::]" }
        ports { https = 8501 dns = 0 serf_wan = -1 }
        serf_lan = "127.0.0.1"
    """).config.listen
    assert [str(address) for address in listen.http] == ["unix:///run/l.sock", "10.1.2.3:8500"]
    assert [str(address) for address in listen.https] == ["[::]:8501"]
    assert (listen.dns, listen.serf_wan, listen.serf_lan) == ((), None, Address("127.0.0.1", 8301))


def test_advertised_addresses_follow_each_other(make: Build) -> None:
    config = make("""
        bind_addr = "127.0.0.1"
        advertise_addr = "10.0.0.1"
        advertise_addr_ipv6 = "fd00::1"
        advertise_addr_wan = "{{ GetInterfaceIP \\"eth0\\" }}"
        tagged_addresses { other = "x" }
    """).config
    assert config.tagged_addresses == {
        "lan": "10.0.0.1", "lan_ipv4": "10.0.0.1", "lan_ipv6": "fd00::1",
        "wan": "10.1.2.3", "wan_ipv4": "10.1.2.3", "other": "x",
    }  # fmt: skip


def test_an_ipv6_machine(make: Build) -> None:
    public = Interface(name="eth0", address="2001:4860:4860::8888", prefix=64)
    config = make('bind_addr = "[::]"', host=at(LO, public)).config
    assert config.tagged_addresses["lan_ipv6"] == public.address
    assert "lan_ipv4" not in config.tagged_addresses


def test_the_default_route_serves_when_nothing_is_private(make: Build) -> None:
    only = Interface(name="eth0", address="203.0.113.9", prefix=24, default=True)
    built = make(host=at(LO, only))
    assert built.config.advertise_addr == "203.0.113.9"
    assert built.warnings == (
        "No private IPv4 address found: advertising 203.0.113.9, the address of the default route",
    )


def test_lists_are_expanded(make: Build) -> None:
    config = make("""
        recursors = ["8.8.8.8", "{{ GetPrivateIP }} 8.8.8.8", "[2001::1]:53"]
        retry_join = ["", "provider=aws tag_key=x", "{{ GetPrivateIPs }}", "host:8301"]
    """).config
    assert config.recursors == ("8.8.8.8", "10.1.2.3", "[2001::1]:53")
    assert config.retry_join == ("provider=aws tag_key=x", "10.1.2.3", "host:8301")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('bind_addr = ""', "bind_addr cannot be empty"),
        ('bind_addr = "1.1.1.1 2.2.2.2"', "bind_addr cannot contain multiple addresses"),
        ('bind_addr = "unix:///x"', "bind_addr cannot be a unix socket"),
        ('bind_addr = "host"', "bind_addr: invalid ip address: host"),
        ('bind_addr = "{{ Nope }}"', 'bind_addr: error parsing "{{ Nope }}": function "Nope" not defined'),
        ('advertise_addr = "0.0.0.0"', "Advertise address cannot be 0.0.0.0, :: or [::]"),
        ('advertise_addr_wan = "::"', "Advertise WAN address cannot be 0.0.0.0, :: or [::]"),
        ('advertise_addr_ipv4 = "::1"', "advertise_addr_ipv4 must be an ipv4 address"),
        ('advertise_addr_wan_ipv6 = "1.1.1.1"', "advertise_addr_wan_ipv6 must be an ipv6 address"),
        ('serf_lan = "1.1.1.1 2.2.2.2"', "serf_lan: multiple addresses found: 1.1.1.1 2.2.2.2"),
        ('client_addr = "unix:///x"', "client_addr cannot be a unix socket"),
        ('addresses { dns = "unix:///x" }', "DNS address cannot be a unix socket"),
        ('recursors = ["unix:///x"]', "DNS Recursors cannot be unix sockets: unix:///x"),
        ('recursors = ["0.0.0.0"]', "DNS recursor address cannot be 0.0.0.0"),
        ("ports { http = 70000 }", "ports.http: invalid port: 70000"),
        ("ports { sidecar_min_port = 30000 }", "sidecar_min_port must be less than sidecar_max_port"),
        ("ports { http = 8600 }", "HTTP address 127.0.0.1:8600 already configured for DNS"),
        ("ports { grpc = 8500 }", "gRPC address 127.0.0.1:8500 already configured for HTTP"),
        ("ports { serf_lan = 8300 }", "Serf Advertise LAN address 10.1.2.3:8300 already configured for RPC Advertise"),
    ],
)
def test_what_does_not_fit_is_refused(make: Build, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        (lambda: at(LO), "No private IPv4 address found"),
        (
            lambda: at(ETH0, Interface(name="eth1", address="192.168.0.1", prefix=24)),
            "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'."
            " Found: 10.1.2.3 192.168.0.1",
        ),
    ],
)
def test_an_address_that_cannot_be_chosen_is_refused(make: Build, host: Callable[[], Host], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(host=host())
    assert problem in str(caught.value)
