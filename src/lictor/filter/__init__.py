"""The `?filter=` expression language: text to a predicate over records.

    wanted = compile_filter('Meta.env == prod and v2 in Tags', Node)
    rows = [row for row in rows if wanted(row)]

It goes text -> `parser` -> expression tree (`syntax`) -> checked against the record's type (`schema`, `coerce`,
`patterns`) -> closures (`evaluate`). Everything here is pure. Source: the grammar, the field rules and the evaluation
of go-bexpr 0.1.2, which the reference (1.10) filters with, and the conformance scenarios.
"""

from lictor.filter.compile import compile_filter
from lictor.filter.errors import FilterError

__all__ = ["FilterError", "compile_filter"]
