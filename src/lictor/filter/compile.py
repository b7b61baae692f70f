"""From a `?filter=` parameter and a type of records to a predicate; compiled ones are kept. No rules stand here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lictor.filter.errors import FilterError
from lictor.filter.evaluate import Predicate, build
from lictor.filter.parser import parse
from lictor.filter.schema import shape_of
from lictor.limits import FILTERS_KEPT


def compile_filter(expression: str, kind: Any) -> Predicate:
    """The test that `expression` describes for records of type `kind`: a msgspec Struct (or a map with string keys).

    The test takes an instance, or a plain dict in JSON names. An empty expression lets everything through.
    Raises FilterError, whose text is the reference's where it has one.
    """
    return _compiled(expression, kind) if expression else _everything


@lru_cache(maxsize=FILTERS_KEPT)
def _compiled(expression: str, kind: Any) -> Predicate:
    tree = parse(expression)
    shape = shape_of(kind)
    if shape is None:
        raise FilterError(f"Data type {getattr(kind, '__name__', kind)} has no evaluatable fields")
    return build(tree, shape)


def _everything(_record: Any) -> bool:
    return True
