from __future__ import annotations

import msgspec
import pytest

from lictor.dns.settings import DNSConfig, DNSSettings, Zone
from lictor.errors import ConfigError


def test_defaults_are_the_references() -> None:
    zone = Zone(DNSSettings())
    assert zone.domain == (b"consul",)
    assert (zone.config.udp_answer_limit, zone.config.a_record_limit, zone.config.recursor_timeout) == (3, 0, 2.0)
    assert (zone.config.soa.refresh, zone.config.soa.retry, zone.config.soa.expire, zone.config.soa.min_ttl) == (
        3600,
        600,
        86400,
        0,
    )


def test_a_services_ttl_is_that_of_its_name_then_of_the_longest_prefix() -> None:
    ttls = {"*": 10.0, "web": 20.0, "web-*": 30.0, "web-api-*": 40.0}
    zone = Zone(DNSSettings(dns_config=DNSConfig(service_ttl=ttls)))
    assert [zone.service_ttl(name) for name in ("db", "web", "website", "web-1", "web-api-v1")] == [10, 20, 10, 30, 40]
    assert Zone(DNSSettings()).service_ttl("web") == 0


def test_the_longer_of_two_domains_is_cut_off() -> None:
    zone = Zone(DNSSettings(domain="lan", alt_domain="minne.LAN."))
    assert zone.trimmed((b"web", b"service", b"minne", b"lan")) == (b"web", b"service")
    assert zone.trimmed((b"web", b"service", b"lan")) == (b"web", b"service")
    assert zone.trimmed((b"lan",)) == ()
    assert zone.trimmed((b"alan",)) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1", ("10.0.0.1", 53)),
        ("10.0.0.1:5353", ("10.0.0.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("resolver", ("resolver", 53)),
    ],
)
def test_recursors(text: str, address: tuple[str, int]) -> None:
    assert Zone(DNSSettings(recursors=(text,))).recursors == (address,)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"recursors": ("10.0.0.1:0",)}, "recursors"),
        ({"recursors": ("10.0.0.1:x",)}, "recursors"),
        ({"recursors": ("",)}, "recursors"),
        ({"recursors": ("0.0.0.0",)}, "recursor"),
        ({"domain": "a..b"}, "domain"),
        ({"alt_domain": "x" * 70}, "alt_domain"),
        ({"dns_config": {"node_ttl": -1.0}}, "node_ttl"),
        ({"dns_config": {"service_ttl": {"web": -1.0}}}, "service_ttl.web"),
        ({"dns_config": {"udp_answer_limit": -1}}, "udp_answer_limit"),
        ({"dns_config": {"a_record_limit": -1}}, "a_record_limit"),
    ],
)
def test_what_cannot_be_used_is_named(changed: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Zone(msgspec.convert(changed, DNSSettings))


def test_settings_are_taken_from_the_agents_configuration() -> None:
    class Config:
        datacenter, domain, alt_domain, recursors, node_name = "north", "minne.lan.", "", ("10.0.0.1",), "n"
        dns_config = DNSConfig(node_ttl=5.0)

    assert msgspec.convert(Config(), DNSSettings, from_attributes=True) == DNSSettings(
        datacenter="north", domain="minne.lan.", recursors=("10.0.0.1",), dns_config=DNSConfig(node_ttl=5.0)
    )
