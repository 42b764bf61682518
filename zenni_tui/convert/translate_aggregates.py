"""Aggregates (https://sqlite.org/lang_aggfunc.html) whose result does not depend on the order of the rows.

Averages and totals of whole numbers are exact, and so the same, as long as the sum is below 2^53.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zenni_tui.model.plan import Kind

from .translate_source import Untranslatable
from .translate_terms import INT64, NULL, TIMES, Class, Term, as_integer, held, usable
from .translate_walk import Walker

if TYPE_CHECKING:
    from sqlglot import exp

    from .translate_source import Word
    from .translate_walk import Scope

_ROWS = 1 << 50


class Grouped(Walker):
    """A walker over what stands behind a GROUP BY: aggregates, and expressions that are grouped by."""

    def __init__(self, words: "Sequence[Word]", scope: "Scope", groups: frozenset[str], inner: Walker) -> None:
        super().__init__(words, scope)
        self._groups = groups
        self._inner = inner

    def term(self, node: "exp.Expr") -> Term:
        """Return a node's term; raises Untranslatable for a column that is neither grouped by nor aggregated."""
        try:
            whole = self._inner.term(node)
        except Untranslatable:
            return super().term(node)
        if whole.sql in self._groups or whole.literal:
            return whole
        if type(node).__name__ == "Column":
            raise Untranslatable("A column is neither grouped by nor aggregated; SQLite takes it from any row.")
        return super().term(node)

    def function(self, node: Any) -> Term:
        """Return the term of an aggregate, or of a function of aggregates."""
        name = aggregate_name(self, node)
        if name is None:
            return super().function(node)
        arguments = node.expressions
        if name == "count" and (not arguments or type(arguments[0]).__name__ == "Star"):
            return _counted("count(*)")
        distinct = type(arguments[0]).__name__ == "Distinct"
        arguments = arguments[0].expressions if distinct else arguments
        if len(arguments) != 1:
            raise Untranslatable("An aggregate of more than one argument.")
        return _AGGREGATES[name](self._inner.term(arguments[0]), distinct)


def aggregate_name(walker: Walker, node: Any) -> str | None:
    """Return the name of the aggregate that a node calls, None when it calls none."""
    if type(node).__name__ != "Anonymous":
        return None
    name = str(walker.word(node.this).value).lower()
    return name if name in _AGGREGATES and len(node.expressions) <= 1 else None


def _counted(sql: str) -> Term:
    return Term(sql, Class.INTEGER, Kind.BIGINT, low=0, high=_ROWS)


def _count(term: Term, distinct: bool) -> Term:  # noqa: FBT001 - all aggregates have one signature
    if term.of is Class.NULL:
        return _counted("count(NULL)")
    return _counted(f"count(DISTINCT {distinguishable(term).sql})" if distinct else f"count({term.sql})")


def distinguishable(term: Term) -> Term:
    """Return a term whose equal values are the same to both databases; raises Untranslatable."""
    if usable(term).collation != "BINARY" or term.of is Class.ELEMENT:
        raise Untranslatable("Values that a collation takes for equal would be told apart.")
    return term


def _whole(term: Term) -> Term:
    term = held(as_integer(usable(term)))
    if term.of is not Class.INTEGER:
        raise Untranslatable("The sum of fractions depends on the order of the rows.")
    return term


def _sum(term: Term, distinct: bool) -> Term:  # noqa: FBT001 - as above
    sql = f"sum({'DISTINCT ' if distinct else ''}{_whole(term).sql})::bigint"
    return Term(sql, Class.INTEGER, Kind.BIGINT, low=INT64[0], high=INT64[1])


def _average(term: Term, distinct: bool) -> Term:  # noqa: FBT001 - as above
    inside = f"{'DISTINCT ' if distinct else ''}{_whole(term).sql}"
    return Term(f"(sum({inside})::double precision / nullif(count({inside}), 0))", Class.REAL, Kind.DOUBLE)


def _total(term: Term, distinct: bool) -> Term:  # noqa: FBT001 - as above
    sql = f"coalesce(sum({'DISTINCT ' if distinct else ''}{_whole(term).sql})::double precision, 0)"
    return Term(sql, Class.REAL, Kind.DOUBLE)


def _extreme(function: str) -> Callable[[Term, bool], Term]:
    def made(term: Term, _distinct: bool) -> Term:  # noqa: FBT001 - as above
        term = held(as_integer(distinguishable(term)))
        if term.of is Class.NULL:
            return NULL
        if term.of is Class.BLOB:
            raise Untranslatable("The least or greatest of BLOBs.")
        inside = f'{term.sql} COLLATE "C"' if term.of is Class.TEXT else term.sql
        numbers = term.numbers if term.of in TIMES else None
        return Term(
            f"{function}({inside})", term.of, term.pg, low=term.low, high=term.high, numbers=numbers, size=term.size
        )

    return made


_AGGREGATES: dict[str, Callable[[Term, bool], Term]] = {
    "count": _count,
    "sum": _sum,
    "avg": _average,
    "total": _total,
    "min": _extreme("min"),
    "max": _extreme("max"),
}
