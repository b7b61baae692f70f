"""Definitions that are there before anybody asks: the configuration's, at start and at every reload, and those on disk.

The configuration wins over what the API registered under the same ID, as in the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lictor.agent.local.files import Kept, KeptCheck, KeptState
from lictor.agent.local.settings import Source
from lictor.agent.local.sidecar import sidecar_id
from lictor.agent.local.validation import validate_check, validate_script, validate_service
from lictor.errors import ConfigError, LictorError
from lictor.types.definitions import CheckSpec, ServiceSpec

if TYPE_CHECKING:
    from lictor.agent.local.state import LocalState


def load(state: LocalState, services: Sequence[ServiceSpec], checks: Sequence[CheckSpec]) -> list[str]:
    """Registers the configuration's definitions, then those kept on disk. Returns what could not be restored."""
    kept = state.files.read() if state.files is not None else Kept([], [], {}, [])
    _validate(state, services, checks, {service.service.id for service in kept.services})
    notes = list(kept.problems)
    _register_services(state, services)
    for service in kept.services:
        service_id = service.service.id
        if service_id not in state.rows.services:
            state.registry.restore_service(service)
        elif state.files is not None:
            notes.append(_overruled("service", service_id))
            state.files.drop_service(service_id)
    for check in kept.checks:
        if note := _restore_check(state, check):
            notes.append(note)
    notes += _register_checks(state, checks)
    _restore_states(state, kept.states.values())
    return notes


def reload(state: LocalState, services: Sequence[ServiceSpec], checks: Sequence[CheckSpec]) -> list[str]:
    """Replaces what came from the configuration. Returns notes; raises ConfigError, and nothing is changed."""
    kept = {service_id for service_id, row in state.rows.services.items() if row.source is Source.API}
    _validate(state, services, checks, kept)
    wanted = {spec.id or spec.name for spec in services}
    wanted |= {sidecar_id(spec.id or spec.name) for spec in services if spec.connect and spec.connect.sidecar_service}
    for service_id, service in list(state.rows.services.items()):
        if service.source is Source.CONFIG and service_id not in wanted:
            state.deregister_service(service_id)
    notes = [_overruled("service", service_id) for service_id in sorted(wanted & kept)]
    _register_services(state, services)
    notes += _register_checks(state, checks)
    alone = {_check_id(spec) for spec in checks}
    for check_id, check in list(state.rows.checks.items()):
        if check.source is Source.CONFIG and not check.with_service and check_id not in alone:
            state.deregister_check(check_id)
    return notes


def _validate(state: LocalState, services: Sequence[ServiceSpec], checks: Sequence[CheckSpec], kept: set[str]) -> None:
    """Raises ConfigError for the first definition that cannot be, before any is registered."""
    known = kept | {spec.id or spec.name for spec in services}
    for service in services:
        try:
            validate_service(service, state.settings, Source.CONFIG)
        except LictorError as error:
            raise _cannot("service", service.id or service.name, error) from None
    for check in checks:
        try:
            validate_check(check, state.settings, Source.CONFIG)
        except LictorError as error:
            raise _cannot("check", _check_id(check), error) from None
        if check.service_id and check.service_id not in known:
            raise _cannot("check", _check_id(check), f'ServiceID "{check.service_id}" does not exist')


def _register_services(state: LocalState, services: Sequence[ServiceSpec]) -> None:
    for spec in services:
        try:
            state.register_service(spec, source=Source.CONFIG, replace_checks=True)
        except LictorError as error:  # no port is left for a sidecar
            raise _cannot("service", spec.id or spec.name, error) from None


def _register_checks(state: LocalState, checks: Sequence[CheckSpec]) -> list[str]:
    notes = []
    for spec in checks:
        row = state.rows.checks.get(_check_id(spec))
        if row is not None and row.source is Source.API:
            notes.append(_overruled("check", _check_id(spec)))
        state.register_check(spec, source=Source.CONFIG)
    return notes


def _restore_check(state: LocalState, kept: KeptCheck) -> str:
    """Restores a check from disk, unless its service is gone or it is not allowed any more: then why."""
    check_id, service_id = kept.check.check_id, kept.check.service_id
    note = ""
    if check_id in state.rows.checks:
        note = _overruled("check", check_id)
    elif service_id and service_id not in state.rows.services:
        note = f'the kept check "{check_id}" is dropped: its service "{service_id}" is gone'
    if note:
        if state.files is not None:
            state.files.drop_check(check_id)
        return note
    try:
        if kept.spec is not None:
            validate_script(kept.spec, state.settings, Source.API)
    except LictorError as error:
        return f'the kept check "{check_id}" is not restored: {error}'
    state.registry.restore_check(kept)
    return ""


def _restore_states(state: LocalState, states: Iterable[KeptState]) -> None:
    """What TTL checks last said, while that holds."""
    for said in states:
        row = state.rows.checks.get(said.check_id)
        if row is None or row.spec is None or not row.spec.ttl or said.expires <= state.clock.time():
            if state.files is not None:
                state.files.drop_state(said.check_id)
        else:
            state.statuses.update(said.check_id, said.status, said.output)


def _overruled(what: str, name: str) -> str:
    return f'the configuration\'s {what} "{name}" replaces the one registered through the API'


def _cannot(what: str, name: str, why: object) -> ConfigError:
    return ConfigError(f'Failed to register {what} "{name}": {why}')


def _check_id(spec: CheckSpec) -> str:
    return spec.id or spec.check_id or spec.name
