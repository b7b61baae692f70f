"""Adding and removing rows with all that goes with one: its file, its runs, its aliases. Definitions are valid here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from lictor.agent.checks import CheckScheduler
from lictor.agent.local.files import DefinitionFiles, KeptCheck, KeptService
from lictor.agent.local.records import service_check_records
from lictor.agent.local.rows import CheckRow, Rows, ServiceRow
from lictor.agent.local.settings import LocalSettings, Source
from lictor.agent.local.sidecar import sidecar_id
from lictor.agent.local.statuses import Statuses
from lictor.types.catalog import CRITICAL
from lictor.types.definitions import CheckSpec


class Registry:
    """Changes `rows`. `touched` is called with a service's ID whenever its definition changed or it is gone."""

    def __init__(
        self,
        rows: Rows,
        settings: LocalSettings,
        scheduler: CheckScheduler,
        statuses: Statuses,
        files: DefinitionFiles | None,
        touched: Callable[[str], None],
    ) -> None:
        self._rows, self.settings, self._scheduler, self._statuses = rows, settings, scheduler, statuses
        self._files, self._touched = files, touched

    def put_service(self, row: ServiceRow, specs: Sequence[CheckSpec], replace_checks: bool) -> None:
        """Adds or replaces a service and its checks; `replace_checks` ends those that are not named."""
        service, old = row.service, self._rows.services.get(row.service.id)
        same = old is not None and (old.service, old.token) == (service, row.token)
        if same and row.source is Source.CONFIG:
            self._rows.services[service.id] = row
        else:
            self._rows.put_service(row)
        if self._files is not None:
            if row.source is Source.API:
                self._files.keep_service(KeptService(service=service, token=row.token, sidecar_of=row.sidecar_of))
            elif old is not None and old.source is Source.API:
                self._files.drop_service(service.id)
        records = service_check_records(self.settings.node_name, service, specs)
        for record, spec in zip(records, specs, strict=True):
            self.put_check(CheckRow(record, spec, row.token, row.source, with_service=True))
        if replace_checks:
            self._drop_unnamed(service.id, {record.check_id for record in records}, row.source)
        self._statuses.follow(service.id)
        self._touched(service.id)

    def drop_service(self, row: ServiceRow) -> None:
        """Removes a service with its checks and the sidecar that came with it."""
        service_id = row.service.id
        for check in self._rows.checks_of(service_id):
            self.drop_check(check)
        self._rows.drop_service(service_id)
        if self._files is not None and row.source is Source.API:
            self._files.drop_service(service_id)
        self._statuses.follow(service_id)
        self._touched(service_id)
        sidecar = self._rows.services.get(sidecar_id(service_id))
        if sidecar is not None and sidecar.sidecar_of == service_id:
            self.drop_service(sidecar)

    def put_check(self, row: CheckRow, kept: bool = False) -> None:
        """Adds or replaces a check, which keeps the status it had. `kept`: its file is there already."""
        check_id, old = row.check.check_id, self._rows.checks.get(row.check.check_id)
        if old is not None:
            row.check = msgspec.structs.replace(row.check, status=old.check.status, output=old.check.output)
            row.critical_since = old.critical_since
            if row.source is Source.CONFIG and _same(row, old):
                return
            self._statuses.end_alias(old)
        row.reap_after = self._reap_after(row.spec)
        self._rows.put_check(row)
        self._watch(row, old)
        if self._files is not None and not kept:
            if row.source is Source.API:
                self._files.keep_check(KeptCheck(check=row.check, spec=row.spec, token=row.token))
            elif old is not None and old.source is Source.API:
                self._files.drop_check(check_id)
        self._statuses.follow(row.check.service_id)

    def drop_check(self, row: CheckRow) -> None:
        """Removes a check. Whoever follows its service is the caller's to tell."""
        check_id = row.check.check_id
        self._rows.drop_check(check_id)
        self._scheduler.stop(check_id)
        self._statuses.end_alias(row)
        if self._files is not None and row.source is Source.API:
            self._files.drop_check(check_id)

    def restore_service(self, kept: KeptService) -> None:
        """A service that was kept on disk. Its checks are restored one by one."""
        self._rows.put_service(ServiceRow(kept.service, kept.token, Source.API, kept.sidecar_of))

    def restore_check(self, kept: KeptCheck) -> None:
        """A check that was kept on disk: critical until it is heard of."""
        check = msgspec.structs.replace(kept.check, node=self.settings.node_name, status=CRITICAL, output="")
        self.put_check(CheckRow(check, kept.spec, kept.token, Source.API), kept=True)

    def _drop_unnamed(self, service_id: str, named: set[str], source: Source) -> None:
        """Ends the checks of a service that its definition does not name.

        Maintenance is no part of a definition; a configuration file speaks only of the checks it brings along.
        """
        for row in self._rows.checks_of(service_id):
            own = source is Source.API or (row.source is Source.CONFIG and row.with_service)
            if row.spec is not None and own and row.check.check_id not in named:
                self.drop_check(row)

    def _watch(self, row: CheckRow, old: CheckRow | None) -> None:
        """Has a check run from now on. One that is defined as before goes on undisturbed; a TTL begins anew."""
        spec, check_id = row.spec, row.check.check_id
        if spec is None or spec.kind == "alias":
            self._scheduler.stop(check_id)
            if spec is not None:
                self._statuses.begin_alias(row)
        elif old is None or old.spec != spec or spec.ttl:
            self._scheduler.start(check_id, spec)

    def _reap_after(self, spec: CheckSpec | None) -> float:
        asked = spec.deregister_critical_service_after if spec else None
        if not asked or asked.ns <= 0:
            return 0.0
        return max(asked.seconds, self.settings.check_deregister_interval_min)


def _same(new: CheckRow, old: CheckRow) -> bool:
    """Whether a check is defined as before, so that nothing has to be done."""
    if new.with_service != old.with_service:
        return False
    return (new.check, new.spec, new.token, new.source) == (old.check, old.spec, old.token, old.source)
