"""What the agent measures, in the forms that /v1/agent/metrics answers with: the reference's JSON and Prometheus' text.

Gauges are read when somebody asks; counters are plain numbers that their owners keep. Names are the reference's where
it has one.
"""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Callable
from typing import Any

from lictor.runtime.clock import Clock

_PROMETHEUS = re.compile(r"[^a-zA-Z0-9_]")


class AgentMetrics:
    """Every number of an agent by its dotted name, without the prefix."""

    def __init__(self, telemetry: Any, clock: Clock) -> None:
        self.prefix = telemetry.metrics_prefix or "consul"
        self.prometheus_enabled = telemetry.prometheus_retention_time > 0
        self._clock = clock
        self._gauges: dict[str, Callable[[], float]] = {}
        self._counters: dict[str, Callable[[], float]] = {}
        self.gauge("runtime.alloc_bytes", _resident_bytes)
        self.gauge("runtime.num_threads", lambda: float(len(os.listdir("/proc/self/task"))))
        self.gauge("runtime.cpu_seconds", lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """A number that goes up and down."""
        self._gauges[name] = read

    def counter(self, name: str, read: Callable[[], float]) -> None:
        """A number that only grows."""
        self._counters[name] = read

    def as_json(self) -> dict[str, Any]:
        """The reference's form: gauges and counters since the start."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(self._clock.time()))
        return {
            "Timestamp": stamp,
            "Gauges": [self._row(name, read(), "Value") for name, read in sorted(self._gauges.items())],
            "Points": [],
            "Counters": [self._counter(name, read()) for name, read in sorted(self._counters.items())],
            "Samples": [],
        }

    def as_prometheus(self) -> str:
        """The text exposition format."""
        lines: list[str] = []
        for kind, table in (("gauge", self._gauges), ("counter", self._counters)):
            for name, read in sorted(table.items()):
                full = _PROMETHEUS.sub("_", f"{self.prefix}_{name}")
                lines += [f"# HELP {full} {name}", f"# TYPE {full} {kind}", f"{full} {read():.12g}"]
        return "\n".join(lines) + "\n"

    def _row(self, name: str, value: float, key: str) -> dict[str, Any]:
        return {"Name": f"{self.prefix}.{name}", key: value, "Labels": {}}

    def _counter(self, name: str, value: float) -> dict[str, Any]:
        row = {"Count": int(value), "Rate": 0.0, "Sum": value, "Min": 0.0, "Max": value, "Mean": 0.0, "Stddev": 0.0}
        return {"Name": f"{self.prefix}.{name}", "Labels": {}, **row}


def _resident_bytes() -> float:
    with open("/proc/self/statm") as file:
        return float(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
