"""What building a configuration asks of the machine, as functions that are passed in. Values only."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lictor.agent.config.addresses import Interfaces


class Host(NamedTuple):
    """`is_file` tells whether something that is no directory lies at a path."""

    hostname: Callable[[], str]
    interfaces: Interfaces
    is_file: Callable[[str], bool]
