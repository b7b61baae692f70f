from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lictor.agent.local.plan import (
    DeregisterCheck,
    DeregisterService,
    Operation,
    Register,
    compare,
    operations,
    plan,
    told,
    untold,
)
from lictor.agent.local.rows import CheckRow, Rows, ServiceRow
from lictor.types.catalog import Check, Node, Service
from tests.agent.local.helpers import NODE

NOW = 1000.0
SERVICE_IDS, CHECK_IDS = ["a", "b", "c", "consul"], ["x", "y", "z", "serfHealth"]
TAGS = st.lists(st.sampled_from(["t1", "t2"]), max_size=2)

services = st.builds(
    Service,
    id=st.sampled_from(SERVICE_IDS),
    service=st.sampled_from(["web", "db"]),
    tags=TAGS,
    port=st.integers(1, 2),
    enable_tag_override=st.booleans(),
    modify_index=st.integers(0, 3),
    meta=st.sampled_from([None, {}, {"k": "v"}]),
)
tokens = st.sampled_from(["", "one", "two"])


def check_records(service_ids: list[str]) -> st.SearchStrategy[Check]:
    return st.builds(
        Check,
        check_id=st.sampled_from(CHECK_IDS),
        name=st.just("n"),
        status=st.sampled_from(["passing", "critical"]),
        output=st.sampled_from(["", "o"]),
        service_id=st.sampled_from(["", *service_ids]),
        modify_index=st.integers(0, 3),
    )


@st.composite
def local(draw: st.DrawFn) -> Rows:
    rows = Rows()
    for service in draw(st.lists(services.filter(lambda service: service.id != "consul"), max_size=4)):
        rows.put_service(ServiceRow(service, draw(tokens)))
    for check in draw(st.lists(check_records(list(rows.services)), max_size=4)):
        if check.check_id != "serfHealth":
            held = draw(st.sampled_from([None, NOW - 1, NOW + 1]))
            rows.put_check(CheckRow(check, None, draw(tokens), held_until=held))
    return rows


class Remote:
    """The catalog's side, as the reference's servers apply what they are told."""

    def __init__(self, node: Node | None, services: list[Service], checks: list[Check]) -> None:
        self.node = node
        self.services = {service.id: service for service in services}
        self.checks = {check.check_id: check for check in checks if check.service_id in ("", *self.services)}
        if "serfHealth" in self.checks:
            self.checks["serfHealth"] = Check(check_id="serfHealth")

    def apply(self, operation: Operation) -> None:
        if isinstance(operation, DeregisterService):
            del self.services[operation.service_id]
            self.checks = {k: v for k, v in self.checks.items() if v.service_id != operation.service_id}
        elif isinstance(operation, DeregisterCheck):
            del self.checks[operation.check_id]
        else:
            self.node = NODE if operation.with_node else self.node
            assert self.node is not None
            if operation.service is not None:
                self.services[operation.service.id] = operation.service
            for check in operation.checks:
                service = self.services[check.service_id] if check.service_id else Service()
                filled = msgspec.structs.replace(check, service_name=service.service, service_tags=service.tags)
                self.checks[check.check_id] = filled


@st.composite
def remote(draw: st.DrawFn) -> Remote:
    found = draw(st.lists(services, max_size=4))
    node = draw(st.sampled_from([None, NODE, msgspec.structs.replace(NODE, address="10.0.0.9")]))
    if node is None:
        return Remote(None, [], [])
    return Remote(node, found, draw(st.lists(check_records([service.id for service in found]), max_size=4)))


def shape_of_service(service: Service) -> Service:
    return msgspec.structs.replace(service, modify_index=0, meta=service.meta or {})


@given(local(), remote())
def test_a_plan_makes_the_catalog_equal_and_the_next_one_is_empty(rows: Rows, catalog: Remote) -> None:
    before = {service_id: service.tags for service_id, service in catalog.services.items()}
    own = {k: catalog.services[k] for k in ("consul",) if k in catalog.services}
    health = {k: v for k, v in catalog.checks.items() if k == "serfHealth"}
    for operation in plan(rows, NODE, catalog.node, catalog.services, catalog.checks, NOW):
        catalog.apply(operation)
    difference = compare(rows, NODE, catalog.node, catalog.services, catalog.checks, NOW)
    assert not difference.unsynced
    assert plan(rows, NODE, catalog.node, catalog.services, catalog.checks, NOW) == []
    assert catalog.services.keys() == rows.services.keys() | own.keys()
    assert catalog.checks.keys() == rows.checks.keys() | health.keys()
    for service_id, row in rows.services.items():
        ours, theirs = shape_of_service(row.service), shape_of_service(catalog.services[service_id])
        if row.service.enable_tag_override and service_id in before:
            assert {**vars_of(ours), "tags": []} == {**vars_of(theirs), "tags": []}
        else:
            assert ours == theirs
    for check_id, check in rows.checks.items():
        theirs_check = catalog.checks[check_id]
        assert (check.check.status, check.check.service_id) == (theirs_check.status, theirs_check.service_id)
        if check.held_until is None or check.held_until <= NOW:
            assert check.check.output == theirs_check.output


def vars_of(record: msgspec.Struct) -> dict[str, object]:
    return msgspec.structs.asdict(record)


@given(local(), remote())
def test_telling_all_leaves_nothing_untold_and_untelling_brings_it_back(rows: Rows, catalog: Remote) -> None:
    rows.unsynced = compare(rows, NODE, catalog.node, catalog.services, catalog.checks, NOW).unsynced
    todo = operations(rows, rows.unsynced)
    for operation in todo:
        told(rows, operation)
    assert not rows.unsynced
    for operation in todo:
        untold(rows, operation)
    assert operations(rows, rows.unsynced) == todo


def test_a_service_and_its_checks_go_together_where_one_token_covers_them() -> None:
    rows = Rows()
    rows.unsynced.node = False
    web, api = Service(id="web", service="web"), Service(id="api", service="api")
    rows.put_service(ServiceRow(web, "t"))
    rows.put_service(ServiceRow(api, ""))
    checks = {
        name: Check(check_id=name, service_id=service)
        for name, service in {"w1": "web", "w2": "web", "w3": "web", "a1": "api", "n1": "", "n2": ""}.items()
    }
    for name, check in checks.items():
        rows.put_check(CheckRow(check, None, "t" if name in ("w1", "w2") else ""))
    rows.unsynced.services.discard("api")
    assert operations(rows, rows.unsynced) == [
        Register(web, (checks["w1"], checks["w2"]), "t"),
        Register(None, (checks["a1"],), ""),
        Register(None, (checks["n1"], checks["n2"]), ""),
        Register(None, (checks["w3"],), ""),
    ]


def test_the_tags_of_an_overridable_service_are_the_catalogs() -> None:
    rows = Rows()
    rows.put_service(ServiceRow(Service(id="web", service="web", tags=["ours"], port=1, enable_tag_override=True)))
    theirs = Service(id="web", service="web", tags=["theirs"], port=1, enable_tag_override=True)
    difference = compare(rows, NODE, NODE, {"web": theirs}, {}, NOW)
    assert not difference.unsynced
    assert difference.adopted == {"web": ["theirs"]}


def test_a_service_under_a_new_id_is_never_missing_in_between() -> None:
    rows = Rows()
    rows.put_service(ServiceRow(Service(id="web-2", service="web")))
    todo = plan(rows, NODE, NODE, {"web-1": Service(id="web-1", service="web")}, {}, NOW)
    assert [type(operation) for operation in todo] == [Register, DeregisterService]


def test_what_is_gone_goes_with_the_token_it_came_with() -> None:
    rows = Rows()
    rows.put_service(ServiceRow(Service(id="web", service="web"), "one"))
    rows.put_check(CheckRow(Check(check_id="c", service_id="web"), None, "two"))
    rows.put_check(CheckRow(Check(check_id="n"), None, "three"))
    for check_id in ("c", "n"):
        rows.drop_check(check_id)
    rows.drop_service("web")
    rows.unsynced.node = False
    expected = [DeregisterService("web", "one"), DeregisterCheck("n", "three")]
    assert operations(rows, rows.unsynced) == expected
    remote_checks = {"c": Check(check_id="c", service_id="web"), "n": Check(check_id="n")}
    assert plan(rows, NODE, NODE, {"web": Service(id="web")}, remote_checks, NOW) == expected


def test_a_catalog_that_never_had_it_need_not_be_told_that_it_is_gone() -> None:
    rows = Rows()
    rows.put_service(ServiceRow(Service(id="web", service="web")))
    rows.drop_service("web")
    assert plan(rows, NODE, NODE, {}, {}, NOW) == []
