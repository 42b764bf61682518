"""CAST (https://sqlite.org/lang_expr.html#castexpr): what SQLite makes of a value when it is told its type."""

from dataclasses import replace

from zenni_tui.model.plan import Kind

from .translate_source import Untranslatable
from .translate_terms import INT64, NULL, NUMBERS, Class, Term, as_double, as_integer, as_text, held, plain, typed


def cast(term: Term, to: str) -> Term:
    """Return CAST(term AS to), `to` being an affinity; raises Untranslatable. A column keeps its collation."""
    made = _made(as_integer(plain(term)), to)
    if made.of is Class.NULL:
        return NULL
    return replace(made, collation=term.collation, direct=term.direct, explicit=term.explicit, affinity=to)


def _made(term: Term, to: str) -> Term:
    if term.of is Class.NULL:
        return NULL
    if to == "text":
        return as_text(term)
    if to == "integer" or (to == "numeric" and term.of is Class.INTEGER):
        return _to_integer(term)
    if to == "real" and term.of in NUMBERS:
        return Term(as_double(term), Class.REAL, Kind.DOUBLE)
    if to == "blob" and term.of is Class.BLOB:
        return term
    raise Untranslatable("A CAST reads or writes a value as SQLite alone does.")


def _to_integer(term: Term) -> Term:
    if term.of is Class.INTEGER:
        return held(term)
    if term.of is Class.REAL:
        d = term.sql
        ends = f"WHEN {d} >= {INT64[1] + 1} THEN {INT64[1]} WHEN {d} <= ({INT64[0]}) THEN ({INT64[0]})::bigint"
        sql = f"(CASE {ends} ELSE trunc({d})::bigint END)"
    elif term.of is Class.TEXT:
        sql = _read(typed(term))
    else:
        raise Untranslatable("A CAST to an integer of something else than a number or text.")
    return Term(sql, Class.INTEGER, Kind.BIGINT, low=INT64[0], high=INT64[1])


def _read(text: str) -> str:
    """Return the number at a text's beginning, 0 when there is none; twenty digits are beyond 64 bits already."""
    space = "[ \\t\\n\\v\\f\\r]*"
    digits = f"substring({text} from E'^{space}[+-]?0*([0-9]{{1,20}})')::numeric"
    sign = f"CASE WHEN {text} ~ E'^{space}-' THEN -1 ELSE 1 END"
    held = f"greatest(least(coalesce({digits}, 0) * {sign}, {INT64[1]}), ({INT64[0]}))::bigint"
    return f"(CASE WHEN {text} IS NOT NULL THEN {held} END)"
