"""json_valid and json_extract (https://sqlite.org/json1.html) on columns that PostgreSQL holds as jsonb or json."""

import re
from collections.abc import Callable, Sequence

from zenni_tui.model.plan import Kind

from .translate_source import Untranslatable
from .translate_terms import NULL, Class, Term, string, truth

_DOCUMENTS = (Kind.JSON, Kind.JSONB)
_PATH = re.compile(r"\$((?:\.[A-Za-z_][A-Za-z0-9_]*)+)")


def _valid(a: Sequence[Term]) -> Term:
    term = a[0]
    if term.of is Class.NULL:
        return NULL
    if term.pg not in _DOCUMENTS or not term.direct:
        raise Untranslatable("Whether a text is JSON can't be told in PostgreSQL without an error where it is not.")
    # Of NULL, SQLite says 0 before 3.45 and NULL since; a CHECK that passes rejects no row that is there.
    return truth(f"(CASE WHEN {term.sql} IS NOT NULL THEN TRUE END)")


def _extract(a: Sequence[Term]) -> Term:
    term, path = a
    if term.pg is not Kind.JSONB or not term.direct:
        raise Untranslatable("json_extract of something else than a jsonb column.")
    match = _PATH.fullmatch(str(path.value)) if path.literal else None
    if match is None:
        raise Untranslatable("The path of a json_extract is not a literal of plain names.")
    names = string("{" + match[1][1:].replace(".", ",") + "}")
    return Term(f"nullif({term.sql} #> {names}, 'null'::jsonb)", Class.ELEMENT, Kind.JSONB)


FUNCTIONS: dict[str, tuple[tuple[int, ...], Callable[[Sequence[Term]], Term]]] = {
    "json_valid": ((1,), _valid),
    "json_extract": ((2,), _extract),
}
