"""Where lictor's keys lie in etcd, and how revisions read from there are shown. Pure.

Everything is below one prefix, so that one watch sees every revision that lictor makes:

    <prefix>g/<generation>/<key>   the store's content
    <prefix>generation             which generation is the content; not there as long as it is the first
    <prefix>w/<server>/<n>         the last write of one of a server's slots, by which it learns what became of it
    <prefix>e/<name>               who leads, under a lease
    <prefix>n                      written only to move the watch on

A restore writes a new generation and then names it, both at its own pace: nobody sees anything of it before its name
is there, and then everybody sees all of it. The revision of the name is the generation's *base*. What the restore had
written before counts as written at the base.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lictor.store.base import Entry, Event
from lictor.store.etcd.schema import DELETE

FIRST_GENERATION = b"00000000"


class Generation(msgspec.Struct, frozen=True):
    """What the content is at present. `base` is 0 for the first generation, which nobody had to name."""

    id: bytes = FIRST_GENERATION
    base: int = 0

    def next_id(self, unique: bytes) -> bytes:
        """The id of a generation after this one; it sorts behind all that began before this one was named."""
        return b"%08x-%s" % (int(self.id[:8], 16) + 1, unique)


class Layout(msgspec.Struct, frozen=True):
    """The keys beside the content. `prefix` ends in a slash."""

    prefix: bytes

    @property
    def end(self) -> bytes:
        """The first key behind all that begin with the prefix."""
        return after(self.prefix)

    @property
    def generation(self) -> bytes:
        return self.prefix + b"generation"

    @property
    def nudge(self) -> bytes:
        return self.prefix + b"n"

    def slots(self, server: str) -> bytes:
        """What the keys of a server's slots begin with."""
        return self.prefix + b"w/" + server.encode() + b"/"

    def election(self, name: str) -> bytes:
        return self.prefix + b"e/" + name.encode()

    def contents(self, generation: bytes = b"") -> bytes:
        """What the keys of a generation begin with, or those of all generations."""
        return self.prefix + b"g/" + (generation + b"/" if generation else b"")


class Content:
    """The keys of one generation, as etcd has them and as the store shows them."""

    def __init__(self, layout: Layout, generation: Generation) -> None:
        self.layout = layout
        self.generation = generation
        self.base = generation.base
        self.start = layout.contents(generation.id)
        self.end = after(self.start)
        self._skip = len(self.start)

    def stored(self, key: bytes) -> bytes:
        """The key in etcd of one of the store's keys."""
        return self.start + key

    def shown(self, key: bytes) -> bytes | None:
        """The store's key of one of etcd's, None where that is not content."""
        return key[self._skip :] if key.startswith(self.start) else None

    def event(self, key: bytes, event: Any) -> Event:
        """What an `Event` of etcd's says of `key`, which is the store's."""
        kv = event.kv
        if event.type == DELETE:
            return Event(key, None, 0, kv.mod_revision)
        return Event(key, kv.value, max(kv.create_revision, self.base), max(kv.mod_revision, self.base))

    def entry(self, kv: Any) -> Entry:
        """A `KeyValue` of etcd's in this generation, for loading and snapshots."""
        created, modified = max(kv.create_revision, self.base), max(kv.mod_revision, self.base)
        return Entry(kv.key[self._skip :], kv.value, created, modified, kv.lease)


def after(prefix: bytes) -> bytes:
    """The first key behind all that begin with `prefix`, which ends in a slash."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))
