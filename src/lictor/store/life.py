"""The life of a store: not open yet, open, over. It has one, and refuses what is asked of it outside."""

from __future__ import annotations

from lictor.errors import StoreClosed


class Life:
    """Remembers where in its life a store is; for stores to build on."""

    def __init__(self) -> None:
        self._refusal: str | None = "the store is not open yet"
        self._claimed = self._over = False

    def _claim(self) -> None:
        """To be called first by `open`. Raises StoreClosed the second time."""
        if self._claimed or self._over:
            raise StoreClosed("a store is opened only once")
        self._claimed = True

    def _live(self) -> None:
        """From now on the store may be used, unless it was closed while it opened."""
        if self._over:
            raise StoreClosed("the store is closed")
        self._refusal = None

    def _die(self, reason: str) -> None:
        """From now on every call is refused for `reason`."""
        self._over = True
        self._refusal = reason

    def _require_open(self) -> None:
        if self._refusal is not None:
            raise StoreClosed(self._refusal)
