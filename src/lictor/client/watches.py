"""The named kinds of watches, as `watch` commands and an agent's `watches` describe them, as requests.

The values that handlers get are the API's, with the fields filled in that the reference's own watch writes although the
API leaves them out. Source: the reference's documentation of watches and its `watch` command's output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lictor.client.endpoints.event import event_index
from lictor.client.options import Read
from lictor.client.request import Answer, Request, Response, answer, value_of
from lictor.client.resources import plan
from lictor.errors import ConfigError


class _Kind(NamedTuple):
    """One kind: the parameters that it must and may have, the question, and how to shape the answer."""

    needs: tuple[str, ...]
    takes: tuple[str, ...]
    ask: Callable[[Mapping[str, Any], Read], Request[Any]]
    shape: Callable[[Any], Any]


def watch(parameters: Mapping[str, Any]) -> Request[Answer[Any]]:
    """The request for a watch with these parameters: `type` and what that takes, `datacenter`, `stale` and `token`.

    Raises ConfigError naming the parameter that is missing, unknown or of the wrong form.
    """
    name = parameters.get("type")
    if not name:
        raise ConfigError("Watch type must be specified")
    kind = _KINDS.get(str(name))
    if kind is None:
        raise ConfigError(f"Unsupported watch type: {name} (known: {', '.join(sorted(_KINDS))})")
    given = {key: value for key, value in parameters.items() if key != "type" and value not in (None, "", [])}
    for key in kind.needs:
        if not isinstance(given.get(key), str):
            raise ConfigError(f"Must specify a single {key} to watch")
    unknown = sorted(given.keys() - {*kind.needs, *kind.takes, "datacenter", "stale", "token"})
    if unknown:
        raise ConfigError(f"Invalid parameters: {unknown}: not for watches of type {name}")
    options: Read = {}
    if "datacenter" in given:
        options["datacenter"] = str(given["datacenter"])
    if given.get("stale"):
        options["stale"] = True
    if "token" in given:
        options["token"] = str(given["token"])
    return kind.ask(given, options)._replace(parse=answer(_shaped(kind.shape)))


def new_events(events: list[dict[str, Any]], since: int) -> list[dict[str, Any]]:
    """The events after the one that `since` stands for (an earlier answer's index); all where it is not among them."""
    for number, event in enumerate(events):
        if event_index(event["ID"]) == since:
            return events[number + 1 :]
    return events


def _shaped(shape: Callable[[Any], Any]) -> Callable[[Response], Any]:
    return lambda response: shape(None if response.status == 404 else value_of(response))


def _ask_service(given: Mapping[str, Any], options: Read) -> Request[Any]:
    tags = given.get("tag", ())
    tags = (tags,) if isinstance(tags, str) else tuple(tags)
    passing = given.get("passingonly") in (True, "true")
    if "filter" in given:
        options["filter"] = str(given["filter"])
    return plan.health.service(given["service"], tags=tags, passing=passing, **options)


def _ask_checks(given: Mapping[str, Any], options: Read) -> Request[Any]:
    if "service" in given and "state" in given:
        raise ConfigError("Cannot specify service and state")
    if "filter" in given:
        options["filter"] = str(given["filter"])
    if "service" in given:
        return plan.health.checks(given["service"], **options)
    return plan.health.state(given.get("state", "any"), **options)


def _ask_nodes(given: Mapping[str, Any], options: Read) -> Request[Any]:
    if "filter" in given:
        options["filter"] = str(given["filter"])
    return plan.catalog.nodes(**options)


def _same(value: Any) -> Any:
    return value


def _pair(entries: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    return {"Session": "", **entries[0]} if entries else None


def _pairs(entries: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    return [{"Session": "", **entry} for entry in entries] if entries else None


_DEFINITION: dict[str, Any] = {
    "HTTP": "",
    "Header": None,
    "Method": "",
    "Body": "",
    "TLSServerName": "",
    "TLSSkipVerify": False,
    "TCP": "",
    "GRPC": "",
    "GRPCUseTLS": False,
    "Interval": "0s",
    "Timeout": "0s",
    "DeregisterCriticalServiceAfter": "0s",
}


def _checks(checks: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [{**check, "Definition": {**_DEFINITION, **(check.get("Definition") or {})}} for check in checks or ()]


def _entries(entries: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [{**entry, "Checks": _checks(entry.get("Checks"))} for entry in entries or ()]


_KINDS: dict[str, _Kind] = {
    "key": _Kind(("key",), (), lambda given, options: plan.kv.get(given["key"], **options), _pair),
    "keyprefix": _Kind(("prefix",), (), lambda given, options: plan.kv.list(given["prefix"], **options), _pairs),
    "services": _Kind((), (), lambda given, options: plan.catalog.services(**options), _same),
    "nodes": _Kind((), ("filter",), _ask_nodes, _same),
    "service": _Kind(("service",), ("tag", "passingonly", "filter"), _ask_service, _entries),
    "checks": _Kind((), ("service", "state", "filter"), _ask_checks, _checks),
    "event": _Kind((), ("name",), lambda given, options: plan.event.list(given.get("name", ""), **options), _same),
    "connect_roots": _Kind((), (), lambda given, options: plan.connect.ca_roots(**options), _same),
    "connect_leaf": _Kind(
        ("service",), (), lambda given, options: plan.connect.ca_leaf(given["service"], **options), _same
    ),
    "agent_service": _Kind(
        ("service_id",), (), lambda given, options: plan.agent.service(given["service_id"], **options), _same
    ),
}
