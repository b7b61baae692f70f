"""Finds the command that the words name, runs it, and turns what went wrong into a text and an exit code.

Imports next to nothing: a command's module is imported when its word is there. Exit codes: 0 done, 1 failed or not
understood, 127 no such command; commands have further ones of their own.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

from lictor.cli.command import Command
from lictor.cli.console import Console, Failure
from lictor.cli.flags import HelpWanted, UsageError, parse

MODULES = {
    "agent": ("agent", "Run an agent"),
    "catalog": ("catalog", "Look into the catalog"),
    "event": ("event", "Fire a user event"),
    "force-leave": ("membership", "Declare a failed member gone"),
    "info": ("info", "Show an agent's statistics"),
    "join": ("membership", "Tell an agent to join a cluster"),
    "keygen": ("keygen", "Make an encryption key"),
    "keyring": ("keyring", "Manage the keys for encryption between agents"),
    "kv": ("kv", "Read and write the key-value store"),
    "leave": ("membership", "Tell an agent to leave its cluster and stop"),
    "lock": ("lock", "Run a program while holding a lock"),
    "login": ("login", "Get a token from an auth method"),
    "logout": ("login", "Destroy a token that login gave"),
    "maint": ("maint", "Put a node or service into maintenance mode"),
    "members": ("members", "List the members of the cluster"),
    "monitor": ("monitor", "Follow an agent's log"),
    "operator": ("operator", "Look after the servers"),
    "reload": ("reload", "Tell an agent to read its configuration again"),
    "rtt": ("rtt", "Estimate the round trip time between nodes"),
    "services": ("services", "Register and deregister services"),
    "snapshot": ("snapshot", "Save, restore and inspect the servers' state"),
    "tls": ("tls", "Make certificates for agents"),
    "validate": ("validate", "Check configuration files"),
    "version": ("version", "Show the version"),
    "watch": ("watch", "Watch for changes and act on them"),
}
HELP = ("-h", "-help", "--help")
VERSION = ("-v", "-version", "--version")


def main() -> int:
    """The entry point: runs the process's command line."""
    console = Console.real()
    try:
        return run(sys.argv[1:], console)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be said, not even while Python closes the stream.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run(words: list[str], console: Console) -> int:
    """Runs a command line; gives the exit code."""
    if words and words[0] in VERSION:
        words = ["version"]
    if words and words[0] in HELP:
        console.line(overview())
        return 0
    if words and words[0].startswith("-"):
        console.complain("Flags belong behind the command that they are for.")
        return 1
    if not words or words[0] not in MODULES:
        console.complain(overview())
        return 127
    module = import_module(f"lictor.cli.{MODULES[words[0]][0]}")
    command, depth = _find(module, words)
    if command is None:
        return _group(module, words, depth, console)
    rest = words[depth:]
    try:
        if not command.child_words and any(word in HELP for word in _before_dashes(rest)):
            raise HelpWanted
        return _run(command(console), rest)
    except HelpWanted:
        from lictor.cli.help import command_help

        console.line(command_help(command))
        return 0


def _run(command: Command, words: list[str]) -> int:
    from lictor.errors import LictorError

    try:
        return command.run(words if command.own_flags else parse(command, words))
    except UsageError as error:
        command.console.complain(f"{error}\n\n`lictor {command.words} -help` tells how it is used.")
        return 1
    except Failure as error:
        command.console.complain(str(error))
        return error.code
    except LictorError as error:
        command.console.complain(f"Error! {_explained(error)}")
        return 1


def _explained(error: Exception) -> str:
    from lictor.client.errors import Forbidden, Unreachable

    hint = ""
    if isinstance(error, Unreachable):
        hint = (
            "\nIs an agent running there? `lictor agent -dev` starts one; -http-addr or CONSUL_HTTP_ADDR names another."
        )
    elif isinstance(error, Forbidden):
        hint = "\nThe token lacks the permission. -token, -token-file or CONSUL_HTTP_TOKEN gives another."
    return f"{error}{hint}"


def _find(module: ModuleType, words: list[str]) -> tuple[type[Command] | None, int]:
    """The command with the most of the words, and how many; or None and how many words name a group."""
    commands: dict[tuple[str, ...], type[Command]] = {tuple(c.words.split()): c for c in module.COMMANDS}
    depth = 0
    for depth in range(1, len(words) + 1):
        here = tuple(words[:depth])
        if here in commands:
            return commands[here], depth
        if not any(known[:depth] == here for known in commands):
            return None, depth - 1
    return None, depth


def _before_dashes(words: list[str]) -> list[str]:
    return words[: words.index("--")] if "--" in words else words


def _group(module: ModuleType, words: list[str], depth: int, console: Console) -> int:
    from lictor.cli.help import group_help

    name = " ".join(words[:depth])
    groups: dict[str, str] = getattr(module, "GROUPS", {})
    about = groups.get(name, MODULES[words[0]][1])
    text = group_help(name, about + ".", module.COMMANDS, groups)
    if any(word in HELP for word in words[depth:]):
        console.line(text)
        return 0
    console.complain(text)
    return 1


def overview() -> str:
    """All commands, a line each."""
    from lictor.cli.help import listing

    lines = ["Usage: lictor [-version] [-help] <command> [<args>]", "", "Commands:", ""]
    return "\n".join([*lines, *listing({word: about for word, (_, about) in MODULES.items()})])
