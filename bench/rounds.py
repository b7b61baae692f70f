"""One figure of ours and one of nginx's, taken in turn within seconds of each other: both meet the same noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.load import Rate, wrk
from bench.table import RateRow


@dataclass(frozen=True)
class Rounds:
    """How a rate is taken: `count` rounds of `seconds` each, nginx (at `nginx_port`) before ours in every one."""

    nginx_port: int
    count: int = 3
    seconds: int = 3

    def compare(self, work: str, ours: Callable[[int], Rate], connections: int = 64) -> RateRow:
        """The medians of all rounds. `ours` gets the seconds to run; nginx is driven with `connections`, as ours is."""
        nginx, lictor = [], []
        for _ in range(self.count):
            nginx.append(wrk(f"http://127.0.0.1:{self.nginx_port}/", connections=connections, seconds=self.seconds))
            lictor.append(ours(self.seconds))
        return RateRow(
            work,
            median(rate.per_second for rate in lictor),
            median(rate.per_second for rate in nginx),
            median(rate.p99 for rate in lictor),
        )
