"""Regular expressions as the reference's `matches` takes them: RE2's syntax, searched for anywhere in the text.

RE2 itself does the work: the syntax is the reference's, the time is linear in the text whatever the expression, and the
memory has a limit. The package is imported when the first filter with `matches` comes.
"""

from __future__ import annotations

from collections.abc import Callable

from lictor.limits import FILTER_PATTERN_BYTES


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Whether a text has a match of `pattern`. Raises ValueError with what is wrong with the expression."""
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.max_mem = FILTER_PATTERN_BYTES
    options.log_errors = False
    options.never_capture = True
    try:
        search = re2.compile(pattern.encode(), options).search
    except UnicodeEncodeError:
        raise ValueError("error parsing regexp: invalid UTF-8") from None
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"error parsing regexp: {text}") from None

    def found(text: str) -> bool:
        return search(text.encode("utf-8", "surrogatepass")) is not None

    return found
