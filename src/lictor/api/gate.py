"""Who may connect: how many connections there are, in all and from each client, and how many were turned away."""

from __future__ import annotations

from lictor import limits

TOO_MANY = (503, "too many connections to this agent")
TOO_MANY_OF_YOURS = (429, "Your IP is issuing too many concurrent connections, please rate limit your calls\n")


class Gate:
    """Counts the connections of all of an agent's HTTP addresses."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self.connections = 0
        self.refused = 0
        self.expired = 0
        """Connections cut off because their client was too slow or silent for too long."""

    def enter(self, client: str, per_client: int) -> tuple[int, str] | None:
        """Counts a connection from the address `client` (empty: local) and returns None, or why it is refused.

        That is a status and a text. `per_client` is the most that one address may have; 0 is no bound. Every one that
        was let in must `leave`.
        """
        if self.connections >= limits.CONNECTIONS:
            self.refused += 1
            return TOO_MANY
        if client:
            count = self._of.get(client, 0)
            if per_client and count >= per_client:
                self.refused += 1
                return TOO_MANY_OF_YOURS
            self._of[client] = count + 1
        self.connections += 1
        return None

    def leave(self, client: str) -> None:
        """A connection that was let in is gone."""
        self.connections -= 1
        if client:
            count = self._of[client] - 1
            if count:
                self._of[client] = count
            else:
                del self._of[client]
