"""What one run of a check found: a status and a text, both bounded. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Outcome(NamedTuple):
    """A status (`passing`, `warning` or `critical`) and the text that explains it."""

    status: str
    output: str


class Tail:
    """The last `keep` bytes of a stream, and how many there were in all."""

    __slots__ = ("_data", "_keep", "total")

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._data = bytearray()
        self.total = 0

    def add(self, chunk: bytes) -> None:
        """Takes the stream's next bytes."""
        self.total += len(chunk)
        self._data += chunk[-self._keep :]
        if len(self._data) > self._keep:
            del self._data[: -self._keep]

    def text(self) -> str:
        """What was kept; bytes that are no UTF-8 are replaced."""
        return self._data.decode(errors="replace")

    def captured(self) -> str:
        """What was kept, after a line that says so when something was lost (the reference's form for scripts)."""
        if self.total <= self._keep:
            return self.text()
        return f"Captured {len(self._data)} of {self.total} bytes\n...\n{self.text()}"


def cut(output: str, keep: int) -> str:
    """`output` with at most `keep` bytes, and the reference's remark behind it when it was longer."""
    data = output.encode()
    if len(data) <= keep:
        return output
    return f"{data[:keep].decode(errors='ignore')} ... (captured {keep} of {len(data)} bytes)"
