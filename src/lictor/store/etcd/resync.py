"""From what was known to what is there: the changes that a listener must hear of when the stream has a gap. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter

from lictor.store.base import Entry, Event


def difference(known: Mapping[bytes, int], entries: Iterable[Entry], revision: int) -> list[tuple[int, list[Event]]]:
    """The events that turn `known` (when each key was last changed) into `entries`, which were read at `revision`.

    They come by revisions, oldest first. When a key went is not to be known any more: it is told at `revision`.
    """
    gone = dict.fromkeys(known)
    puts: dict[int, list[Event]] = {}
    for entry in entries:
        gone.pop(entry.key, None)
        if known.get(entry.key) != entry.modified:
            event = Event(entry.key, entry.value, entry.created, entry.modified)
            puts.setdefault(entry.modified, []).append(event)
    if gone:
        puts[revision] = [Event(key, None, 0, revision) for key in gone] + puts.get(revision, [])
    return sorted(puts.items(), key=itemgetter(0))
