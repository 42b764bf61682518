"""Makes a term's value fit a column's type, as SQLite's affinities do when they store it."""

from zenni_tui.model.plan import Kind, TargetType

from .translate_source import Untranslatable
from .translate_terms import EXACT, NUMBERS, TIMES, Class, Term, as_double, as_integer, as_text, held, plain, typed

_INTEGERS = (Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT)
_TEXTS = (Kind.TEXT, Kind.VARCHAR, Kind.CHAR)


def fitted(term: Term, kind: TargetType) -> str:
    """Return a value's SQL in a column's type; raises Untranslatable when SQLite would store something else."""
    term = plain(term)
    if term.of is Class.NULL:
        return "NULL"
    if kind.kind in _TEXTS and term.of in (Class.TEXT, *NUMBERS):
        return typed(as_text(term)) if term.of is Class.TEXT else as_text(term).sql
    if term.of in NUMBERS:
        return _number(term, kind)
    if kind.kind is term.pg and (term.of is Class.BLOB or term.of in TIMES):
        return term.sql
    raise Untranslatable(f"Its value is no {kind}.")


def _number(term: Term, kind: TargetType) -> str:
    if kind.kind is Kind.BOOLEAN and term.of is Class.BOOLEAN:
        return term.sql
    term = as_integer(term)
    if kind.kind in _INTEGERS and term.of is Class.INTEGER:
        return held(term).sql
    if kind.kind is Kind.DOUBLE and (term.of is not Class.INTEGER or term.bounded(EXACT)):
        return as_double(term)
    if kind.kind is Kind.NUMERIC and (term.of is Class.INTEGER or term.pg is Kind.NUMERIC):
        return f"{held(term).sql}::numeric"
    raise Untranslatable(f"Its value is not always a {kind}.")
