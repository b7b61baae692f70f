"""A listener between its load and the stream of changes: it hears of nothing until its load has returned."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lictor.store.base import Event, Listener


class Subscription:
    """Holds what happens during a load, since the listener has nothing yet to apply changes to."""

    def __init__(self, listener: Listener) -> None:
        self._listener: Listener | None = listener
        self._held: list[tuple[int, Sequence[Event]]] | None = []

    def __call__(self, revision: int, events: Sequence[Event]) -> None:
        if self._held is not None:
            self._held.append((revision, events))
        elif self._listener is not None:
            try:
                self._listener(revision, events)
            except Exception as error:
                # A listener's fault must not keep others from hearing, nor a commit that is durable from returning.
                context = {"message": f"a store's listener failed at revision {revision}", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)

    @property
    def held(self) -> Sequence[tuple[int, Sequence[Event]]]:
        """What has happened so far during the load."""
        return self._held or ()

    def forget(self, revision: int) -> list[tuple[int, Sequence[Event]]]:
        """Drops and returns what is held of revisions up to this one: the load has them."""
        held = self._held or []
        self._held = [change for change in held if change[0] > revision]
        return [change for change in held if change[0] <= revision]

    def loaded(self) -> None:
        """The load returns now, and what was held meanwhile follows it."""
        if self._held:
            asyncio.get_running_loop().call_soon(self._release)
        else:
            self._held = None

    def cancel(self) -> None:
        """The load failed, and nothing follows it."""
        self._listener = self._held = None

    def _release(self) -> None:
        held, self._held = self._held, None
        for revision, events in held or ():
            self(revision, events)
