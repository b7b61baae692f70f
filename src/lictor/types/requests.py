"""Bodies of the catalog's write endpoints."""

from __future__ import annotations

from lictor.types.catalog import Check, Service
from lictor.types.gojson import Wire


class RegisterRequest(Wire, frozen=True, kw_only=True):
    """The body of /v1/catalog/register."""

    id: str = ""
    node: str = ""
    address: str = ""
    datacenter: str = ""
    tagged_addresses: dict[str, str] | None = None
    node_meta: dict[str, str] | None = None
    service: Service | None = None
    check: Check | None = None
    checks: list[Check] | None = None
    skip_node_update: bool = False
    namespace: str = ""


class DeregisterRequest(Wire, frozen=True, kw_only=True):
    """The body of /v1/catalog/deregister."""

    node: str = ""
    service_id: str = ""
    check_id: str = ""
    datacenter: str = ""
    namespace: str = ""
