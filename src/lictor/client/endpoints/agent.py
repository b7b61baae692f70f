"""/v1/agent: the agent itself, its members, and the services and checks registered with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from lictor.client.group import Group, M, Read, Scope, call, doing, fetching, flags, given
from lictor.client.options import read_params
from lictor.client.request import Answer, Request, answer, part, text_of, value_of

if TYPE_CHECKING:
    from lictor.client.shapes import AgentService, HealthCheck, Member


class Agent(Group[M]):
    """The agent that is talked to."""

    @call
    def self(self, **options: Unpack[Scope]) -> Request[dict[str, Any]]:
        """Its configuration, coordinates, statistics and member entry."""
        return fetching("/v1/agent/self", options)

    @call
    def host(self, **options: Unpack[Scope]) -> Request[dict[str, Any]]:
        """The machine it runs on."""
        return fetching("/v1/agent/host", options)

    @call
    def version(self, **options: Unpack[Scope]) -> Request[dict[str, Any]]:
        """Its version."""
        return fetching("/v1/agent/version", options)

    @call
    def metrics(self, **options: Unpack[Scope]) -> Request[dict[str, Any]]:
        """Its metrics of the last interval."""
        return fetching("/v1/agent/metrics", options)

    @call
    def metrics_prometheus(self, **options: Unpack[Scope]) -> Request[str]:
        """Its metrics in the Prometheus text format."""
        return fetching("/v1/agent/metrics", options, ("format", "prometheus"))._replace(parse=text_of)

    @call
    def members(self, *, wan: bool = False, segment: str = "", **options: Unpack[Scope]) -> Request[list[Member]]:
        """The members that it knows; with `wan` the servers of all datacenters."""
        return fetching("/v1/agent/members", options, *flags(wan=wan), *given(segment=segment))

    @call
    def services(self, *, filter: str = "", **options: Unpack[Scope]) -> Request[dict[str, AgentService]]:
        """The services registered with it, by id."""
        return fetching("/v1/agent/services", options, *given(filter=filter))

    @call
    def service(self, id: str, **options: Unpack[Read]) -> Request[Answer[AgentService]]:
        """One service registered with it. Blocks on the content hash."""
        return Request(
            "GET",
            f"/v1/agent/service/{part(id)}",
            answer(value_of),
            read_params(options),
            token=options.get("token"),
            blocks="hash",
        )

    @call
    def checks(self, *, filter: str = "", **options: Unpack[Scope]) -> Request[dict[str, HealthCheck]]:
        """The checks registered with it, by id."""
        return fetching("/v1/agent/checks", options, *given(filter=filter))

    @call
    def register_service(
        self, definition: Mapping[str, Any], *, replace_existing_checks: bool = False, **options: Unpack[Scope]
    ) -> Request[None]:
        """Registers a service (`Name`, `ID`, `Port`, `Tags`, `Check`, ...) or writes over the one with that id."""
        params = flags(replace_existing_checks=replace_existing_checks)
        return doing("PUT", "/v1/agent/service/register", options, *params, body=definition)

    @call
    def deregister_service(self, id: str, **options: Unpack[Scope]) -> Request[None]:
        """Removes a service with its checks."""
        return doing("PUT", f"/v1/agent/service/deregister/{part(id)}", options)

    @call
    def register_check(self, definition: Mapping[str, Any], **options: Unpack[Scope]) -> Request[None]:
        """Registers a check (`Name`, `CheckID`, `ServiceID`, `TTL` or `HTTP` or ..., `Interval`)."""
        return doing("PUT", "/v1/agent/check/register", options, body=definition)

    @call
    def deregister_check(self, id: str, **options: Unpack[Scope]) -> Request[None]:
        """Removes a check."""
        return doing("PUT", f"/v1/agent/check/deregister/{part(id)}", options)

    @call
    def update_check(self, id: str, status: str, output: str = "", **options: Unpack[Scope]) -> Request[None]:
        """Reports a TTL check as passing, warning or critical."""
        return doing("PUT", f"/v1/agent/check/update/{part(id)}", options, body={"Status": status, "Output": output})

    @call
    def health_of_service(self, name: str, **options: Unpack[Scope]) -> Request[list[dict[str, Any]]]:
        """The local instances of a service with their aggregated status; empty where there is none."""
        request = fetching(f"/v1/agent/health/service/name/{part(name)}", options)
        # The status line repeats the health: 429 warning, 503 critical, 404 unknown.
        return request._replace(absent=(404, 429, 503), parse=lambda r: [] if r.status == 404 else value_of(r))

    @call
    def maintenance(self, enable: bool, reason: str = "", **options: Unpack[Scope]) -> Request[None]:
        """Puts the node into maintenance mode or takes it out."""
        params = (("enable", str(enable).lower()), *given(reason=reason))
        return doing("PUT", "/v1/agent/maintenance", options, *params)

    @call
    def service_maintenance(self, id: str, enable: bool, reason: str = "", **options: Unpack[Scope]) -> Request[None]:
        """Puts a service into maintenance mode or takes it out."""
        params = (("enable", str(enable).lower()), *given(reason=reason))
        return doing("PUT", f"/v1/agent/service/maintenance/{part(id)}", options, *params)

    @call
    def join(self, address: str, *, wan: bool = False, **options: Unpack[Scope]) -> Request[None]:
        """Tells it to join a cluster through one of its members."""
        return doing("PUT", f"/v1/agent/join/{part(address)}", options, *(given(wan=1) if wan else ()))

    @call
    def leave(self, **options: Unpack[Scope]) -> Request[None]:
        """Tells it to leave its cluster and stop."""
        return doing("PUT", "/v1/agent/leave", options)

    @call
    def force_leave(
        self, node: str, *, prune: bool = False, wan: bool = False, **options: Unpack[Scope]
    ) -> Request[None]:
        """Declares a failed member gone; with `prune` it is forgotten."""
        params = (*(given(prune=1) if prune else ()), *(given(wan=1) if wan else ()))
        return doing("PUT", f"/v1/agent/force-leave/{part(node)}", options, *params)

    @call
    def reload(self, **options: Unpack[Scope]) -> Request[None]:
        """Tells it to read its configuration again."""
        return doing("PUT", "/v1/agent/reload", options)

    @call
    def set_token(self, kind: str, secret: str, **options: Unpack[Scope]) -> Request[None]:
        """Sets one of its tokens: default, agent, agent_master or replication."""
        return doing("PUT", f"/v1/agent/token/{part(kind)}", options, body={"Token": secret})

    @call
    def monitor(self, *, log_level: str = "info", log_json: bool = False, **options: Unpack[Scope]) -> Request[str]:
        """Its log as a stream of lines: to be given to a client's `stream`."""
        request = fetching("/v1/agent/monitor", options, *given(loglevel=log_level))
        if log_json:
            request = request.asking(logjson="true")
        return request._replace(parse=text_of, streams=True)
