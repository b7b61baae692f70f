"""`connect { sidecar_service { ... } }`: the proxy that a service's definition brings along. Pure.

Source: conformance, connect-sidecar.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from lictor.errors import BadRequest
from lictor.types.catalog import CONNECT_PROXY, Proxy
from lictor.types.definitions import CheckSpec, ServiceSpec
from lictor.types.duration import Duration

SUFFIX = "-sidecar-proxy"
CHECK_SECONDS = 10.0


def sidecar_id(service_id: str) -> str:
    """The ID of a service's sidecar."""
    return service_id + SUFFIX


def sidecar_spec(parent: ServiceSpec, port: int) -> ServiceSpec | None:
    """The definition of a valid service's sidecar, complete; None when it has none. `port` is for one without."""
    given = parent.connect.sidecar_service if parent.connect else None
    if given is None:
        return None
    parent_id = parent.id or parent.name
    port = given.port or port
    proxy = _proxy(given.proxy or Proxy(), parent, parent_id)
    own_checks = bool(given.checks) or (given.check is not None and given.check != CheckSpec())
    return msgspec.structs.replace(
        given,
        kind=CONNECT_PROXY,
        id=sidecar_id(parent_id),
        name=given.name or parent.name + SUFFIX,
        tags=given.tags or parent.tags,
        meta=given.meta or parent.meta,
        address=given.address or parent.address,
        port=port,
        proxy=proxy,
        token=given.token or parent.token,
        checks=given.checks if own_checks else _default_checks(parent_id, proxy.local_service_address, port),
    )


def free_port(taken: Collection[int], lowest: int, highest: int) -> int:
    """The lowest port of a range (ends included) that is not taken. Raises BadRequest when there is none."""
    for port in range(lowest, highest + 1) if lowest > 0 else ():
        if port not in taken:
            return port
    raise BadRequest(
        "Invalid SidecarService: no port provided for sidecar_service and none left in the configured range "
        f"[{lowest}, {highest}]"
    )


def _proxy(given: Proxy, parent: ServiceSpec, parent_id: str) -> Proxy:
    """The proxy's settings with what follows from the service; a service on a socket is reached there."""
    address, port, path = given.local_service_address, given.local_service_port, given.local_service_socket_path
    if not path and not (address and port):
        if parent.socket_path:
            path = parent.socket_path
        else:
            address, port = address or "127.0.0.1", port or parent.port
    return msgspec.structs.replace(
        given,
        destination_service_name=given.destination_service_name or parent.name,
        destination_service_id=given.destination_service_id or parent_id,
        local_service_address=address,
        local_service_port=port,
        local_service_socket_path=path,
    )


def _default_checks(parent_id: str, host: str, port: int) -> list[CheckSpec]:
    target = f"[{host}]:{port}" if ":" in host else f"{host or '127.0.0.1'}:{port}"
    return [
        CheckSpec(name="Connect Sidecar Listening", tcp=target, interval=Duration.of(CHECK_SECONDS)),
        CheckSpec(name=f"Connect Sidecar Aliasing {parent_id}", alias_service=parent_id),
    ]
