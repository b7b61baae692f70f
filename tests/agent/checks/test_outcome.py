from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lictor.agent.checks.outcome import Tail, cut


@given(st.lists(st.binary(max_size=50)), st.integers(min_value=1, max_value=60))
def test_a_tail_is_the_end_of_the_stream(chunks: list[bytes], keep: int) -> None:
    tail, whole = Tail(keep), b"".join(chunks)
    for chunk in chunks:
        tail.add(chunk)
    assert tail.text() == whole[-keep:].decode(errors="replace")
    assert tail.total == len(whole)


def test_lost_output_is_said_to_be_lost() -> None:
    tail = Tail(4)
    tail.add(b"123")
    assert tail.captured() == "123"
    tail.add(b"456")
    assert tail.captured() == "Captured 4 of 6 bytes\n...\n3456"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert cut("short", 5) == "short"
    assert cut("too long", 5) == "too l ... (captured 5 of 8 bytes)"
    assert cut("ééé", 3) == "é ... (captured 3 of 6 bytes)"
