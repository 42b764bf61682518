"""DEFAULTs (https://sqlite.org/lang_createtable.html#the_default_clause) in PostgreSQL's terms.

SQLite's CURRENT_TIMESTAMP is UTC, so a `timestamp` column gets `timezone('UTC', now())`, which does not depend on the
session's zone; for `timestamptz` it is CURRENT_TIMESTAMP itself. The moment keeps the column's own precision.
"""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from zenni_tui.model.plan import Default, DefaultKind, Epoch, Kind, TargetType

from . import dates, documents
from . import translate_source as source
from .translate_moments import MOMENTS, Moments, moment_of
from .translate_source import Untranslatable
from .translate_terms import INT64, Class, Term
from .translate_values import fitted
from .translate_walk import Scope
from .unfit import Unfit

_INTEGERS = {Kind.SMALLINT: 1 << 15, Kind.INTEGER: 1 << 31, Kind.BIGINT: 1 << 63}
_TEXTS = (Kind.TEXT, Kind.VARCHAR, Kind.CHAR, Kind.ENUM)
_TIMES = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE, Kind.TIME)
_TRUE = ("1", "t", "true", "y", "yes", "on")
_FALSE = ("0", "f", "false", "n", "no", "off")
_MICROS = 6
_SHOWN_DIGITS = 15
"""SQLite writes a real as text with this many significant digits."""


def default(text: str, kind: TargetType) -> Default | None:
    """Return a declared default for a column of that type, None for NULL; raises Untranslatable.

    `text` is as PRAGMA table_info gives it, with or without parentheses.
    """
    tokens = source.scan(text)
    if "".join(t.text for t in tokens).strip("()") == "[]":
        return _empty_list(kind)
    if len(tokens) == 1 and tokens[0].kind == "name":
        # SQLite takes a lone name for a string.
        return _constant(str(source.word(tokens[0]).value), kind)
    return _computed(text, kind)


def _empty_list(kind: TargetType) -> Default:
    """Prisma writes DEFAULT [] for an empty list; to SQLite that is an empty string."""
    return _constant("[]" if kind.kind in (Kind.JSON, Kind.JSONB) else "", kind)


def _computed(text: str, kind: TargetType) -> Default | None:
    read = source.expression(text)
    walker = Moments(read.words, Scope({}))
    if kind.kind in _TIMES and moment_of(walker, read.tree):
        if kind.kind is Kind.TIMESTAMPTZ:
            return Default(DefaultKind.NOW)
        return Default(DefaultKind.EXPRESSION, MOMENTS[kind.kind])
    try:
        term = walker.term(read.tree)
    except RecursionError:
        raise Untranslatable("It is nested too deeply.") from None
    if term.of is Class.NULL:
        return None
    if term.literal and term.value is not None:
        return _constant(term.value, kind)
    return Default(DefaultKind.EXPRESSION, _random_uuid(term, kind) or fitted(term, kind))


def _random_uuid(term: Term, kind: TargetType) -> str | None:
    """Return PostgreSQL's own function where SQLite puts a UUID together from random bytes."""
    return "gen_random_uuid()" if kind.kind is Kind.UUID and "uuid_send(gen_random_uuid())" in term.sql else None


def _constant(value: float | str | bytes, kind: TargetType) -> Default:
    maker = next((make for kinds, make in _MAKERS if kind.kind in kinds), None)
    if maker is None:
        raise Untranslatable(f"A constant has no form as {kind}.")
    try:
        return Default(DefaultKind.LITERAL, maker(value, kind))
    except Unfit as unfit:
        raise Untranslatable(f"The value can't be kept: {unfit.reason}.") from None


def _as_number(value: float | str | bytes) -> int | float:
    """Return a number as a numeric affinity makes it; raises Untranslatable for what stays a text."""
    if isinstance(value, bytes):
        raise Untranslatable("A BLOB is no number.")
    try:
        number = float(value) if "." in str(value) or "e" in str(value).lower() else int(value)
    except (ValueError, OverflowError):
        number = math.nan
    if math.isnan(number) or (isinstance(value, str) and not value.isascii()) or "_" in str(value):
        raise Untranslatable("A text that is no number.")
    return int(number) if math.isfinite(number) and number == int(number) and abs(number) <= INT64[1] else number


def _whole(value: float | str | bytes, kind: TargetType) -> str:
    number, end = _as_number(value), _INTEGERS[kind.kind]
    if not isinstance(number, int) or not -end <= number < end:
        raise Untranslatable(f"The number does not fit {kind}.")
    return str(number)


def _fraction(value: float | str | bytes, kind: TargetType) -> str:
    number = _as_number(value)
    if not math.isfinite(number):
        raise Untranslatable("An infinite default.")
    if kind.kind is not Kind.NUMERIC:
        return repr(number) if isinstance(number, float) else str(number)
    exact = Decimal(repr(number))
    if kind.size is not None:
        _, digits, exponent = exact.normalize().as_tuple()
        scale, below = kind.scale or 0, int(exponent)
        if -below > scale or len(digits) + below > kind.size - scale:
            raise Untranslatable(f"The number does not fit {kind}.")
    return f"{exact:f}"


def _boolean(value: float | str | bytes, _: TargetType) -> str:
    word = str(int(value)) if isinstance(value, int | float) and value in (0, 1) else str(value).lower()
    if isinstance(value, bytes) or word not in (*_TRUE, *_FALSE):
        raise Untranslatable("It is neither 0 nor 1, true nor false.")
    return "true" if word in _TRUE else "false"


def _text(value: float | str | bytes, kind: TargetType) -> str:
    if isinstance(value, bytes):
        raise Untranslatable("A BLOB is no text.")
    text = _shown(value) if isinstance(value, float) else str(value)
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Untranslatable("The text holds a NUL character or is not valid UTF-8.")
    if kind.size is not None and len(text) > kind.size:
        raise Untranslatable(f"The text is longer than {kind}.")
    return text


def _shown(value: float) -> str:
    shown = repr(value)
    if "e" in shown or "inf" in shown or len(shown.replace(".", "").strip("-0")) > _SHOWN_DIGITS:
        raise Untranslatable("SQLite's spelling of this number as text is not certain.")
    return shown


def _bytes(value: float | str | bytes, _: TargetType) -> str:
    if not isinstance(value, bytes):
        raise Untranslatable("It is no BLOB.")
    return f"\\x{value.hex()}"


def _document(value: float | str | bytes, kind: TargetType) -> str:
    text = _text(value, TargetType(Kind.TEXT))
    documents.check(text, binary=kind.kind is Kind.JSONB)
    return text


def _date(value: float | str | bytes, kind: TargetType) -> str:
    if not isinstance(value, str):
        raise Untranslatable("A bare number as the default of a date is ambiguous.")
    if kind.kind is Kind.DATE:
        return _moment(dates.day(value, Epoch.MILLISECONDS) * dates.DAY).date().isoformat()
    digits = _MICROS if kind.size is None else kind.size
    if kind.kind is Kind.TIME:
        return _moment(dates.clock(value, digits)).time().isoformat()
    shown = _moment(dates.instant(value, Epoch.MILLISECONDS, digits)).isoformat(" ")
    return f"{shown}+00" if kind.kind is Kind.TIMESTAMPTZ else shown


def _moment(micros: int) -> datetime:
    try:
        return datetime(1970, 1, 1) + timedelta(microseconds=micros)  # noqa: DTZ001 - UTC, as all instants here
    except OverflowError:
        raise Untranslatable("A date beyond the years 1 to 9999.") from None


_MAKERS: Sequence[tuple[Sequence[Kind], Callable[[float | str | bytes, TargetType], str]]] = (
    (tuple(_INTEGERS), _whole),
    ((Kind.NUMERIC, Kind.DOUBLE, Kind.REAL), _fraction),
    ((Kind.BOOLEAN,), _boolean),
    (_TEXTS, _text),
    ((Kind.BYTEA,), _bytes),
    ((Kind.JSON, Kind.JSONB), _document),
    (_TIMES, _date),
)
