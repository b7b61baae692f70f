"""What a watch sends, put together to whole revisions. Pure.

etcd sends the events of a revision together, unless they are more than fit into a message: then it sends fragments,
cut anywhere, of which all but the last say so.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

Revision = tuple[int, list[Any]]


def _modified(event: Any) -> int:
    revision: int = event.kv.mod_revision
    return revision


class Revisions:
    """The stream of one watch. Of a fragment, the last revision is kept until it is known to be whole."""

    def __init__(self) -> None:
        self._begun: list[Any] = []

    def feed(self, response: Any) -> list[Revision]:
        """The revisions, oldest first, that are whole with this `WatchResponse`, each with its events in order."""
        events = response.events
        if not response.fragment and not self._begun and len(events) == 1:
            return [(events[0].kv.mod_revision, list(events))]
        self._begun.extend(events)
        whole = [(revision, list(group)) for revision, group in groupby(self._begun, _modified)]
        self._begun = whole.pop()[1] if response.fragment and whole else []
        return whole
