from __future__ import annotations

from lictor.agent.checks import Outcome, alias_outcome
from lictor.types.catalog import Check


def check(check_id: str, status: str, service_id: str = "web", output: str = "") -> Check:
    return Check(check_id=check_id, name=f"name of {check_id}", status=status, service_id=service_id, output=output)


def outcome(*checks: Check, service_id: str = "web", exists: bool = True) -> Outcome:
    return alias_outcome(service_id, "", checks, exists=exists, own_id="me")


def test_all_passing() -> None:
    assert outcome(check("a", "passing"), check("b", "passing")) == Outcome("passing", "All checks passing.")


def test_the_worst_decides() -> None:
    warning, critical = check("a", "warning", output="slow"), check("b", "critical", output="gone")
    assert outcome(warning, check("c", "passing")) == Outcome("warning", 'Aliased check "name of a" failing: slow')
    expected = Outcome("critical", 'Aliased check "name of b" failing: gone')
    assert outcome(warning, critical) == outcome(critical, warning) == expected


def test_the_node_counts_and_other_services_do_not() -> None:
    assert outcome(check("disk", "critical", "", "full")).status == "critical"
    assert outcome(check("other", "critical", "db")) == Outcome("passing", "No checks found.")


def test_a_service_that_is_not_there() -> None:
    assert outcome(exists=False) == Outcome("critical", "Service web could not be found on node ")
    assert outcome(check("a", "passing"), exists=False).status == "passing"


def test_an_alias_of_a_node_does_not_follow_itself() -> None:
    checks = (check("me", "critical", ""), check("disk", "passing", ""))
    assert outcome(*checks, service_id="", exists=False) == Outcome("passing", "All checks passing.")
