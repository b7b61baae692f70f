"""Regular expressions as the reference's `matches` takes them: searched for anywhere in the text."""

from __future__ import annotations

from collections.abc import Callable

from lictor.types.regexp import compile_regexp


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Whether a text has a match of `pattern`. Raises ValueError with what is wrong with the expression."""
    search = compile_regexp(pattern).search

    def found(text: str) -> bool:
        return search(text.encode("utf-8", "surrogatepass")) is not None

    return found
