"""Comparisons: SQLite's affinities, storage class order and collations (https://sqlite.org/datatype3.html, 4 to 7)."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from zenni_tui.model.plan import Epoch, Kind

from .translate_source import Untranslatable
from .translate_terms import (
    DOUBTFUL,
    EXACT,
    INT64,
    NUMBERS,
    TIMES,
    Class,
    Term,
    as_double,
    as_integer,
    as_text,
    held,
    literal,
    string,
    truth,
    usable,
)

ORDERS = ("<", "<=", ">", ">=")
_NUMERIC = ("integer", "real", "numeric")
_RANK = {**dict.fromkeys(NUMBERS, 1), Class.TEXT: 2, Class.BLOB: 3}
_IS = {"IS": "IS NOT DISTINCT FROM", "IS NOT": "IS DISTINCT FROM"}
_WELL_FORMED = re.compile(r"[ \t\n\v\f\r]*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ \t\n\v\f\r]*", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_MICROS: dict[Epoch | None, int] = {Epoch.SECONDS: 1_000_000, Epoch.MILLISECONDS: 1000, Epoch.MICROSECONDS: 1}

Pair = tuple[str, str]


def compare(op: str, left: Term, right: Term, *, affinities: bool = True) -> Term:
    """Return the boolean of a comparison; `op` is =, <>, <, <=, >, >=, IS or IS NOT. Raises Untranslatable.

    Functions such as nullif compare without `affinities`.
    """
    if Class.NULL in (left.of, right.of):
        return _with_null(op, left, right)
    left, right = usable(left), usable(right)
    if affinities:
        left, right = _converted(left, right), _converted(right, left)
    if Class.ELEMENT in (left.of, right.of):
        return truth(_joined(op, _element(op, left, right)))
    if left.of in TIMES or right.of in TIMES:
        return truth(_joined(op, _times(op, left, right)))
    if _RANK[left.of] != _RANK[right.of]:
        if DOUBTFUL in (left.affinity, right.affinity):
            raise Untranslatable("The affinity of a computed column decides, and SQLite's releases differ in it.")
        return _never(op, left, right)
    if left.of in NUMBERS:
        return truth(_numbers(op, left, right))
    return truth(_joined(op, _texts(op, left, right) if left.of is Class.TEXT else (left.sql, right.sql)))


def among(left: Term, members: list[Term]) -> Term:
    """Return the boolean of `left IN (members)`; the members' own affinities and collations don't count."""
    if not members:
        return truth("FALSE")
    bare = [replace(m, affinity=None, collation="BINARY", explicit=False) for m in members]
    compared = [compare("=", left, m).sql for m in bare]
    listed = _listed(compared)
    return truth(listed or f"({' OR '.join(compared)})")


def _listed(compared: list[str]) -> str | None:
    """Return `x IN (...)` when all comparisons have the same left side."""
    parts = [c[1:-1].split(" = ") for c in compared]
    if any(len(p) != 2 or "(" in p[0] or "'" in p[0] or p[0] != parts[0][0] for p in parts):  # noqa: PLR2004 - two sides
        return None
    return f"({parts[0][0]} IN ({', '.join(p[1] for p in parts)}))"


def _joined(op: str, pair: Pair) -> str:
    return f"({pair[0]} {_IS.get(op, op)} {pair[1]})"


def _with_null(op: str, left: Term, right: Term) -> Term:
    other = right if left.of is Class.NULL else left
    if op in _IS:
        return truth("TRUE" if op == "IS" else "FALSE") if other.of is Class.NULL else truth(f"({other.sql} {op} NULL)")
    return truth("NULL::boolean")


def _never(op: str, left: Term, right: Term) -> Term:
    """Values of different storage classes: a number is less than a text, a text less than a blob."""
    if op in _IS:
        nulls = f"({left.sql} IS NULL AND {right.sql} IS NULL)"
        return truth(nulls if op == "IS" else f"(NOT {nulls})")
    less = _RANK[left.of] < _RANK[right.of]
    holds = {"=": False, "<>": True, "<": less, "<=": less}.get(op, not less)
    known = " AND ".join(f"{t.sql} IS NOT NULL" for t in (left, right) if not t.literal) or "TRUE"
    return truth(f"(CASE WHEN {known} THEN {str(holds).upper()} END)")


def _converted(term: Term, other: Term) -> Term:
    """Return a term as the other side's affinity makes it."""
    numeric = other.affinity in _NUMERIC
    if numeric and term.affinity not in _NUMERIC and term.of is Class.TEXT and other.of not in TIMES:
        return _as_number(term, other)
    if other.affinity == "text" and term.affinity is None and term.of in NUMBERS:
        return as_text(term)
    return term


def _as_number(term: Term, other: Term) -> Term:
    if not term.literal or (other.of is Class.BOOLEAN and str(term.value).lower() in ("true", "false")):
        raise Untranslatable(
            "A text is compared with a number, and whether it looks like one is known row by row only."
        )
    match = _WELL_FORMED.fullmatch(str(term.value))
    if match is None:
        return term
    whole = match[1].lstrip("+-").isdigit() and len(match[1]) < len(str(INT64[1]))
    return literal(int(match[1]) if whole else float(match[1]))


def _numbers(op: str, left: Term, right: Term) -> str:
    if Class.BOOLEAN in (left.of, right.of):
        pair = _booleans(left, right)
        if pair is not None:
            return _joined(op, pair)
        left, right = as_integer(left), as_integer(right)
    if left.of is Class.INTEGER and right.of is Class.INTEGER:
        return _joined(op, _whole_numbers(left, right))
    left, right = held(left), held(right)
    for one, two, turned in ((left, right, False), (right, left, True)):
        pair = _against(one, two)
        if pair is not None:
            return _joined(op, (pair[1], pair[0]) if turned else pair)
    if left.of is Class.INTEGER and right.pg is Kind.DOUBLE:
        return _whole_and_double(op, left, right)
    if right.of is Class.INTEGER and left.pg is Kind.DOUBLE:
        return _whole_and_double(_TURNED[op], right, left)
    raise Untranslatable("Whole numbers and fractions beyond a double's precision are compared.")


def _whole_numbers(left: Term, right: Term) -> Pair:
    """Return both sides; one beyond 64 bits is told from one within, but for the smallest, which a double can equal."""
    if left.whole and right.whole:
        return left.sql, right.sql
    smallest = any(t.low is None or t.low <= INT64[0] for t in (left, right) if t.whole)
    if smallest or not (left.whole or right.whole):
        return held(left).sql, held(right).sql
    return left.sql, right.sql


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>", "IS": "IS", "IS NOT": "IS NOT"}


def _booleans(left: Term, right: Term) -> Pair | None:
    """Return both sides as PostgreSQL booleans where a literal other than 0 and 1 doesn't forbid it."""
    sides = []
    for term in (left, right):
        if term.of is Class.BOOLEAN:
            sides.append(term.sql)
        elif term.literal and term.value in (0, 1):
            sides.append("TRUE" if term.value else "FALSE")
        else:
            return None
    return sides[0], sides[1]


def _against(one: Term, two: Term) -> Pair | None:
    """Return the sides of a comparison in one PostgreSQL type in which it is exact, None when `two` decides it."""
    if two.of is Class.REAL and two.literal and one.of is not Class.REAL and one.pg is not Kind.DOUBLE:
        return _with_constant(one, float(str(two.value)))
    if one.of is Class.NUMBER and one.pg is Kind.NUMERIC and two.of is Class.INTEGER:
        return one.sql, two.sql
    if _fits_double(one) and _fits_double(two):
        # PostgreSQL makes a small literal a double by itself.
        return _double(one), _double(two)
    return None


def _double(term: Term) -> str:
    return term.sql if term.literal else as_double(term)


def _fits_double(term: Term) -> bool:
    return term.pg in (Kind.DOUBLE, Kind.REAL) or term.bounded(EXACT)


def _with_constant(one: Term, constant: float) -> Pair:
    if constant in (float("inf"), float("-inf")):
        return as_double(one), literal(constant).sql
    if abs(constant) > EXACT and one.of is Class.NUMBER and not one.bounded(EXACT):
        raise Untranslatable("A decimal number is compared with one beyond a double's precision.")
    # The shortest decimal stands for a fraction; a whole one must be exact, for it is compared with whole numbers.
    exact = str(int(constant)) if constant.is_integer() else f"{Decimal(repr(constant)):f}"
    return one.sql, exact if constant >= 0 else f"({exact})"


def _whole_and_double(op: str, whole: Term, double: Term) -> str:
    """Compare as SQLite's sqlite3IntFloatCompare does: by the exact values, without rounding the whole number."""
    if op in _IS:
        same = f"coalesce({_whole_and_double('=', whole, double)}, {whole.sql} IS NULL AND {double.sql} IS NULL)"
        return same if op == "IS" else f"(NOT {same})"
    number, d = f"{whole.sql}::bigint", double.sql
    beyond = {"<": ("TRUE", "FALSE"), "<=": ("TRUE", "FALSE"), "=": ("FALSE", "FALSE"), "<>": ("TRUE", "TRUE")}
    above, below = beyond.get(op, ("FALSE", "TRUE"))
    within = {
        "=": f"{d} = floor({d}) AND {number} = floor({d})::bigint",
        "<>": f"{d} <> floor({d}) OR {number} <> floor({d})::bigint",
        "<": f"{number} < ceil({d})::bigint",
        ">=": f"{number} >= ceil({d})::bigint",
        "<=": f"{number} <= floor({d})::bigint",
        ">": f"{number} > floor({d})::bigint",
    }[op]
    # The ceiling of a double just below 2^63 is below it too.
    ends = f"WHEN {d} >= 9223372036854775808 THEN {above} WHEN {d} < -9223372036854775808 THEN {below}"
    return f"(CASE WHEN {whole.sql} IS NULL OR {d} IS NULL THEN NULL {ends} ELSE {within} END)"


def collated(term: Term, collation: str) -> str:
    """Return a text as a collation sees it: NOCASE folds A to Z, RTRIM leaves out spaces at the end."""
    if collation == "BINARY":
        return term.sql
    sql = f"{term.sql}::text" if term.literal else term.sql
    made = {"NOCASE": f'lower({sql} COLLATE "C")', "RTRIM": f"rtrim({sql}, ' ')"}.get(collation)
    if made is None:
        raise Untranslatable(f"The collation {collation} belongs to the application.")
    return made


def collation_of(left: Term, right: Term) -> str:
    """Return the collation that decides: an explicit one, else a column's, the left before the right."""
    for test in _PRECEDENCE:
        for term in (left, right):
            if test(term):
                return term.collation
    return "BINARY"


_PRECEDENCE: tuple[Callable[[Term], bool], ...] = (lambda t: t.explicit, lambda t: t.direct)


def _texts(op: str, left: Term, right: Term) -> Pair:
    collation = collation_of(left, right)
    first, second = collated(left, collation), collated(right, collation)
    # SQLite orders by bytes, PostgreSQL by the database's language; equality is by bytes in both.
    return (f'{first} COLLATE "C"' if op in ORDERS else first), second


def _times(op: str, left: Term, right: Term) -> Pair:
    if left.of == right.of and left.pg == right.pg and left.numbers == right.numbers:
        return left.sql, right.sql
    for one, two, turned in ((left, right, False), (right, left, True)):
        if two.literal and isinstance(two.value, str) and one.of is not Class.CLOCK and one.numbers is None:
            pair = _from_day(_TURNED[op] if turned else op, one, two.value)
            return (pair[1], pair[0]) if turned else pair
        if two.literal and isinstance(two.value, int) and one.of is Class.INSTANT and one.numbers in _MICROS:
            pair = one.sql, _moment(one, two.value * _MICROS[one.numbers])
            return (pair[1], pair[0]) if turned else pair
    raise Untranslatable("A date is compared with something that is stored otherwise.")


def _from_day(op: str, moment: Term, text: str) -> Pair:
    # All texts of a day begin with it: none is less, and only later days are not less than the next.
    if op not in (">=", "<") or not _is_day(text):
        raise Untranslatable(
            "A date is compared with a text as text; only >= and < a day (YYYY-MM-DD) surely mean time."
        )
    kind = "date" if moment.of is Class.DAY else "timestamp"
    zoned = f"timezone('UTC', {moment.sql})" if moment.pg is Kind.TIMESTAMPTZ else moment.sql
    return zoned, f"{string(text)}::{kind}"


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _moment(moment: Term, micros: int) -> str:
    try:
        at = datetime(1970, 1, 1) + timedelta(microseconds=micros)  # noqa: DTZ001 - UTC, as all instants here
    except OverflowError:
        raise Untranslatable("A date is compared with a number beyond the years 1 to 9999.") from None
    zone, kind = ("+00", "timestamptz") if moment.pg is Kind.TIMESTAMPTZ else ("", "timestamp")
    return f"'{at.isoformat(' ')}{zone}'::{kind}"


def _element(op: str, left: Term, right: Term) -> Pair:
    for one, two in ((left, right), (right, left)):
        if one.of is Class.ELEMENT and two.literal and isinstance(two.value, str) and op not in ORDERS:
            if two.value[:1] in ("{", "[") or two.affinity is not None:
                break
            return one.sql, f"{string(json.dumps(two.value, ensure_ascii=False))}::jsonb"
    raise Untranslatable("What json_extract returns has no fixed type; only strings and NULL can be compared with it.")
