"""/v1/health: checks, and the instances of services by their health."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

from lictor.client.group import Group, M, Read, call, flags, reading
from lictor.client.request import Answer, Params, Request, part, value_of

if TYPE_CHECKING:
    from lictor.client.shapes import HealthCheck, ServiceEntry


def _instances(tags: Iterable[str], passing: bool) -> Params:
    return (*(("tag", tag) for tag in tags), *flags(passing=passing))


class Health(Group[M]):
    """The health of nodes and services."""

    @call
    def node(self, name: str, **options: Unpack[Read]) -> Request[Answer[list[HealthCheck]]]:
        """The checks of a node and of what runs on it."""
        return reading(f"/v1/health/node/{part(name)}", value_of, options)

    @call
    def checks(self, service: str, **options: Unpack[Read]) -> Request[Answer[list[HealthCheck]]]:
        """The checks of a service's instances."""
        return reading(f"/v1/health/checks/{part(service)}", value_of, options)

    @call
    def state(self, state: str = "any", **options: Unpack[Read]) -> Request[Answer[list[HealthCheck]]]:
        """The checks in a state: any, passing, warning or critical."""
        return reading(f"/v1/health/state/{part(state)}", value_of, options)

    @call
    def service(
        self, name: str, *, tags: Iterable[str] = (), passing: bool = False, **options: Unpack[Read]
    ) -> Request[Answer[list[ServiceEntry]]]:
        """The instances of a service that carry all of `tags`; with `passing` only the healthy ones."""
        return reading(f"/v1/health/service/{part(name)}", value_of, options, *_instances(tags, passing))

    @call
    def connect(
        self, name: str, *, tags: Iterable[str] = (), passing: bool = False, **options: Unpack[Read]
    ) -> Request[Answer[list[ServiceEntry]]]:
        """The mesh-capable instances of a service."""
        return reading(f"/v1/health/connect/{part(name)}", value_of, options, *_instances(tags, passing))

    @call
    def ingress(
        self, name: str, *, tags: Iterable[str] = (), passing: bool = False, **options: Unpack[Read]
    ) -> Request[Answer[list[ServiceEntry]]]:
        """The ingress gateways that expose a service."""
        return reading(f"/v1/health/ingress/{part(name)}", value_of, options, *_instances(tags, passing))
