"""The shapes of what the API answers, under the API's own names. For type checkers and readers; nothing checks them.

Every key that the API may leave out can be missing. Indexes count changes; binary values are base64 text except in
`Pair`, which is decoded.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypedDict


class Pair(NamedTuple):
    """One key with its value. `session` is "" while nobody holds the key; `lock_index` counts its acquisitions."""

    key: str
    value: bytes
    flags: int = 0
    session: str = ""
    lock_index: int = 0
    create_index: int = 0
    modify_index: int = 0


class Node(TypedDict, total=False):
    ID: str
    Node: str
    Address: str
    Datacenter: str
    TaggedAddresses: dict[str, str] | None
    Meta: dict[str, str] | None
    CreateIndex: int
    ModifyIndex: int


class AgentService(TypedDict, total=False):
    Kind: str
    ID: str
    Service: str
    Tags: list[str] | None
    Meta: dict[str, str] | None
    Port: int
    Address: str
    TaggedAddresses: dict[str, Any]
    Weights: dict[str, int]
    EnableTagOverride: bool
    Proxy: dict[str, Any]
    Connect: dict[str, Any]
    ContentHash: str
    CreateIndex: int
    ModifyIndex: int


class HealthCheck(TypedDict, total=False):
    Node: str
    CheckID: str
    Name: str
    Status: str
    Notes: str
    Output: str
    ServiceID: str
    ServiceName: str
    ServiceTags: list[str] | None
    Type: str
    Definition: dict[str, Any]
    CreateIndex: int
    ModifyIndex: int


class ServiceEntry(TypedDict, total=False):
    """One instance of a service, with its node and the checks of both."""

    Node: Node
    Service: AgentService
    Checks: list[HealthCheck]


class CatalogService(TypedDict, total=False):
    ID: str
    Node: str
    Address: str
    Datacenter: str
    TaggedAddresses: dict[str, str] | None
    NodeMeta: dict[str, str] | None
    ServiceKind: str
    ServiceID: str
    ServiceName: str
    ServiceTags: list[str] | None
    ServiceAddress: str
    ServiceTaggedAddresses: dict[str, Any]
    ServiceWeights: dict[str, int]
    ServiceMeta: dict[str, str] | None
    ServicePort: int
    ServiceEnableTagOverride: bool
    CreateIndex: int
    ModifyIndex: int


class Session(TypedDict, total=False):
    ID: str
    Name: str
    Node: str
    NodeChecks: list[str] | None
    ServiceChecks: list[dict[str, str]] | None
    LockDelay: int
    Behavior: str
    TTL: str
    CreateIndex: int
    ModifyIndex: int


class Member(TypedDict, total=False):
    """A member of the cluster. `Status` is a number: 1 alive, 2 leaving, 3 left, 4 failed."""

    Name: str
    Addr: str
    Port: int
    Tags: dict[str, str]
    Status: int


class UserEvent(TypedDict, total=False):
    ID: str
    Name: str
    Payload: str | None
    NodeFilter: str
    ServiceFilter: str
    TagFilter: str
    Version: int
    LTime: int
