from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.errors import StoreError
from lictor.store.base import Compare, Delete, Put, Txn
from lictor.store.checks import check_txn

keys = st.sampled_from([b"a", b"a\0", b"ab", b"b", b"c"])
changes = st.builds(Put, keys, st.just(b"")) | st.builds(Delete, keys) | st.builds(Delete, keys, keys)


def covered(change: Put | Delete) -> set[bytes]:
    """Which of a few keys the change could touch."""
    universe = [b"a", b"a\0", b"a\0\0", b"aa", b"ab", b"ab\0", b"b", b"b\0", b"bb", b"c"]
    if isinstance(change, Delete) and change.end:
        return {key for key in universe if change.key <= key < change.end}
    return {change.key}


@given(st.lists(changes, max_size=4))
def test_a_transaction_is_refused_just_when_it_could_change_a_key_twice(drawn: list[Put | Delete]) -> None:
    spans = [covered(change) for change in drawn]
    sound = all(spans) and len(set().union(*spans)) == sum(map(len, spans))
    if sound:
        check_txn(Txn((), tuple(drawn)), 10)
    else:
        with pytest.raises(StoreError, match="changes"):
            check_txn(Txn((), tuple(drawn)), 10)


def test_what_is_too_long_or_empty_is_named() -> None:
    with pytest.raises(StoreError, match="2 changes"):
        check_txn(Txn((), (Put(b"a", b""), Put(b"b", b""), Put(b"c", b""))), 2)
    with pytest.raises(StoreError, match="2 changes"):
        check_txn(Txn((Compare(b"a", 1),) * 3), 2)
    with pytest.raises(StoreError, match="compares"):
        check_txn(Txn((Compare(b"", 0),)), 2)
