"""All the families of endpoints together, in whichever mode. Base of the clients, and of `plan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from lictor.client.endpoints.acl import Acl
from lictor.client.endpoints.agent import Agent
from lictor.client.endpoints.catalog import Catalog
from lictor.client.endpoints.connect import Connect
from lictor.client.endpoints.coordinate import Coordinates
from lictor.client.endpoints.event import Events
from lictor.client.endpoints.health import Health
from lictor.client.endpoints.kv import KV
from lictor.client.endpoints.operator import Operator
from lictor.client.endpoints.query import Queries
from lictor.client.endpoints.session import Sessions
from lictor.client.endpoints.snapshot import Snapshots
from lictor.client.endpoints.status import Status
from lictor.client.endpoints.txn import Txn
from lictor.client.group import M, Plan
from lictor.client.request import Request


class Resources(Generic[M]):
    """Everything that can be asked of an agent."""

    def __init__(self, deliver: Callable[[Request[Any]], Any]) -> None:
        self.acl: Acl[M] = Acl(deliver)
        self.agent: Agent[M] = Agent(deliver)
        self.catalog: Catalog[M] = Catalog(deliver)
        self.connect: Connect[M] = Connect(deliver)
        self.coordinate: Coordinates[M] = Coordinates(deliver)
        self.event: Events[M] = Events(deliver)
        self.health: Health[M] = Health(deliver)
        self.kv: KV[M] = KV(deliver)
        self.operator: Operator[M] = Operator(deliver)
        self.query: Queries[M] = Queries(deliver)
        self.session: Sessions[M] = Sessions(deliver)
        self.snapshot: Snapshots[M] = Snapshots(deliver)
        self.status: Status[M] = Status(deliver)
        self.txn: Txn[M] = Txn(deliver)


plan: Resources[Plan] = Resources(lambda request: request)
"""Requests that are not sent yet, for `watch` and `stream`: `plan.health.service("web", passing=True)`."""
