"""Packets kept ready: by a question's bytes, valid while the cells behind it stand still, with the instances in turn.

A packet is everything after the id. Knows neither names nor sockets.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from lictor import limits
from lictor.state.cells import Cell

_REFRESH = 127
"""After so many answers one variant is made anew; prime to the number of variants, so that each has its turn."""
_OVERHEAD_BYTES = 600
"""What an entry takes besides its packets, roughly."""


class Ready:
    """One question's packets. `render` makes another one, in another order; without it there is just the first."""

    __slots__ = ("_packets", "_render", "_stamp", "_turn", "size")

    def __init__(self, packet: bytes, cells: list[Cell], render: Callable[[], bytes] | None) -> None:
        self._packets = [packet]
        self._stamp = tuple({id(cell): (cell, cell.index) for cell in cells}.values())
        self._render = render
        self._turn = 0
        self.size = _OVERHEAD_BYTES + len(packet) * (limits.DNS_VARIANTS if render is not None else 1)

    def packet(self) -> bytes | None:
        """The next packet in turn; None once a cell has moved."""
        for cell, index in self._stamp:
            if cell.index != index:
                return None
        packets, render = self._packets, self._render
        if render is None:
            return packets[0]
        if len(packets) < limits.DNS_VARIANTS:
            packets.append(render())
            return packets[-1]
        turn = self._turn = self._turn + 1
        slot = turn % limits.DNS_VARIANTS
        if not turn % _REFRESH:
            packets[slot] = render()
        return packets[slot]


class Shelf:
    """Ready packets by key, bounded in number and bytes; the oldest go first."""

    def __init__(self) -> None:
        self.entries: OrderedDict[bytes, Ready] = OrderedDict()
        self._bytes = 0

    def put(self, key: bytes, entry: Ready) -> None:
        """Keeps an entry under a question's bytes."""
        self.drop(key)
        self.entries[key] = entry
        self._bytes += entry.size + len(key)
        while self._bytes > limits.DNS_READY_BYTES or len(self.entries) > limits.DNS_READY_NAMES:
            self.drop(next(iter(self.entries)))

    def drop(self, key: bytes) -> None:
        """Forgets a question's packets, if there are any."""
        entry = self.entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size + len(key)

    def clear(self) -> None:
        """Forgets all."""
        self.entries.clear()
        self._bytes = 0
