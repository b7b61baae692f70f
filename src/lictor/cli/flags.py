"""Flags as Go's programs take them: one dash or two, `-name=value` or `-name value`, up to the first argument.

A command class declares its flags as attributes (`limit = number("...", 1)`) and finds their values there. Pure: reads
no files and prints nothing. Takes the place of argparse, whose flags have two dashes and which takes longer to import
than most commands take to run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")

OWN_SECTION = "Command Options"
"""Where the help shows a flag that says nothing else."""


class UsageError(Exception):
    """A command line that cannot be understood; the text says which part."""


class HelpWanted(Exception):
    """The command line asks how the command is used."""


class Flag(Generic[T]):
    """One flag of a command. Reading the attribute gives its value, by default `default`.

    `placeholder` is what stands for the value in the help; "" makes it a switch that needs none. With `collect` the
    flag may be repeated: it takes the value so far and the new one.
    """

    def __init__(
        self,
        help: str,
        default: T,
        parse: Callable[[str], Any],
        placeholder: str,
        *,
        name: str = "",
        collect: Callable[[T, Any], T] = lambda old, new: new,
        section: str = OWN_SECTION,
    ) -> None:
        self.help = help
        self.default = default
        self.placeholder = placeholder
        self.name = name
        self.section = section
        self._parse = parse
        self._collect = collect

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.name = self.name or attribute.rstrip("_").replace("_", "-")

    @overload
    def __get__(self, command: None, owner: type) -> Self: ...
    @overload
    def __get__(self, command: object, owner: type) -> T: ...
    def __get__(self, command: object | None, owner: type) -> Any:
        if command is None:
            return self
        return command.__dict__.get("-" + self.name, self.default)

    def put(self, command: object, text: str) -> None:
        """Takes a value from the command line. Raises UsageError naming the flag."""
        try:
            value = self._parse(text)
        except ValueError as error:
            raise UsageError(f'invalid value "{text}" for flag -{self.name}: {error}') from error
        command.__dict__["-" + self.name] = self._collect(self.__get__(command, type(command)), value)

    @property
    def about(self) -> str:
        """The help with the default, where there is one worth telling."""
        if self.default in (False, "", 0, (), {}):
            return self.help
        shown = str(self.default).lower() if isinstance(self.default, bool) else self.default
        if isinstance(shown, float):
            shown = f"{shown:g}s"
        return f"{self.help} Default: {shown}."

    def given(self, command: object) -> bool:
        """Whether the command line names this flag."""
        return "-" + self.name in command.__dict__


def flags_of(command: type) -> dict[str, Flag[Any]]:
    """The flags of a command class by name, its own first, then those of its bases."""
    return {flag.name: flag for flag in _declared(command)}


def _declared(command: type) -> Iterator[Flag[Any]]:
    for owner in command.__mro__:
        yield from (value for value in vars(owner).values() if isinstance(value, Flag))


def parse(command: object, words: list[str]) -> list[str]:
    """Reads the flags at the front of `words` into `command` and gives the arguments after them.

    Raises UsageError for a flag that is unknown, malformed or without its value, HelpWanted for -h and -help.
    """
    known = flags_of(type(command))
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            return words[at + 1 :]
        if len(word) < 2 or word[0] != "-":
            break
        at += 1
        name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
        if not name or name[0] == "-":
            raise UsageError(f"bad flag syntax: {word}")
        flag = known.get(name)
        if flag is None:
            if name in ("h", "help"):
                raise HelpWanted
            raise UsageError(f"flag provided but not defined: -{name}")
        if not equals:
            if not flag.placeholder:
                text = "true"
            elif at < len(words):
                text, at = words[at], at + 1
            else:
                raise UsageError(f"flag needs an argument: -{name}")
        flag.put(command, text)
    return words[at:]


_SWITCH = {word: word[0] in "1tT" for word in ("1", "0", "t", "f", "T", "F", "true", "false", "TRUE", "FALSE")}


def _boolean(text: str) -> bool:
    value = _SWITCH.get(text, _SWITCH.get(text.lower()) if text in ("True", "False") else None)
    if value is None:
        raise ValueError("neither true nor false")
    return value


def _integer(text: str) -> int:
    # As Go reads them: 010 is octal, 0x10 hexadecimal.
    digits = text.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    try:
        return int(text, 8 if octal else 0)
    except ValueError:
        raise ValueError("not an integer") from None


def _unsigned(text: str) -> int:
    value = _integer(text)
    if not 0 <= value < 1 << 64 or text[0] in "+-":
        raise ValueError("not an integer from 0 to 2^64-1")
    return value


def _duration(text: str) -> float:
    from lictor.types.duration import Duration

    return Duration.parse(text).seconds


def _key_value(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError("not of the form key=value")
    return key, value


def switch(help: str, default: bool = False, *, name: str = "") -> Flag[bool]:
    """A flag that is on or off: `-cas`, `-shell=false`."""
    return Flag(help, default, _boolean, "", name=name)


def text(help: str, default: str = "", *, name: str = "", placeholder: str = "string") -> Flag[str]:
    """A flag with a text."""
    return Flag(help, default, str, placeholder, name=name)


def number(help: str, default: int = 0, *, name: str = "") -> Flag[int]:
    """A flag with an integer."""
    return Flag(help, default, _integer, "int", name=name)


def unsigned(help: str, default: int = 0, *, name: str = "") -> Flag[int]:
    """A flag with an integer of 64 bits and no sign."""
    return Flag(help, default, _unsigned, "uint", name=name)


def duration(help: str, default: float = 0.0, *, name: str = "") -> Flag[float]:
    """A flag with a time such as 10s; the value is in seconds."""
    return Flag(help, default, _duration, "duration", name=name)


def choice(help: str, default: str, allowed: tuple[str, ...], *, name: str = "") -> Flag[str]:
    """A flag with one of a few words."""

    def check(text: str) -> str:
        if text not in allowed:
            raise ValueError("must be one of " + ", ".join(allowed))
        return text

    return Flag(help, default, check, "|".join(allowed), name=name)


def texts(help: str, *, name: str = "", placeholder: str = "string") -> Flag[tuple[str, ...]]:
    """A flag that may be repeated; the value is all its texts."""
    empty: tuple[str, ...] = ()
    return Flag(help, empty, str, placeholder, name=name, collect=lambda old, new: (*old, new))


def pairs(help: str, *, name: str = "") -> Flag[dict[str, str]]:
    """A flag `key=value` that may be repeated; the value is all of them."""
    empty: dict[str, str] = {}
    return Flag(help, empty, _key_value, "key=value", name=name, collect=lambda old, new: {**old, new[0]: new[1]})
