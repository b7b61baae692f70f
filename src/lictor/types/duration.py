"""Go's durations: "1h15m0.5s" in text, whole nanoseconds inside. This module knows nothing else."""

from __future__ import annotations

import re
from typing import Any

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_TEXT = re.compile(
    r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h)"
    r"(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))*\Z"
)
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_MAX = (1 << 63) - 1


class Duration:
    """A span of time in whole nanoseconds, written and read as Go does."""

    __slots__ = ("ns",)

    def __init__(self, ns: int = 0) -> None:
        self.ns = ns

    @classmethod
    def of(cls, seconds: float) -> Duration:
        """A duration of so many seconds."""
        return cls(round(seconds * 1e9))

    @classmethod
    def parse(cls, text: str) -> Duration:
        """A duration from Go's text form. Raises ValueError in Go's words."""
        if text in ("0", "+0", "-0"):
            return cls(0)
        if len(text) > 64 or not _TEXT.match(text):
            what = "missing unit in duration" if re.fullmatch(r"[+-]?\d+(\.\d*)?", text) else "invalid duration"
            raise ValueError(f'time: {what} "{text[:64]}"')
        total = 0
        for number, unit in _PART.findall(text):
            whole, _, fraction = number.partition(".")
            total += int(whole or 0) * _UNITS[unit]
            if fraction:
                total += int(fraction) * _UNITS[unit] // 10 ** len(fraction)
        if total > _MAX:
            raise ValueError(f'time: invalid duration "{text}"')
        return cls(-total if text[0] == "-" else total)

    @classmethod
    def read(cls, value: Any) -> Duration:
        """A duration from JSON: text as above (empty is zero) or a number of nanoseconds."""
        if isinstance(value, Duration):
            return value
        if isinstance(value, str):
            return cls.parse(value) if value else cls(0)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _MAX:
            return cls(int(value))
        raise ValueError(f"time: invalid duration {value!r}")

    @property
    def seconds(self) -> float:
        return self.ns / 1e9

    def __bool__(self) -> bool:
        return self.ns != 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.ns == other.ns

    def __hash__(self) -> int:
        return hash(self.ns)

    def __repr__(self) -> str:
        return f"Duration({self})"

    def __str__(self) -> str:
        """Go's form: 0s, 1.5s, 1m0s, 2h0m0s, 300ms, 1.5µs."""
        ns = abs(self.ns)
        sign = "-" if self.ns < 0 else ""
        if ns == 0:
            return "0s"
        if ns < 10**9:
            unit, size = ("ns", 1) if ns < 1_000 else ("\u00b5s", 1_000) if ns < 1_000_000 else ("ms", 1_000_000)
            return f"{sign}{_decimal(ns, size)}{unit}"
        hours, rest = divmod(ns, _UNITS["h"])
        minutes, rest = divmod(rest, _UNITS["m"])
        text = _decimal(rest, 10**9) + "s"
        if hours or minutes:
            text = f"{minutes}m{text}"
        if hours:
            text = f"{hours}h{text}"
        return sign + text


def _decimal(ns: int, size: int) -> str:
    whole, rest = divmod(ns, size)
    if not rest:
        return str(whole)
    return f"{whole}.{rest:0{len(str(size)) - 1}d}".rstrip("0")
