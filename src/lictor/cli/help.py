"""The help texts, put together from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import cleandoc
from textwrap import wrap

from lictor.cli.command import Command

WIDTH = 78


def command_help(command: type[Command]) -> str:
    """How a command is called, what it does, and its flags."""
    usage = " ".join(f"Usage: lictor {command.words} [options] {command.arguments}".split())
    lines = [usage, "", *("  " + line if line else "" for line in cleandoc(command.__doc__ or "").splitlines())]
    sections: dict[str, list[str]] = {}
    for flag in sorted(command.described()):
        value = f"=<{flag.placeholder}>" if flag.placeholder else ""
        sections.setdefault(flag.section, []).extend(
            [f"  -{flag.name}{value}", *("     " + line for line in wrap(flag.help, WIDTH - 5)), ""]
        )
    for title in sorted(sections):
        lines += ["", title, "", *sections[title][:-1]]
    return "\n".join(lines)


def group_help(words: str, about: str, commands: Iterable[type[Command]], groups: Mapping[str, str]) -> str:
    """What can follow the words of a group."""
    depth = len(words.split())
    below: dict[str, str] = {}
    for command in commands:
        parts = command.words.split()
        if parts[:depth] == words.split() and len(parts) > depth:
            here = " ".join(parts[: depth + 1])
            below[parts[depth]] = command.synopsis if len(parts) == depth + 1 else groups[here]
    lines = [f"Usage: lictor {words} <subcommand> [options] [args]", "", *("  " + line for line in wrap(about, WIDTH))]
    lines += ["", "Subcommands:", "", *listing(below)]
    return "\n".join([*lines, "", f"`lictor {words} <subcommand> -help` tells more about one of them."])


def listing(entries: Mapping[str, str]) -> list[str]:
    """Words with what they mean, in columns."""
    width = max(map(len, entries))
    return [f"    {word.ljust(width)}    {entries[word]}" for word in sorted(entries)]
