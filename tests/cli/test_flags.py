from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.cli import flags
from lictor.cli.flags import HelpWanted, UsageError, flags_of, parse


class Base:
    verbose = flags.switch("Says more.")
    name = flags.text("A name.", "nobody")


class Example(Base):
    count = flags.number("How many.", 1)
    size = flags.unsigned("How big.")
    dry_run = flags.switch("Changes nothing.", True)
    wait = flags.duration("How long.")
    tag = flags.texts("A tag.")
    meta = flags.pairs("A pair.")
    try_ = flags.text("Named like a keyword.")
    format = flags.choice("How.", "pretty", ("pretty", "json"))


def parsed(*words: str) -> tuple[Any, list[str]]:
    command: Any = Example()
    return command, parse(command, list(words))


def test_values_in_every_form() -> None:
    command, rest = parsed("-count=3", "--size", "0x10", "-verbose", "-dry-run=false", "-try", "x", "a", "-count=9")
    assert (command.count, command.size, command.verbose, command.dry_run, command.try_) == (3, 16, True, False, "x")
    assert rest == ["a", "-count=9"]


def test_defaults() -> None:
    command, rest = parsed()
    assert (command.count, command.size, command.name, command.tag, command.meta) == (1, 0, "nobody", (), {})
    assert (command.dry_run, command.verbose, command.wait, command.format) == (True, False, 0.0, "pretty")
    assert rest == []


def test_a_switch_takes_no_word() -> None:
    command, rest = parsed("-verbose", "false")
    assert command.verbose is True
    assert rest == ["false"]


def test_what_may_be_repeated() -> None:
    command, _ = parsed("-tag=a", "-tag", "b", "-meta=a=1", "-meta=b=2=3", "-name=x", "-name=y")
    assert command.tag == ("a", "b")
    assert command.meta == {"a": "1", "b": "2=3"}
    assert command.name == "y"
    assert Example().tag == ()


def test_the_end_of_flags() -> None:
    assert parsed("-verbose", "--", "-count=2")[1] == ["-count=2"]
    assert parsed("-", "-verbose")[1] == ["-", "-verbose"]
    assert parsed("-name", "-", "x")[0].name == "-"
    assert parsed("-name=", "x")[0].name == ""


def test_whether_a_flag_is_given() -> None:
    command, _ = parsed("-count=1")
    assert Example.count.given(command)
    assert not Example.size.given(command)
    assert flags_of(Example)["count"] is Example.count


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("-bogus", "flag provided but not defined: -bogus"),
        ("-count", "flag needs an argument: -count"),
        ("-count=x", 'invalid value "x" for flag -count'),
        ("-size=-1", 'invalid value "-1" for flag -size'),
        ("-size=18446744073709551616", "2^64"),
        ("-verbose=maybe", "neither true nor false"),
        ("-wait=10", "missing unit"),
        ("-meta=a", "key=value"),
        ("-format=xml", "must be one of pretty, json"),
        ("---x", "bad flag syntax: ---x"),
        ("-=x", "bad flag syntax: -=x"),
    ],
)
def test_what_cannot_be_understood(word: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parsed(word)
    assert message in str(error.value)


@pytest.mark.parametrize("word", ["-h", "-help", "--help"])
def test_help(word: str) -> None:
    with pytest.raises(HelpWanted):
        parsed("-verbose", word)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("010", 8), ("0b11", 3), ("0xff", 255), ("1_000", 1000)])
def test_integers_as_go_reads_them(text: str, value: int) -> None:
    assert parsed(f"-size={text}")[0].size == value


@pytest.mark.parametrize(("text", "value"), [("10s", 10.0), ("1m30s", 90.0), ("500ms", 0.5), ("1.5h", 5400.0)])
def test_durations(text: str, value: float) -> None:
    assert parsed(f"-wait={text}")[0].wait == value


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_words_are_understood_or_refused(words: list[str]) -> None:
    try:
        _, rest = parsed(*words)
    except (UsageError, HelpWanted):
        return
    assert rest == words[len(words) - len(rest) :]
