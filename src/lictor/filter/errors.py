"""What is wrong with a filter, in the reference's words. It must not know the language."""

from __future__ import annotations

import json

from lictor.errors import Refused


class FilterError(Refused):
    """A filter that cannot be used. `reason` names the place or the selector; the reference answers 500 to it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Failed to create boolean expression evaluator: {reason}")
        self.reason = reason


def quoted(text: str) -> str:
    """`text` in double quotes for a message. What UTF-8 cannot hold is shown as an escape, so that it can be sent."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
