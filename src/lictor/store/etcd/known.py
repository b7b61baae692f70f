"""When each key was created and last changed: what is needed to say what a change means, without the values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from lictor.store.base import Delete, Entry, Event, Put


class Known:
    """The keys at a revision, as the listeners know them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._keys = {entry.key: (entry.created, entry.modified) for entry in entries}

    def note(self, events: Iterable[Event]) -> None:
        """Follows what the listeners are told."""
        keys = self._keys
        for event in events:
            if event.value is None:
                keys.pop(event.key, None)
            else:
                keys[event.key] = event.created, event.modified

    def events(self, changes: Iterable[Put | Delete], revision: int) -> list[Event] | None:
        """What changes come to that were made at the next revision; None when only etcd can tell."""
        events = []
        for change in changes:
            known = self._keys.get(change.key)
            if isinstance(change, Put):
                events.append(Event(change.key, change.value, known[0] if known else revision, revision))
            elif change.end:
                return None
            elif known:
                events.append(Event(change.key, None, 0, revision))
        return events

    def difference(self, entries: Iterable[Entry], revision: int) -> Sequence[tuple[int, list[Event]]]:
        """The events that lead to `entries`, which were read at `revision`, by revisions and oldest first.

        When a key went is not to be known any more: it is told at `revision`.
        """
        gone = dict.fromkeys(self._keys)
        found: dict[int, list[Event]] = {}
        for entry in entries:
            gone.pop(entry.key, None)
            if self._keys.get(entry.key) != (entry.created, entry.modified):
                event = Event(entry.key, entry.value, entry.created, entry.modified)
                found.setdefault(entry.modified, []).append(event)
        if gone:
            found[revision] = [Event(key, None, 0, revision) for key in gone] + found.get(revision, [])
        return sorted(found.items(), key=itemgetter(0))
