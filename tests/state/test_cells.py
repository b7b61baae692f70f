"""Cells: born when asked for, moved with what they stand for, dropped when nobody waits."""

from __future__ import annotations

from lictor.state import Answer, stamp, unmoved
from lictor.state.cells import DROPPED, Cells


def test_a_cell_is_born_unchanged_since_now() -> None:
    cells = Cells(10)
    cells.move((), 7)
    assert cells.get("a").index == 7 and cells.get("a") is cells.get("a")


def test_moving_wakes_those_who_wait_for_it_alone() -> None:
    cells = Cells(10)
    woken: list[str] = []
    a, b = cells.get("a"), cells.get("b")
    a.wakers.add(lambda: woken.append("a"))
    b.wakers.add(lambda: woken.append("b"))
    for wake in cells.move(["a", "unknown"], 9):
        wake()
    assert (woken, a.index, b.index, cells.revision) == (["a"], 9, 1, 9)
    assert len(cells) == 2  # what nobody asked for has no cell


def test_an_answer_stays_true_until_one_of_its_cells_moves() -> None:
    cells = Cells(10)
    answer = Answer("value", (cells.get("a"), cells.get("b")))
    stamped = stamp(answer)
    cells.move(["c"], 3)
    assert unmoved(stamped) and answer.index == 1
    cells.move(["b"], 4)
    assert not unmoved(stamped) and answer.index == 4


def test_an_answer_without_cells_has_an_index_too() -> None:
    assert Answer(None, ()).index == 1


def test_sweeping_drops_those_that_nobody_waits_for() -> None:
    cells = Cells(3)
    waited = cells.get("waited")
    waited.wakers.add(lambda: None)
    idle = cells.get("idle")
    stamped = stamp(Answer(None, (idle,)))
    cells.get("third")
    cells.get("fourth")
    assert idle.index == DROPPED and not unmoved(stamped)
    assert cells.get("waited") is waited and cells.get("idle") is not idle


def test_all_are_kept_while_all_are_waited_for() -> None:
    cells = Cells(2)
    held = [cells.get(name) for name in "abcd" if cells.get(name).wakers.add(lambda: None) is None]
    assert len(cells) == 4 and all(cell.index == 1 for cell in held)


def test_where_most_are_waited_for_the_next_sweep_is_late() -> None:
    cells = Cells(keep=4)
    for number in range(4):
        cells.get(number).wakers.add(lambda: None)
    first = cells.get("a")
    second = cells.get("b")  # nothing but the four could go to make room for it
    assert first.index == second.index == 1 and len(cells) == 6


def test_a_stamp_of_a_swept_cell_never_holds() -> None:
    cells = Cells(keep=1)
    gone = cells.get("a")
    cells.get("b")
    assert gone.index == DROPPED and not unmoved(((gone, gone.index),))
