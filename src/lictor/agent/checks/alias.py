"""A check that follows others: all of a service's checks and of its node. Pure.

Source: the reference's alias checks. Unlike there an alias of a node does not follow itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from lictor.agent.checks.outcome import Outcome
from lictor.types.catalog import CRITICAL, PASSING, WARNING, Check


def alias_outcome(service_id: str, node: str, checks: Iterable[Check], *, exists: bool, own_id: str) -> Outcome:
    """The worst of the checks of a service and of its node.

    `service_id` is empty for an alias of a node, `node` as the definition names it (empty: this agent's). `checks` are
    those of that node, `exists` says whether it has the service, `own_id` is the alias check itself.
    """
    health, text = PASSING, "No checks found."
    found = exists or not service_id
    for check in checks:
        if check.service_id not in ("", service_id) or check.check_id == own_id:
            continue
        found = found or check.service_id == service_id
        if check.status == PASSING:
            if health == PASSING:
                text = "All checks passing."
            continue
        if health != CRITICAL:
            health = CRITICAL if check.status == CRITICAL else WARNING
            text = f'Aliased check "{check.name}" failing: {check.output}'
    if not found:
        return Outcome(CRITICAL, f"Service {service_id} could not be found on node {node}")
    return Outcome(health, text)
