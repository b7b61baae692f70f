"""Regular expressions in RE2's syntax, as the reference takes them: linear in time and bounded in memory.

RE2 is imported when the first expression comes. Nothing here knows what is matched against what.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lictor.limits import FILTER_PATTERN_BYTES, FILTERS_KEPT


@lru_cache(maxsize=FILTERS_KEPT)
def compile_regexp(pattern: str, *, capture: bool = False) -> Any:
    """RE2's compiled expression over UTF-8 bytes, with groups if `capture`. Raises ValueError with what is wrong."""
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.max_mem = FILTER_PATTERN_BYTES
    options.log_errors = False
    options.never_capture = not capture
    try:
        return re2.compile(pattern.encode(), options)
    except UnicodeEncodeError:
        raise ValueError("error parsing regexp: invalid UTF-8") from None
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"error parsing regexp: {text}") from None


def matches(pattern: str, text: str) -> bool:
    """True when the expression matches anywhere in the text."""
    return compile_regexp(pattern).search(text.encode("utf-8", "surrogatepass")) is not None


def groups(pattern: str, text: str) -> list[str]:
    """The first match and its groups (empty text for those that took no part); nothing without a match."""
    found = compile_regexp(pattern, capture=True).search(text.encode("utf-8", "surrogatepass"))
    if found is None:
        return []
    return [(part or b"").decode("utf-8", "replace") for part in (found.group(0), *found.groups())]
