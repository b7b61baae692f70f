"""Plans for coordinates and for settings of the whole cluster."""

from __future__ import annotations

import msgspec

from lictor.server.transaction import Tx
from lictor.state.misc import Singleton
from lictor.types.kv import Coordinate


def put_coordinates(tx: Tx, coordinates: list[Coordinate]) -> None:
    """Writes coordinates of nodes that exist and have moved; others are passed over, as the reference does."""
    for coordinate in coordinates:
        if tx.get(tx.state.catalog.nodes, coordinate.node) is None:
            continue
        old = tx.get(tx.state.coordinates, coordinate.node)
        if old is None or (old.coord, old.segment) != (coordinate.coord, coordinate.segment):
            tx.put(tx.state.coordinates, coordinate, coordinate.node)


def put_setting(tx: Tx, name: str, body: bytes, index: int | None = None) -> bool:
    """Writes a setting; with an index only if it was last changed then. False when it was not."""
    old = tx.get(tx.state.singletons, name)
    if index is not None and (old.modify_index if old is not None else 0) != index:
        return False
    tx.put(
        tx.state.singletons, msgspec.structs.replace(old, body=body) if old is not None else Singleton(body=body), name
    )
    return True
