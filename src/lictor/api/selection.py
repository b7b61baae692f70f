"""What narrows and orders a list of answers: ?node-meta, ?tag, ?filter, ?near."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from lictor.api.context import Context
from lictor.api.http import Request
from lictor.filter import compile_filter
from lictor.state.cells import Cell
from lictor.state.distance import nearest
from lictor.types.catalog import Node

T = TypeVar("T")


def filtered(request: Request, rows: list[T], kind: type[T]) -> list[T]:
    """The rows that ?filter lets through."""
    expression = request.param("filter")
    if not expression:
        return rows
    keep = compile_filter(expression, kind)
    return [row for row in rows if keep(row)]


def node_meta(request: Request) -> dict[str, str]:
    """What ?node-meta=key:value asks of a node's metadata; several must all hold."""
    wanted: dict[str, str] = {}
    for pair in request.params.get("node-meta", ()):
        key, _, value = pair.partition(":")
        wanted[key] = value
    return wanted


def has_meta(node: Node, wanted: dict[str, str]) -> bool:
    """True when a node's metadata holds every pair wanted."""
    meta = node.meta or {}
    return all(meta.get(key) == value for key, value in wanted.items())


def has_tags(tags: Iterable[str], wanted: Iterable[str]) -> bool:
    """True when all the tags wanted are there, whatever their case."""
    low = {tag.lower() for tag in tags}
    return all(tag.lower() in low for tag in wanted)


def by_distance(
    context: Context, request: Request, rows: list[T], node_of: Callable[[T], str]
) -> tuple[list[T], tuple[Cell, ...]]:
    """The rows from the nearest node to ?near to the farthest, those of unknown place last; and the cells looked at."""
    near = request.param("near")
    if not near:
        return rows, ()
    if near == "_agent":
        near = context.node_of(request)
    rows, cells, _ = nearest(context.state, near, rows, node_of)
    return rows, cells
