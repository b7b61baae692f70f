"""Other programs that commands run: through the user's shell or directly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def program(words: Sequence[str], env: Mapping[str, str], *, shell: bool) -> list[str]:
    """The program and arguments to start. In a shell, the words are one script for SHELL, or /bin/sh without it."""
    if shell:
        return [env.get("SHELL") or "/bin/sh", "-c", " ".join(words)]
    return list(words)


def exit_text(code: int) -> str:
    """What an exit code says: negative ones are signals."""
    if code < 0:
        from signal import Signals

        return f"signal: {Signals(-code).name}"
    return f"exit status {code}"
