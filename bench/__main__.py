"""`python -m bench`: measures all on this machine and prints the tables; `--write` keeps them in bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bench import footprint, rates, table, wakeups
from bench.processes import Nginx
from bench.rounds import Rounds
from bench.table import LimitRow, RateRow
from lictor.version import VERSION

RESULTS = Path(__file__).with_name("RESULTS.md")
FAMILIES = ("reads", "names", "writes", "wakeups", "idle", "footprint")


@dataclass
class Figures:
    """What was measured, and the families that could not be."""

    rates: list[RateRow] = field(default_factory=list)
    limits: list[LimitRow] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def measure(directory: Path, chosen: Iterable[str], rounds: int, seconds: int) -> Figures:
    """Runs the chosen families one after the other, telling on stderr which; one that fails stops no other."""
    figures = Figures()
    with Nginx.yardstick(directory / "nginx") as nginx:
        plan = Rounds(nginx.port, rounds, seconds)
        families: dict[str, Callable[[], object]] = {
            "reads": lambda: figures.rates.extend(rates.reads(directory, plan)),
            "names": lambda: figures.rates.extend(rates.names(directory, plan)),
            "writes": lambda: figures.rates.extend(rates.writes(directory, plan)),
            "wakeups": lambda: figures.limits.append(wakeups.thousand(directory)),
            "idle": lambda: figures.limits.extend(wakeups.ten_thousand(directory)),
            "footprint": lambda: figures.limits.extend(footprint.all_of(directory)),
        }
        for name in chosen:
            print(f"measuring {name}", file=sys.stderr)
            try:
                families[name]()
            except RuntimeError as error:
                figures.failed.append(f"{name}: {error}")
    return figures


def report(figures: Figures, rounds: int, seconds: int) -> str:
    """The two tables under a line that says on what they were measured."""
    processor = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    head = (
        f"lictor {VERSION}, {date.today():%Y-%m-%d}: {os.cpu_count()} cores ({processor}), Linux {platform.release()}, "
        f"Python {platform.python_version()}. The load generator runs on the same cores; each rate is the median of "
        f"{rounds} rounds of {seconds} s, each with nginx (one worker, `return 200`) just before it."
    )
    parts = [
        head,
        table.rates(figures.rates) if figures.rates else "",
        table.limits(figures.limits) if figures.limits else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "families", nargs="*", metavar="FAMILY", help=f"what to measure, of {', '.join(FAMILIES)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="length of one round")
    parser.add_argument("--write", action="store_true", help=f"keep the tables in bench/{RESULTS.name}")
    options = parser.parse_args()
    if unknown := set(options.families) - set(FAMILIES):
        parser.error(f"no such family: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="lictor-bench-") as directory:
        figures = measure(Path(directory), options.families or FAMILIES, options.rounds, options.seconds)
    text = report(figures, options.rounds, options.seconds)
    print(text)
    if figures.failed:
        sys.exit("\n".join(figures.failed))
    if options.write:
        RESULTS.write_text(f"# Results of `make bench`\n\n{text}")


if __name__ == "__main__":
    main()
