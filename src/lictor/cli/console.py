"""What a command has of the outside: its standard streams, its environment, and the errors it may end with."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple


class Failure(Exception):
    """Ends a command with a text on standard error and an exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Console(NamedTuple):
    """The standard streams as bytes, and the environment."""

    stdin: BinaryIO
    stdout: BinaryIO
    stderr: BinaryIO
    env: Mapping[str, str]

    @classmethod
    def real(cls) -> Console:
        """The process's own."""
        return cls(sys.stdin.buffer, sys.stdout.buffer, sys.stderr.buffer, os.environ)

    def line(self, text: str | bytes = "") -> None:
        """Prints a line to standard output at once."""
        self.stdout.write((text if isinstance(text, bytes) else _bytes(text)) + b"\n")
        self.stdout.flush()

    def complain(self, text: str) -> None:
        """Prints a line to standard error."""
        self.stderr.write(_bytes(text) + b"\n")
        self.stderr.flush()

    def json(self, value: object, indent: str = "    ") -> None:
        """Prints a value as indented JSON."""
        import json

        self.line(json.dumps(value, indent=indent, ensure_ascii=False))

    def data(self, argument: str) -> bytes:
        """What an argument stands for: `-` standard input, `@FILE` that file, anything else itself.

        Raises Failure naming the file that cannot be read.
        """
        if argument == "-":
            return self.stdin.read()
        if argument.startswith("@"):
            return read_file(argument[1:])
        return _bytes(argument)


def _bytes(text: str) -> bytes:
    # Arguments and file names that are not UTF-8 come as surrogates and leave as the bytes they were.
    return text.encode("utf-8", "surrogateescape")


def read_file(path: str) -> bytes:
    """A file's bytes. Raises Failure naming it."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(f"Failed to read file {path}: {error.strerror or error}") from error
