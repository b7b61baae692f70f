"""Plans for configuration entries, and what makes one invalid.

An entry is kept as JSON under its kind and name. The kinds that the catalog's answers depend on (gateways) are read
strictly; of the others kind and name are checked.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from lictor.errors import BadRequest, Refused
from lictor.server.transaction import Tx
from lictor.types.catalog import INGRESS_GATEWAY, TERMINATING_GATEWAY
from lictor.types.gateways import IngressGateway, TerminatingGateway
from lictor.types.gojson import convert, encode
from lictor.types.query import ConfigEntry

T = TypeVar("T")

PROXY_DEFAULTS, GLOBAL = "proxy-defaults", "global"
MESH = "mesh"
SERVICE_KINDS = ("service-defaults", "service-router", "service-splitter", "service-resolver", "service-intentions")
KINDS = (*SERVICE_KINDS, PROXY_DEFAULTS, INGRESS_GATEWAY, TERMINATING_GATEWAY, MESH)

_PROTOCOLS = ("tcp", "http", "http2", "grpc")
_INDEXES = ("createindex", "modifyindex")


def check_kind(kind: str) -> str:
    """The kind, if it is one. Raises Refused."""
    if kind not in KINDS:
        raise Refused(f"invalid config entry kind: {kind}")
    return kind


def from_json(raw: dict[str, Any]) -> ConfigEntry:
    """An entry from a request's decoded body. Raises BadRequest for what cannot be read, Refused for the rest."""
    raw = {key: value for key, value in raw.items() if key.lower().replace("_", "") not in _INDEXES}
    kind = raw.pop("Kind", None) or raw.pop("kind", None)
    raw.pop("kind", None)
    name = raw.pop("Name", None) or raw.pop("name", None) or ""
    raw.pop("name", None)
    if kind is None:
        raise BadRequest(
            "Bad request: Request decoding failed: Payload does not contain a kind/Kind key at the top level"
        )
    if not isinstance(kind, str) or not isinstance(name, str):
        raise BadRequest("Bad request: Request decoding failed: Kind and Name must be strings")
    if kind not in KINDS:
        raise BadRequest(f"Bad request: Request decoding failed: invalid config entry kind: {kind}")
    name = _checked_name(kind, name)
    body = encode({"Kind": kind, **({} if kind == MESH else {"Name": name}), **_content(kind, name, raw)})
    return ConfigEntry(kind=kind, name=name, body=body)


def put(tx: Tx, entry: ConfigEntry, index: int | None = None) -> bool:
    """Writes an entry if it differs, with an index only if it was last changed then. False when it was not."""
    table = tx.state.config_entries
    old = tx.get(table, entry.kind, entry.name)
    if index is not None and (old.modify_index if old is not None else 0) != index:
        return False
    if old is None or old.body != entry.body:
        tx.put(table, entry, entry.kind, entry.name)
    return True


def delete(tx: Tx, kind: str, name: str, index: int | None = None) -> bool:
    """Deletes an entry, with an index only if it was last changed then. One that is not there is no error."""
    table = tx.state.config_entries
    old = tx.get(table, kind, name)
    if index is not None and (old is None or old.modify_index != index):
        return False
    tx.delete(table, kind, name)
    return True


def _checked_name(kind: str, name: str) -> str:
    if kind == MESH:
        return MESH
    if kind == PROXY_DEFAULTS:
        return GLOBAL
    if not name:
        raise Refused("Name is required")
    if "\0" in name:
        raise Refused("Name holds a NUL character")
    if name == "*" and kind != "service-intentions":
        raise Refused(f"{kind} name must be the name of a service, and not a wildcard")
    return name


def _content(kind: str, name: str, raw: dict[str, Any]) -> dict[str, Any]:
    """What an entry says beside its kind and name."""
    if kind == INGRESS_GATEWAY:
        return _fields(_ingress(_read(raw, IngressGateway)))
    if kind == TERMINATING_GATEWAY:
        return _fields(_terminating(_read(raw, TerminatingGateway)))
    return raw


def _read(raw: dict[str, Any], kind: type[T]) -> T:
    try:
        return convert(raw, kind)
    except BadRequest as error:
        reason = str(error).removeprefix("Request decode failed: ")
        raise BadRequest(f"Bad request: Request decoding failed: {reason}") from None


def _fields(entry: msgspec.Struct) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(entry)
    return {key: value for key, value in fields.items() if key not in ("Kind", "Name")}


def _ingress(entry: IngressGateway) -> IngressGateway:
    """An ingress gateway with its protocols spelled out. Raises Refused for listeners that cannot be."""
    ports: set[int] = set()
    listeners = []
    for listener in entry.listeners:
        protocol = listener.protocol.lower() or "tcp"
        if listener.port in ports:
            raise Refused(f"port {listener.port} declared on two listeners")
        ports.add(listener.port)
        if protocol not in _PROTOCOLS:
            raise Refused(
                f"protocol must be 'tcp', 'http', 'http2', or 'grpc'. '{protocol}' is an unsupported protocol"
            )
        if not listener.services:
            raise Refused(f"No service declared for listener with port {listener.port}")
        if protocol == "tcp" and len(listener.services) > 1:
            raise Refused(
                "Multiple services per listener are only supported for protocol = 'http' "
                f"(listener on port {listener.port})"
            )
        for service in listener.services:
            if not service.name:
                raise Refused(f"Service name cannot be blank (listener on port {listener.port})")
            if service.name == "*" and protocol != "http":
                raise Refused(
                    f"Wildcard service name is only valid for protocol = 'http' (listener on port {listener.port})"
                )
        listeners.append(msgspec.structs.replace(listener, protocol=protocol))
    return msgspec.structs.replace(entry, listeners=listeners)


def _terminating(entry: TerminatingGateway) -> TerminatingGateway:
    """A terminating gateway. Raises Refused for services that cannot be."""
    seen: set[str] = set()
    for service in entry.services:
        if not service.name:
            raise Refused("Service name cannot be blank.")
        if service.name in seen:
            raise Refused(f'Service "{service.name}" was specified more than once within a namespace')
        seen.add(service.name)
        given = [bool(service.ca_file), bool(service.cert_file), bool(service.key_file)]
        if (given[1] or given[2]) and not all(given):
            raise Refused(
                f'Service "{service.name}" must have a CertFile, CAFile, and KeyFile specified for TLS origination'
            )
    return entry
