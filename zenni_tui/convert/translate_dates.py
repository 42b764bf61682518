"""SQLite's date functions (https://sqlite.org/lang_datefunc.html) on columns that PostgreSQL holds as dates and times.

The results are put together from `extract`, which is immutable where `to_char` is not, so that they fit indexes too.
SQLite reads the years 0 to 9999 and answers NULL to others.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zenni_tui.model.plan import Epoch, Kind

from .translate_source import Untranslatable
from .translate_terms import NULL, Class, Term, plain, string

Arguments = Sequence[Term]

_DIGITS = 3
"""SQLite reckons in milliseconds; finer instants would be rounded by it."""

_FIRST_SECOND, _LAST_SECOND = -62_167_219_200, 253_402_300_799
_JULIAN_1970_MILLIS = 210_866_760_000_000
_UNITS = r"(?:second|minute|hour|day)s?"
_LATER = re.compile(rf"\+?(\d{{1,5}}) ({_UNITS})", re.IGNORECASE | re.ASCII)
_START = re.compile(r"start of (day|month|year)", re.IGNORECASE)


@dataclass(frozen=True)
class _Moment:
    """An instant as PostgreSQL's timestamp in UTC, and the condition under which SQLite can read it."""

    sql: str
    valid: str

    def when_valid(self, body: str) -> str:
        return f"(CASE WHEN {self.valid} THEN {body} END)"


def _moment(arguments: Arguments) -> _Moment | None:
    if not arguments:
        raise Untranslatable("A date function without an argument means the present moment.")
    term = plain(arguments[0])
    if term.of is Class.NULL:
        return None
    modifiers = [str(m.value).strip() if m.literal else "" for m in arguments[1:]]
    modifiers = _reading(term, modifiers)
    start = _stamp(term)
    moment, sql = _Moment(start, _range(start)), start
    for modifier in modifiers:
        sql = _modified(sql, modifier)
    return moment if sql is start else _Moment(sql, f"{moment.valid} AND {_range(sql)}")


def _reading(term: Term, modifiers: list[str]) -> list[str]:
    """Return the modifiers without the one that says how the stored value is read; raises when it is read otherwise."""
    seconds = bool(modifiers) and modifiers[0].lower() == "unixepoch"
    if seconds and term.numbers is Epoch.SECONDS:
        return modifiers[1:]
    if seconds or term.numbers is not None:
        raise Untranslatable("A date function reads the stored numbers otherwise than they are meant.")
    return modifiers


def _stamp(term: Term) -> str:
    if term.of is Class.DAY:
        return f"{term.sql}::timestamp"
    if term.of is Class.CLOCK and term.size is not None and term.size <= _DIGITS:
        return f"(date '2000-01-01' + {term.sql})"
    if term.of is Class.INSTANT and term.size is not None and term.size <= _DIGITS:
        return f"timezone('UTC', {term.sql})" if term.pg is Kind.TIMESTAMPTZ else term.sql
    raise Untranslatable("A date function on something that is no date kept to the millisecond.")


def _range(sql: str) -> str:
    return f"{sql} >= timestamp '0001-01-01 00:00:00 BC' AND {sql} < timestamp '10000-01-01 00:00:00'"


def _modified(sql: str, modifier: str) -> str:
    start, later = _START.fullmatch(modifier), _LATER.fullmatch(modifier)
    if start:
        return f"date_trunc('{start[1].lower()}', {sql})"
    if later:
        return f"({sql} + interval '{later[1]} {later[2].lower()}')"
    raise Untranslatable("A modifier of a date function has no exact equivalent.")


def _padded(field: str, width: int) -> Callable[[str], str]:
    return lambda ts: f"lpad(floor(extract({field} FROM {ts}))::integer::text, {width}, '0')"


def _year(ts: str) -> str:
    # SQLite's year 0 is PostgreSQL's 1 BC.
    return f"lpad(greatest(extract(year FROM {ts}), 0)::integer::text, 4, '0')"


def _fraction(ts: str) -> str:
    millis = f"lpad(extract(milliseconds FROM {ts})::integer::text, 5, '0')"
    return f"left({millis}, 2) || '.' || right({millis}, 3)"


def _epoch(ts: str) -> str:
    return f"floor(extract(epoch FROM {ts}))::bigint"


_FIELDS: dict[str, Callable[[str], str]] = {
    "Y": _year,
    "m": _padded("month", 2),
    "d": _padded("day", 2),
    "H": _padded("hour", 2),
    "M": _padded("minute", 2),
    "S": _padded("second", 2),
    "f": _fraction,
    "s": lambda ts: f"{_epoch(ts)}::text",
    "w": _padded("dow", 1),
    "j": _padded("doy", 3),
    "%": lambda _: "'%'",
}
_PIECE = re.compile(r"%(.)|([^%]+)", re.DOTALL)


def _formatted(format_: str, ts: str) -> str:
    parts = []
    for match in _PIECE.finditer(format_):
        if match[2]:
            parts.append(string(match[2]))
        elif match[1] in _FIELDS:
            parts.append(_FIELDS[match[1]](ts))
        else:
            raise Untranslatable(f"The date format %{match[1]} has no exact equivalent.")
    if not parts or "".join(m[0] for m in _PIECE.finditer(format_)) != format_:
        raise Untranslatable("A date format is empty or ends in a percent sign.")
    return " || ".join(parts) if len(parts) > 1 else f"{parts[0]}::text"


def _text(format_: str) -> Callable[[Arguments], Term]:
    def made(a: Arguments) -> Term:
        moment = _moment(a)
        return NULL if moment is None else Term(moment.when_valid(_formatted(format_, moment.sql)), Class.TEXT)

    return made


def _strftime(a: Arguments) -> Term:
    if not isinstance(a[0].value, str):
        raise Untranslatable("The format of a strftime is no literal.")
    return _text(a[0].value)(a[1:])


def _unixepoch(a: Arguments) -> Term:
    moment = _moment(a)
    if moment is None:
        return NULL
    sql = moment.when_valid(_epoch(moment.sql))
    return Term(sql, Class.INTEGER, Kind.BIGINT, low=_FIRST_SECOND, high=_LAST_SECOND)


def _julianday(a: Arguments) -> Term:
    moment = _moment(a)
    if moment is None:
        return NULL
    millis = f"(extract(epoch FROM {moment.sql}) * 1000)::bigint + {_JULIAN_1970_MILLIS}"
    return Term(moment.when_valid(f"({millis})::double precision / 86400000"), Class.REAL, Kind.DOUBLE)


_Function = Callable[[Arguments], Term]
FUNCTIONS: dict[str, tuple[tuple[int, ...], _Function]] = {
    "date": ((), _text("%Y-%m-%d")),
    "time": ((), _text("%H:%M:%S")),
    "datetime": ((), _text("%Y-%m-%d %H:%M:%S")),
    "strftime": ((2, 3, 4, 5), _strftime),
    "unixepoch": ((), _unixepoch),
    "julianday": ((), _julianday),
}
