"""Numbers: SQLite's 64-bit integers and doubles, with its NULL for a division by zero.

Bounds on whole numbers tell where bigint is enough. What may exceed it is reckoned in numeric, where SQLite goes over
to doubles: that is right for a comparison with a number within 64 bits. Elsewhere such a value is cast to bigint, so
that PostgreSQL refuses the row with an error, as it does where a double overflows or underflows.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from zenni_tui.model.plan import Kind

from .translate_source import Untranslatable
from .translate_terms import EXACT, INT64, NULL, NUMBERS, Class, Term, as_double, as_integer, held, literal, plain

Bounds = tuple[int, int]

_SHIFT_END = 64


def number(term: Term) -> Term:
    """Return an operand of arithmetic; raises Untranslatable for texts and dates, which SQLite reads as numbers."""
    term = held(as_integer(plain(term)))
    if term.of in NUMBERS or term.of is Class.NULL:
        return term
    raise Untranslatable("Arithmetic on a value that is no number.")


def integer(term: Term) -> Term:
    """Return an operand that must be a whole number within 64 bits."""
    term = number(term)
    if term.of is Class.NULL or term.whole:
        return term
    raise Untranslatable("An operation on whole numbers meets something else.")


def arithmetic(op: str, left: Term, right: Term) -> Term:
    """Return the term of +, -, *, / or %; raises Untranslatable."""
    left, right = number(left), number(right)
    if Class.NULL in (left.of, right.of):
        return NULL
    if op == "%":
        return _modulo(integer(left), integer(right))
    if left.of is Class.INTEGER and right.of is Class.INTEGER:
        return _divided(left, right) if op == "/" else _whole(op, left, right)
    if Class.REAL in (left.of, right.of):
        return _real(op, left, right)
    return _mixed(op, left, right)


def _bounds(op: str, left: Term, right: Term) -> Bounds | None:
    if None in (left.low, left.high, right.low, right.high):
        return None
    a, b, c, d = (int(v) for v in (left.low or 0, left.high or 0, right.low or 0, right.high or 0))
    if op == "+":
        return a + c, b + d
    if op == "-":
        return a - d, b - c
    products = (a * c, a * d, b * c, b * d)
    return min(products), max(products)


def _within(bounds: Bounds, end: int) -> bool:
    return -end <= bounds[0] and bounds[1] < end


def _whole(op: str, left: Term, right: Term) -> Term:
    bounds = _bounds(op, left, right)
    if bounds is not None and _within(bounds, -INT64[0]):
        first, second = _big(left, right)
        return Term(f"({first} {op} {second})", Class.INTEGER, Kind.BIGINT, low=bounds[0], high=bounds[1])
    low, high = bounds or (None, None)
    sql = f"({left.sql}::numeric {op} {right.sql})"
    return Term(sql, Class.INTEGER, Kind.NUMERIC, low=low, high=high)


def _big(left: Term, right: Term) -> tuple[str, str]:
    """Return both operands so that PostgreSQL reckons in bigint."""
    big = any(t.pg is Kind.BIGINT and not t.literal for t in (left, right))
    return (left.sql if big else f"{left.sql}::bigint"), right.sql


def _divided(left: Term, right: Term) -> Term:
    if right.literal and right.value == 0:
        return NULL
    left, right = integer(left), integer(right)
    divisor = right.sql if right.literal else f"nullif({right.sql}, 0)"
    # The smallest by -1 is the one quotient that exceeds 64 bits.
    if left.low == INT64[0] and (right.low or 0) <= -1 <= (right.high or 0):
        sql = f"div({left.sql}::numeric, {divisor})"
        return Term(sql, Class.INTEGER, Kind.NUMERIC, low=INT64[0], high=INT64[1] + 1)
    first, second = _big(left, replace(right, sql=divisor))
    size = max(abs(left.low or 0), abs(left.high or 0))
    return Term(f"({first} / {second})", Class.INTEGER, Kind.BIGINT, low=-size, high=min(size, INT64[1]))


def _modulo(left: Term, right: Term) -> Term:
    if right.literal and right.value == 0:
        return NULL
    divisor = right.sql if right.literal else f"nullif({right.sql}, 0)"
    first, second = _big(left, replace(right, sql=divisor))
    size = min(max(abs(right.low or 0), abs(right.high or 0)) - 1, INT64[1])
    low = 0 if (left.low or 0) >= 0 and left.low is not None else -size
    return Term(f"({first} % {second})", Class.INTEGER, Kind.BIGINT, low=low, high=size)


def _real(op: str, left: Term, right: Term) -> Term:
    """At least one is a real, so both are doubles."""
    first, second = as_double(left), as_double(right)
    if op == "/":
        if right.literal and right.value == 0:
            return NULL
        second = second if right.literal else f"nullif({second}, 0)"
    sql = f"({first} {op} {second})"
    # SQLite has no NaN: it is NULL. One side that is neither zero nor infinite can't make it.
    safe = right.finite or (left.finite and op != "/")
    return Term(sql if safe else f"nullif({sql}, 'NaN')", Class.REAL, Kind.DOUBLE)


def _mixed(op: str, left: Term, right: Term) -> Term:
    """Integers or reals, row by row: the same as doubles as long as the integers stay exact."""
    bounds = _bounds(op, left, right)
    if op == "/" or bounds is None or not _within(bounds, EXACT) or not (left.bounded(EXACT) and right.bounded(EXACT)):
        raise Untranslatable("Arithmetic on a column that holds both whole numbers and fractions.")
    sql = f"({as_double(left)} {op} {as_double(right)})"
    return Term(sql, Class.NUMBER, Kind.DOUBLE, low=bounds[0], high=bounds[1])


def negative(term: Term) -> Term:
    """Return -x; a literal's sign is part of it."""
    term = number(term)
    if term.literal and isinstance(term.value, int | float):
        return literal(-term.value)
    if term.of is Class.NULL:
        return NULL
    if term.of is Class.INTEGER:
        return _whole("-", literal(0), term)
    low, high = (None, None) if term.low is None or term.high is None else (-term.high, -term.low)
    # SQLite subtracts from 0, so that there is no -0.0.
    return replace(term, sql=f"(0 - {term.sql})", low=low, high=high)


def bits(op: str, left: Term, right: Term) -> Term:
    """Return the term of &, |, << or >>; shifts by literals of 0 to 63 only."""
    left, right = integer(left), integer(right)
    if Class.NULL in (left.of, right.of):
        return NULL
    if op in ("<<", ">>"):
        if not (right.literal and isinstance(right.value, int) and 0 <= right.value < _SHIFT_END):
            raise Untranslatable("A shift by anything but a literal of 0 to 63.")
        sql = f"({left.sql}::bigint {op} {right.sql})"
    else:
        sql = f"({left.sql}::bigint {op} {right.sql}::bigint)"
    return Term(sql, Class.INTEGER, Kind.BIGINT, low=INT64[0], high=INT64[1])


def inverted(term: Term) -> Term:
    """Return ~x."""
    term = integer(term)
    if term.of is Class.NULL:
        return NULL
    return Term(f"(~ {term.sql}::bigint)", Class.INTEGER, Kind.BIGINT, low=INT64[0], high=INT64[1])


ARITHMETIC: dict[str, Callable[[Term, Term], Term]] = {
    **{op: partial(arithmetic, op) for op in "+-*/%"},
    **{op: partial(bits, op) for op in ("&", "|", "<<", ">>")},
}
