"""Logs: one line an event, in the reference's form or as JSON, to standard error or a file, and to `monitor`.

Every module asks `get_logger("agent.checks")`. Secrets never reach a logger: what logs takes care of it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import datetime

TRACE = 5
LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "err": logging.ERROR,
    "error": logging.ERROR,
}
_NAMES = {
    TRACE: "TRACE",
    logging.DEBUG: "DEBUG",
    logging.INFO: "INFO",
    logging.WARNING: "WARN",
    logging.ERROR: "ERROR",
    logging.CRITICAL: "ERROR",
}
ROOT = "lictor"


def get_logger(name: str) -> logging.Logger:
    """The logger of one part of the system."""
    return logging.getLogger(f"{ROOT}.{name}")


def level_of(name: str) -> int | None:
    """The level of that name in the reference's words, or None."""
    return LEVELS.get(name.strip().lower())


class LineFormatter(logging.Formatter):
    """`2026-01-02T15:04:05.000Z [INFO]  agent: text`."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        name = record.name.removeprefix(ROOT + ".")
        line = f"{when} {'[' + _NAMES.get(record.levelno, 'INFO') + ']':<7} {name}: {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JSONFormatter(logging.Formatter):
    """One JSON object a line, in the reference's key names."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="microseconds")
        row = {
            "@level": _NAMES.get(record.levelno, "INFO").lower(),
            "@message": record.getMessage(),
            "@module": record.name.removeprefix(ROOT + "."),
            "@timestamp": when,
        }
        if record.exc_info:
            row["error"] = self.formatException(record.exc_info)
        return json.dumps(row)


class Tap(logging.Handler):
    """Gives every line of a level and above to a function, for /v1/agent/monitor."""

    def __init__(self, level: int, as_json: bool, sink: Callable[[str], None]) -> None:
        super().__init__(level)
        self.setFormatter(JSONFormatter() if as_json else LineFormatter())
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        self._sink(self.format(record))


def setup(level: int, as_json: bool = False, path: str = "") -> None:
    """Sends lictor's logs to standard error (or a file) from `level` up. Calling it again replaces the first call."""
    root = logging.getLogger(ROOT)
    for handler in [h for h in root.handlers if not isinstance(h, Tap)]:
        root.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(path) if path else logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    handler.setFormatter(JSONFormatter() if as_json else LineFormatter())
    root.addHandler(handler)
    root.setLevel(TRACE)
    root.propagate = False
