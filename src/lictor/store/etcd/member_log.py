"""etcd's log lines, which are JSON, in our words and at our levels. Pure."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import msgspec

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.DEBUG,
    # Most of what etcd warns of is that a peer came or went, and it deals with that itself.
    "warn": logging.DEBUG,
    "error": logging.ERROR,
    "dpanic": logging.ERROR,
    "panic": logging.ERROR,
    "fatal": logging.ERROR,
}
_WARNINGS = ("took too long", "slow fdatasync", "failed to send out heartbeat", "alarm", "space exceeded", "corrupt")
"""Of the rest, what a person should hear of: a slow disk or processor, and a full store."""
_NOT_TOLD = frozenset({"level", "ts", "caller", "msg", "stacktrace", "logger"})
_TEXT_CHARACTERS = 2_000
_decoder = msgspec.json.Decoder(dict[str, Any])


class Line(NamedTuple):
    """One line: a level of the logging module, and the text."""

    level: int
    text: str


def read_line(line: bytes) -> Line | None:
    """A line that etcd wrote, None for an empty one. What is not JSON is told as it is."""
    try:
        fields = _decoder.decode(line)
    except msgspec.DecodeError:
        text = line.decode("utf-8", "replace").strip()
        return Line(logging.INFO, text[:_TEXT_CHARACTERS]) if text else None
    rest = ", ".join(f"{name}={value}" for name, value in fields.items() if name not in _NOT_TOLD)
    text = str(fields.get("msg", "")) + (f": {rest}" if rest else "")
    level = _LEVELS.get(str(fields.get("level")), logging.INFO)
    if fields.get("level") == "warn" and any(sign in text for sign in _WARNINGS):
        level = logging.WARNING
    return Line(level, text[:_TEXT_CHARACTERS])
