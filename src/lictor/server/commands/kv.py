"""Plans for keys: set, check-and-set, lock, unlock and the deletions. Semantics of the reference's KV endpoint.

A plain set keeps the lock's holder and starts the lock index again; setting what is there already changes nothing, so
that it wakes nobody. All return whether they did what was asked.
"""

from __future__ import annotations

import msgspec

from lictor.errors import Refused
from lictor.server.transaction import Tx
from lictor.types.kv import KVEntry
from lictor.types.validate import lookup_error


def set_entry(tx: Tx, entry: KVEntry, session: str | None = None) -> KVEntry:
    """Sets a key and returns the row. `session` None keeps the lock as it is."""
    kv = tx.state.keys.kv
    old = tx.get(kv, entry.key)
    entry = msgspec.structs.replace(entry, session=(old.session if old else "") if session is None else session)
    if old is not None and _same(old, entry):
        return old
    return tx.put(kv, entry, entry.key)


def cas(tx: Tx, entry: KVEntry, index: int) -> KVEntry | None:
    """Sets a key if it was last changed at `index` (0: if it is not there); None when it was not so."""
    old = tx.get(tx.state.keys.kv, entry.key)
    if (old is None) != (index == 0) or (old is not None and old.modify_index != index):
        return None
    return set_entry(tx, entry)


def delayed(tx: Tx, key: str) -> bool:
    """True while the delay runs that a lost lock leaves on its key."""
    return tx.get(tx.state.keys.lock_delays, key) is not None


def lock(tx: Tx, entry: KVEntry, session: str) -> KVEntry | None:
    """Takes a key's lock for a session and sets it; None when another holds it or the lock's delay runs."""
    keys = tx.state.keys
    if delayed(tx, entry.key):
        return None
    if not session:
        raise Refused("missing session")
    if reason := lookup_error(session):
        raise Refused(f"failed session lookup: index error: {reason}")
    holder = tx.get(keys.sessions, session)
    if holder is None:
        raise Refused(f'invalid session "{session}"')
    session = holder.id  # ids are matched whatever their case, and kept in one
    old = tx.get(keys.kv, entry.key)
    # A holder that is gone holds nothing, even where its end and this key's locking missed each other on two servers.
    taken_by = old.session if old is not None else ""
    if taken_by and taken_by != session and tx.get(keys.sessions, taken_by) is not None:
        return None
    held = old is not None and old.session == session
    lock_index = (old.lock_index if old is not None else 0) + (0 if held else 1)
    return set_entry(tx, msgspec.structs.replace(entry, lock_index=lock_index), session)


def unlock(tx: Tx, entry: KVEntry, session: str) -> KVEntry | None:
    """Gives a key's lock back and sets it; None when the session does not hold it."""
    if not session:
        raise Refused("missing session")
    old = tx.get(tx.state.keys.kv, entry.key)
    if old is None or not old.session or old.session.lower() != session.lower():
        return None
    return set_entry(tx, msgspec.structs.replace(entry, lock_index=old.lock_index), "")


def delete(tx: Tx, key: str) -> None:
    """Deletes a key."""
    tx.delete(tx.state.keys.kv, key)


def delete_cas(tx: Tx, key: str, index: int) -> bool:
    """Deletes a key if it was last changed at `index`. One that is not there counts as deleted."""
    old = tx.get(tx.state.keys.kv, key)
    if old is None:
        return True
    if old.modify_index != index:
        return False
    tx.delete(tx.state.keys.kv, key)
    return True


def delete_tree(tx: Tx, prefix: str) -> None:
    """Deletes every key that begins so."""
    tx.delete_below(tx.state.keys.kv, prefix)


def _same(old: KVEntry, new: KVEntry) -> bool:
    return (
        (old.value or None) == (new.value or None)
        and old.flags == new.flags
        and old.session == new.session
        and old.lock_index == new.lock_index
    )
