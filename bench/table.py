"""The goals, and how figures are printed beside them. Knows nothing of how a figure came about.

Goals and the reference's shares are those of the design: Consul 1.10.11 on two cores, load generator included, beside
one nginx worker answering `return 200` on the same machine. Shares carry over from machine to machine; rates do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Goal(NamedTuple):
    """A share of nginx's rate to reach, and the reference's share and rate on the machine where it was measured."""

    share: float
    reference_share: float
    reference_rate: int


RATE_GOALS = {
    "GET /v1/kv/foo": Goal(0.35, 0.19, 20_200),
    "GET /v1/health/service/web?passing, 10 instances": Goal(0.30, 0.038, 4_000),
    "the same, 100 instances": Goal(0.15, 0.006, 670),
    "PUT /v1/kv, one durable server, 32 connections": Goal(0.12, 0.075, 7_900),
    "PUT /v1/catalog/register, durable": Goal(0.08, 0.053, 5_600),
    "DNS A, 10 instances": Goal(0.50, 0.096, 10_100),
}


@dataclass(frozen=True)
class RateRow:
    """Requests per second of one kind of work, and nginx's in the same rounds."""

    work: str
    rate: float
    nginx: float
    p99: float = 0.0

    @property
    def cells(self) -> tuple[str, ...]:
        goal, share = RATE_GOALS[self.work], self.rate / self.nginx
        late = f"{self.p99 * 1000:.1f} ms" if self.p99 else "-"
        met = "yes" if share >= goal.share else "no"
        of_nginx, wanted, theirs = f"{share:.3f}", f"{goal.share:.2f}", f"{goal.reference_share:g}"
        return (self.work, f"{self.rate:,.0f}/s", f"{self.nginx:,.0f}/s", of_nginx, wanted, met, theirs, late)


@dataclass(frozen=True)
class LimitRow:
    """A figure that should stay at or below `goal`, both in `unit`; no goal where the design names none."""

    what: str
    figure: float
    unit: str
    goal: float | None = None
    reference: str = "-"
    note: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        goal = "-" if self.goal is None else f"{self.goal:g} {self.unit}"
        met = "-" if self.goal is None else "yes" if self.figure <= self.goal else "no"
        return (self.what, f"{self.figure:.3g} {self.unit}{self.note}", goal, met, self.reference)


RATE_HEAD = ("work", "lictor", "nginx", "of nginx", "goal", "met", "reference, of nginx", "99 of 100 within")
LIMIT_HEAD = ("what", "lictor", "goal", "met", "reference")


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with its columns lined up."""
    table = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def rates(rows: Iterable[RateRow]) -> str:
    return markdown(RATE_HEAD, (row.cells for row in rows))


def limits(rows: Iterable[LimitRow]) -> str:
    return markdown(LIMIT_HEAD, (row.cells for row in rows))
