"""Configuration entries of ingress and terminating gateways, and how /v1/catalog/gateway-services shows what they bind.

A configuration entry is kept as JSON; these are the two kinds whose content the catalog's answers depend on.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lictor.types.catalog import Record
from lictor.types.gojson import Wire, always


class IngressTLS(Wire, frozen=True, kw_only=True):
    enabled: bool = always(False)


class IngressService(Wire, frozen=True, kw_only=True):
    """One service behind a listener. `*` means every service."""

    name: str = always("")
    hosts: list[str] | None = always(None)
    namespace: str = ""
    meta: dict[str, str] = msgspec.field(default_factory=dict)
    request_headers: dict[str, Any] = msgspec.field(default_factory=dict)
    response_headers: dict[str, Any] = msgspec.field(default_factory=dict)


class IngressListener(Wire, frozen=True, kw_only=True):
    port: int = always(0)
    protocol: str = always("tcp")
    services: list[IngressService] = msgspec.field(default_factory=list)


class IngressGateway(Wire, frozen=True, kw_only=True):
    """The entry of kind ingress-gateway."""

    kind: str = always("")
    name: str = always("")
    tls: IngressTLS = always(IngressTLS())
    listeners: list[IngressListener] = msgspec.field(default_factory=list)
    meta: dict[str, str] = msgspec.field(default_factory=dict)
    namespace: str = ""


class LinkedService(Wire, frozen=True, kw_only=True):
    """One service behind a terminating gateway, and how the gateway connects to it."""

    name: str = always("")
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    sni: str = ""
    namespace: str = ""


class TerminatingGateway(Wire, frozen=True, kw_only=True):
    """The entry of kind terminating-gateway."""

    kind: str = always("")
    name: str = always("")
    services: list[LinkedService] = msgspec.field(default_factory=list)
    meta: dict[str, str] = msgspec.field(default_factory=dict)
    namespace: str = ""


class ServiceName(Wire, frozen=True, kw_only=True):
    name: str = always("")


class GatewayService(Record, frozen=True, kw_only=True):
    """A service bound to a gateway."""

    gateway: ServiceName = always(ServiceName())
    service: ServiceName = always(ServiceName())
    gateway_kind: str = always("")
    port: int = 0
    protocol: str = ""
    hosts: list[str] = msgspec.field(default_factory=list)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    sni: str = ""
    from_wildcard: bool = False
