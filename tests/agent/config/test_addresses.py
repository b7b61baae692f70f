from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.agent.config.addresses import Interface, TemplateError, expand, private_ipv4, public_ipv6

MACHINE = [
    Interface(name="lo", address="127.0.0.1", prefix=8, loopback=True),
    Interface(name="docker0", address="172.17.0.1", prefix=16),
    Interface(name="eth0", address="10.0.0.5", prefix=24, default=True),
    Interface(name="eth1", address="203.0.113.9", prefix=28),
    Interface(name="eth2", address="8.8.4.4", prefix=30),
    Interface(name="eth3", address="10.9.0.1", prefix=24, up=False),
    Interface(name="eth0", address="fe80::1", prefix=64),
    Interface(name="eth2", address="2001:4860:4860::8888", prefix=64),
]


def machine() -> list[Interface]:
    return MACHINE


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("{{ GetPrivateIP }}", "10.0.0.5"),
        ("{{GetPublicIP}}", "8.8.4.4"),
        ('{{ GetInterfaceIP "eth1" }}', "203.0.113.9"),
        ('{{ GetInterfaceIP "none" }}', ""),
        ("{{ GetInterfaceIPs `eth[12]` }}", "8.8.4.4 203.0.113.9 2001:4860:4860::8888"),
        ("{{ GetDefaultInterfaces }} x", "10.0.0.5 x"),
        ('{{ GetPrivateInterfaces | exclude "name" "docker" | limit 1 | attr "address" }}', "10.0.0.5"),
        ('{{ GetAllInterfaces | include "type" "ipv6" | exclude "rfc" "4193" | join "address" "," }}',
         "fe80::1,2001:4860:4860::8888"),
        ('{{ GetAllInterfaces | include "network" "10.0.0.0/8" | sort "-address" | attr "name" }}', "eth3"),
        ('{{ GetAllInterfaces | include "rfc" "1918" | include "flags" "up" | sort "name" | offset 1 }}', "10.0.0.5"),
        ('{{ GetAllInterfaces | include "rfc" "6890" | unique "type" | join "type" " " }}', "IPv4 IPv6"),
        ('{{ GetAllInterfaces | include "size" "28" | attr "network" }}', "203.0.113.0/28"),
        ('{{ GetAllInterfaces | include "address" "^8\\\\." }}', "8.8.4.4"),
        ("{{- GetPrivateIP -}}", "10.0.0.5"),
    ],
)  # fmt: skip
def test_templates(text: str, expanded: str) -> None:
    assert expand(text, machine) == expanded


@pytest.mark.parametrize(
    "text",
    [
        "{{", "{{ }}", "{{ Nope }}", "{{ if true }}x{{ end }}", '{{ GetPrivateIP | join "address" "," }}',
        '{{ GetAllInterfaces | include "size" "x" }}', '{{ GetAllInterfaces | include "colour" "red" }}',
        '{{ GetAllInterfaces | include "flags" "shiny" }}', '{{ GetAllInterfaces | include "name" "(" }}',
        '{{ GetAllInterfaces | include "network" "x" }}', '{{ GetAllInterfaces | include "rfc" "1" }}',
        '{{ GetAllInterfaces | sort "shape" }}', '{{ GetAllInterfaces | attr "shape" }}',
        "{{ GetAllInterfaces | limit }}",
        '{{ GetAllInterfaces | attr 1 }}', '{{ "x" }}', "{{ GetPrivateIP | }}", "{{ GetPrivateIP ( }}",
        "{{ GetPrivateIP 1 2 3 }}", "{{" + "x" * 5000,
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(TemplateError):
        expand(text, machine)


def test_detection() -> None:
    assert private_ipv4(machine) == ["172.17.0.1", "10.0.0.5", "10.9.0.1"]
    assert public_ipv6(machine) == ["2001:4860:4860::8888"]


_WORDS = st.sampled_from(
    [
        "GetAllInterfaces",
        "include",
        "sort",
        "limit",
        "join",
        "attr",
        "|",
        '"name"',
        '"type"',
        "1",
        "-3",
        '"eth"',
        "`x",
        "é",
    ]
)


@given(st.lists(_WORDS, max_size=8))
def test_any_template_expands_or_is_refused(words: list[str]) -> None:
    with contextlib.suppress(TemplateError):
        assert isinstance(expand("{{ " + " ".join(words) + " }}", machine), str)
