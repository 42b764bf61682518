"""SQLite's scalar functions (https://sqlite.org/lang_corefunc.html) that have an exact form in PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from zenni_tui.model.plan import Kind

from . import translate_dates as dates
from . import translate_json as json
from .translate_arithmetic import number
from .translate_compare import compare
from .translate_patterns import glob, like
from .translate_source import Untranslatable
from .translate_terms import (
    INT64,
    NULL,
    NUMBERS,
    TIMES,
    Class,
    Term,
    as_double,
    as_integer,
    as_text,
    condition,
    held,
    literal,
    plain,
    typed,
)

Arguments = Sequence[Term]
Function = Callable[[Arguments], Term]

_INT32 = (-(1 << 31) + 1, (1 << 31) - 1)
_TEXT_LENGTH = 1 << 30
_HALF = 1 << 52


def _text(sql: str) -> Term:
    return Term(sql, Class.TEXT, Kind.TEXT)


def _count(sql: str) -> Term:
    return Term(sql, Class.INTEGER, Kind.INTEGER, low=0, high=_TEXT_LENGTH)


def united(terms: Arguments) -> tuple[list[str], Term]:
    """Return the terms' texts in one PostgreSQL type, and a term of that type, for CASE and the like.

    Raises Untranslatable when the result's storage class would differ row by row.
    """
    given = [held(plain(t)) for t in terms]
    real = [t for t in given if t.of is not Class.NULL]
    if not real:
        return ["NULL::text" for _ in given], NULL
    classes = {t.of for t in real}
    if classes <= {Class.BOOLEAN, Class.INTEGER} and all(t.of is Class.BOOLEAN or t.value in (0, 1) for t in real):
        return _united_booleans(given)
    if classes <= {Class.BOOLEAN, Class.INTEGER}:
        return _united_integers([as_integer(t) for t in given])
    if classes <= NUMBERS:
        return _united_numbers([as_integer(t) for t in given])
    if len(classes) > 1 or real[0].of is Class.ELEMENT or (real[0].of in TIMES and len({t.pg for t in real}) > 1):
        raise Untranslatable("The result would be of one type in some rows and of another in others.")
    first = next((t for t in real if not t.literal), real[0])
    return [typed(t) if t.of is Class.TEXT else t.sql for t in given], replace(first, literal=False, value=None)


def _united_booleans(given: Arguments) -> tuple[list[str], Term]:
    if all(t.of is not Class.BOOLEAN for t in given):
        return _united_integers(given)
    words = {0: "FALSE", 1: "TRUE"}
    sqls = [t.sql if t.of in (Class.BOOLEAN, Class.NULL) else words[int(str(t.value))] for t in given]
    return sqls, Term("", Class.BOOLEAN, Kind.BOOLEAN, low=0, high=1)


def _united_integers(given: Arguments) -> tuple[list[str], Term]:
    known = [t for t in given if t.of is not Class.NULL]
    low, high = min(t.low or 0 for t in known), max(t.high or 0 for t in known)
    return [f"{t.sql}::bigint" for t in given], Term("", Class.INTEGER, Kind.BIGINT, low=low, high=high)


def _united_numbers(given: Arguments) -> tuple[list[str], Term]:
    known = [t for t in given if t.of is not Class.NULL]
    whole = [t for t in known if t.of is not Class.REAL]
    if any(not t.bounded(1 << 53) for t in whole):
        raise Untranslatable("Whole numbers beyond a double's precision and fractions are mixed.")
    sqls = [as_double(t) if t.of is not Class.NULL else "NULL" for t in given]
    if not whole:
        return sqls, Term("", Class.REAL, Kind.DOUBLE)
    low, high = min(t.low or 0 for t in whole), max(t.high or 0 for t in whole)
    return sqls, Term("", Class.NUMBER, Kind.DOUBLE, low=low, high=high)


def _coalesce(a: Arguments) -> Term:
    _at_least(a, 2)
    sqls, made = united(a)
    return made if made.of is Class.NULL else replace(made, sql=f"coalesce({', '.join(sqls)})")


def _at_least(a: Arguments, count: int) -> None:
    if len(a) < count:
        raise Untranslatable("A function lacks arguments.")


def _nullif(a: Arguments) -> Term:
    same = compare("=", replace(a[0], affinity=None), replace(a[1], affinity=None), affinities=False)
    first = plain(a[0])
    if first.of is Class.NULL:
        return NULL
    sql = typed(first) if first.of is Class.TEXT else first.sql
    return replace(first, sql=f"(CASE WHEN {same.sql} THEN NULL ELSE {sql} END)", literal=False, value=None)


def chosen(cases: Sequence[tuple[str, Term]], default: Term) -> Term:
    """Return the CASE of conditions and results."""
    sqls, made = united([*(t for _, t in cases), default])
    if made.of is Class.NULL:
        return NULL
    whens = " ".join(f"WHEN {when} THEN {sql}" for (when, _), sql in zip(cases, sqls, strict=False))
    return replace(made, sql=f"(CASE {whens} ELSE {sqls[-1]} END)", literal=False, value=None)


def _iif(a: Arguments) -> Term:
    return chosen([(condition(a[0]), a[1])], a[2] if len(a) > 2 else NULL)  # noqa: PLR2004 - the third is optional


def _extreme(function: str) -> Function:
    def made(a: Arguments) -> Term:
        _at_least(a, 2)
        if any(t.collation != "BINARY" for t in a):
            raise Untranslatable("Texts with a collation of their own are compared by min or max.")
        sqls, one = united(a)
        if one.of is Class.NULL or any(t.of is Class.NULL for t in a):
            return NULL
        if one.of in TIMES or one.of is Class.BLOB:
            raise Untranslatable("The least or greatest of dates or blobs.")
        if one.of is Class.NUMBER:
            raise Untranslatable("The least or greatest of whole numbers and fractions keeps its own type.")
        compared = [f'{s} COLLATE "C"' for s in sqls] if one.of is Class.TEXT else sqls
        call = f"{function}({', '.join(compared)})"
        nulls = " OR ".join(f"{s} IS NULL" for s, t in zip(sqls, a, strict=True) if not t.literal)
        return replace(one, sql=f"(CASE WHEN {nulls} THEN NULL ELSE {call} END)" if nulls else call)

    return made


def _length(a: Arguments) -> Term:
    term = plain(a[0])
    if term.of is Class.NULL:
        return NULL
    if term.of is Class.BLOB:
        return _count(f"octet_length({term.sql})")
    return _count(f"char_length({typed(as_text(term))})")


def _substring(a: Arguments) -> Term:
    _at_least(a, 2)
    subject, start = plain(a[0]), number(a[1])
    length = number(a[2]) if len(a) > 2 else None  # noqa: PLR2004 - the third is optional
    if Class.NULL in (subject.of, start.of) or (length is not None and length.of is Class.NULL):
        return NULL
    blob = subject.of is Class.BLOB
    sql = subject.sql if blob else typed(as_text(subject))
    measure = f"octet_length({sql})" if blob else f"char_length({sql})"
    first = _start(start, measure)
    # An empty blob is as good as NULL to SQLite's substr.
    sql = f"nullif({sql}, ''::bytea)" if blob else sql
    cut = f"substr({sql}, {first})" if length is None else f"substr({sql}, {first}, {_extent(start, length)})"
    return Term(cut, Class.BLOB, Kind.BYTEA) if blob else _text(cut)


def _start(start: Term, measure: str) -> str:
    if start.of is not Class.INTEGER or not start.bounded(_INT32[1]):
        raise Untranslatable("The start of a substr is no small whole number.")
    if start.low is not None and start.low >= 0:
        return f"{start.sql}::integer" if start.pg is not Kind.INTEGER else start.sql
    if start.high is not None and start.high < 0 and start.bounded(_TEXT_LENGTH):
        return f"({measure} + 1 + {start.sql}::integer)"
    raise Untranslatable("The start of a substr is of uncertain sign.")


def _extent(start: Term, length: Term) -> str:
    if length.of is not Class.INTEGER or not length.bounded(_INT32[1]):
        raise Untranslatable("The length of a substr is no small whole number.")
    sql = f"{length.sql}::integer"
    if length.low is not None and length.low >= 0:
        return length.sql if length.pg is Kind.INTEGER else sql
    if start.value == 1:
        # A negative length takes the characters before the start: none.
        return f"greatest({sql}, 0)"
    raise Untranslatable("The length of a substr may be negative.")


def _instr(a: Arguments) -> Term:
    one, two = plain(a[0]), plain(a[1])
    if Class.NULL in (one.of, two.of):
        return NULL
    if one.of is Class.BLOB and two.of is Class.BLOB:
        return _count(f"position({two.sql} IN {one.sql})")
    return _count(f"strpos({typed(as_text(one))}, {typed(as_text(two))})")


def _folded(function: str) -> Function:
    return _on_text(lambda sql: f'{function}({sql} COLLATE "C")')


def _on_text(make: Callable[[str], str]) -> Function:
    def made(a: Arguments) -> Term:
        term = as_text(plain(a[0]))
        return NULL if term.of is Class.NULL else _text(make(typed(term)))

    return made


def _trim(function: str) -> Function:
    def made(a: Arguments) -> Term:
        terms = [as_text(plain(t)) for t in a]
        if any(t.of is Class.NULL for t in terms):
            return NULL
        return _text(f"{function}({', '.join(typed(t) for t in terms)})")

    return made


def _replace(a: Arguments) -> Term:
    terms = [as_text(plain(t)) for t in a]
    if any(t.of is Class.NULL for t in terms):
        return NULL if terms[1].value else _refuse("replace with an empty or unknown part and NULL")
    if not (terms[1].value or terms[2].literal):
        return _refuse("replace with two unknown parts")
    return _text(f"replace({', '.join(typed(t) for t in terms)})")


def _refuse(what: str) -> Term:
    raise Untranslatable(f"The meaning of {what} differs in PostgreSQL.")


def _abs(a: Arguments) -> Term:
    term = number(a[0])
    if term.of in (Class.NULL, Class.NUMBER):
        return NULL if term.of is Class.NULL else _refuse("abs of a column of whole numbers and fractions")
    if term.of is Class.REAL:
        # SQLite leaves -0.0 as it is.
        sql = f"(CASE WHEN {term.sql} < 0 THEN - {term.sql} ELSE {term.sql} END)"
        return replace(term, sql=sql, literal=False, value=None)
    # Of the smallest it is an error in both databases.
    high = min(max(abs(term.low or 0), abs(term.high or 0)), INT64[1])
    return Term(f"abs({term.sql}::bigint)", Class.INTEGER, Kind.BIGINT, low=0, high=high)


def _round(a: Arguments) -> Term:
    if len(a) > 1 and a[1].value != 0:
        return _refuse("round to a number of digits, which goes by way of text in SQLite,")
    term = number(a[0])
    if term.of is Class.NULL:
        return NULL
    x = as_double(term)
    # Halves go away from zero in SQLite, to the even number in PostgreSQL; the sum makes -0.0 a zero.
    near = f"CASE WHEN {x} < 0 THEN ceil({x} - 0.5) ELSE floor({x} + 0.5) END + 0.0"
    return Term(f"(CASE WHEN abs({x}) < {_HALF} THEN {near} ELSE {x} END)", Class.REAL, Kind.DOUBLE)


def _sign(a: Arguments) -> Term:
    term = number(a[0])
    if term.of is Class.NULL:
        return NULL
    return Term(f"sign({term.sql})::integer", Class.INTEGER, Kind.INTEGER, low=-1, high=1)


def _hex(a: Arguments) -> Term:
    term = plain(a[0])
    if term.of is not Class.BLOB:
        # convert_to is not immutable in PostgreSQL.
        return _refuse("hex of something else than a BLOB")
    return _text(f"coalesce(upper(encode({term.sql}, 'hex')), '')")


_TYPE_NAMES = {
    Class.INTEGER: "integer",
    Class.BOOLEAN: "integer",
    Class.REAL: "real",
    Class.TEXT: "text",
    Class.BLOB: "blob",
    Class.NULL: "null",
}


def _typeof(a: Arguments) -> Term:
    term = held(plain(a[0]))
    name = _TYPE_NAMES.get(term.of)
    if name is None:
        return _refuse("typeof of a value that is not always of one type")
    if term.literal:
        return literal(name)
    return _text(f"(CASE WHEN {term.sql} IS NULL THEN 'null' ELSE '{name}' END)")


FUNCTIONS: dict[str, tuple[tuple[int, ...], Function]] = {
    "coalesce": ((), _coalesce),
    "ifnull": ((2,), _coalesce),
    "nullif": ((2,), _nullif),
    "iif": ((2, 3), _iif),
    "if": ((2, 3), _iif),
    "min": ((), _extreme("least")),
    "max": ((), _extreme("greatest")),
    "length": ((1,), _length),
    "substr": ((2, 3), _substring),
    "substring": ((2, 3), _substring),
    "instr": ((2,), _instr),
    "lower": ((1,), _folded("lower")),
    "upper": ((1,), _folded("upper")),
    "trim": ((1, 2), _trim("btrim")),
    "ltrim": ((1, 2), _trim("ltrim")),
    "rtrim": ((1, 2), _trim("rtrim")),
    "replace": ((3,), _replace),
    "abs": ((1,), _abs),
    "round": ((1, 2), _round),
    "sign": ((1,), _sign),
    "typeof": ((1,), _typeof),
    "hex": ((1,), _hex),
    "likely": ((1,), lambda a: a[0]),
    "unlikely": ((1,), lambda a: a[0]),
    "like": ((2, 3), lambda a: like(a[1], a[0], *a[2:])),
    "glob": ((2,), lambda a: glob(a[1], a[0])),
    **dates.FUNCTIONS,
    **json.FUNCTIONS,
}


def call(name: str, arguments: Arguments) -> Term:
    """Return the term of a function call; raises Untranslatable for a function unknown here."""
    counts, function = FUNCTIONS.get(name.lower(), ((), None))
    if function is None:
        raise Untranslatable(f"The function {name} has no certain equivalent in PostgreSQL.")
    if counts and len(arguments) not in counts:
        raise Untranslatable(f"The function {name} has an unusual number of arguments.")
    return function(arguments)
