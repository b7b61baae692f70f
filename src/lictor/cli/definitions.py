"""Service definitions from files, as the API takes them."""

from __future__ import annotations

import json
from typing import Any

from lictor.cli.command import Failure


def services(paths: list[str]) -> list[dict[str, Any]]:
    """The services defined in these HCL and JSON files, as bodies for the API.

    Raises Failure for a file without any, ConfigError naming the file or the service that is wrong.
    """
    # The agent's own readers of configuration: the same files serve both.
    from lictor.agent.config import definitions, files
    from lictor.types import gojson

    sources, warnings = files.read(paths)
    if warnings:
        raise Failure("\n".join(warnings))
    found: list[dict[str, Any]] = []
    for source in sources:
        fitted = files.decode(source).settings.get("services", [])
        if not fitted:
            raise Failure(f"{source.name} defines no service")
        definitions.services(fitted)
        found += json.loads(gojson.encode(fitted))
    return found
