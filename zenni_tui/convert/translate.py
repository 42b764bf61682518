"""SQLite's SQL in PostgreSQL's terms: rules, expressions, defaults and views that surely mean the same, or a refusal.

A translation means the same for every value that the target type holds and that SQLite can have stored: truth with
NULL, affinities, storage classes and collations included. Booleans are taken to be stored as 0 and 1, dates as text in
one form and in UTC, unless a `Column` says otherwise. Far out PostgreSQL may refuse a row with an error where SQLite
has an answer, but never answers otherwise: where arithmetic on whole numbers exceeds 64 bits, and SQLite goes over to
doubles, and where a double overflows to infinity or underflows to zero.
"""

from zenni_tui.model.plan import Kind, TargetType

from . import translate_source as source
from .translate_defaults import default
from .translate_relations import Tables
from .translate_source import Untranslatable
from .translate_terms import (
    Class,
    Column,
    Columns,
    Term,
    as_integer,
    column,
    condition,
    held,
    identifier,
    typed,
    usable,
)
from .translate_values import fitted
from .translate_view import view, view_columns
from .translate_walk import Scope, Walker

__all__ = [
    "Column",
    "Columns",
    "Tables",
    "Untranslatable",
    "boolean",
    "column",
    "default",
    "expression",
    "view",
    "view_columns",
]


def _term(text: str, columns: Columns) -> Term:
    read = source.expression(text)
    try:
        return Walker(read.words, Scope(columns)).term(read.tree)
    except RecursionError:
        raise Untranslatable("It is nested too deeply.") from None


def expression(text: str, columns: Columns, kind: TargetType | None = None, *, indexed: bool = False) -> str:
    """Return a scalar expression in PostgreSQL's terms, every name in it quoted; raises Untranslatable.

    `columns` maps SQLite's column names, compared without case, to what is known of them. With `kind` the result has
    that type, else a truth value is the integer 0 or 1. `indexed` refuses what an index or a generated column may not
    hold.
    """
    term = _term(text, columns)
    if term.explicit and term.collation != "BINARY":
        raise Untranslatable("A COLLATE around the whole expression belongs to the index, not to the value.")
    _check_place(term, columns, indexed=indexed)
    if kind is not None:
        return fitted(term, kind)
    if term.direct:
        return term.sql
    return typed(term) if term.of is Class.TEXT else held(as_integer(usable(term))).sql


def boolean(text: str, columns: Columns, *, indexed: bool = False) -> str:
    """Return a condition as a PostgreSQL boolean, NULL where SQLite's is NULL; raises Untranslatable.

    `indexed` refuses what the WHERE of a partial index may not hold.
    """
    term = _term(text, columns)
    _check_place(term, columns, indexed=indexed)
    return condition(term)


def _check_place(term: Term, columns: Columns, *, indexed: bool) -> None:
    """Raise Untranslatable for what is not immutable where an index needs it."""
    enums = [identifier(c[0]) for c in columns.values() if c[1].kind is Kind.ENUM]
    if indexed and any(f"{name}::text" in term.sql for name in enums):
        raise Untranslatable("An enum's text is not immutable in PostgreSQL, so that no index may hold it.")
    if term.of is Class.ELEMENT:
        raise Untranslatable("What json_extract returns has no fixed type.")
