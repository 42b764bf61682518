"""Chooses a PostgreSQL type for a column that no Prisma schema describes: from its declaration and what it holds."""

import re

from zenni_tui.model.plan import Default, DefaultKind, Epoch, Kind, TargetType
from zenni_tui.model.schema import ColumnProfile, SourceColumn

from . import dates, documents

_SECONDS_END = 100_000_000_000
_MILLIS_END = 100_000_000_000_000
"""10^11 seconds is the year 5138, 10^11 milliseconds is 1973; 10^14 the same for milliseconds and microseconds."""

_JULIAN_FIRST = 1_721_060
_JULIAN_END = 5_373_485
"""The years 0 to 9999 in julian days, as far as SQLite reckons with them; in seconds that is early 1970."""

_PRECISION = 1000
"""The largest that a numeric may declare (https://www.postgresql.org/docs/current/datatype-numeric.html)."""

_ARGUMENTS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")


def choose(column: SourceColumn, profile: ColumnProfile) -> TargetType:
    """Return the type for a column by its declared type's words, then SQLite's affinity rules, then its content.

    The rules of affinity are those of https://sqlite.org/datatype3.html#determination_of_column_affinity.
    """
    declared = column.declared.upper()
    word = re.split(r"[\s(]", declared, maxsplit=1)[0]
    if word in ("DATETIME", "TIMESTAMP"):
        return TargetType(Kind.TIMESTAMP, 3)
    named = {
        "DATE": Kind.DATE,
        "TIME": Kind.TIME,
        "JSONB": Kind.JSONB,
        "JSON": Kind.JSONB,
        "BOOLEAN": Kind.BOOLEAN,
        "BOOL": Kind.BOOLEAN,
    }
    if word in named:
        return TargetType(named[word])
    return _by_affinity(declared, profile)


def _by_affinity(declared: str, profile: ColumnProfile) -> TargetType:
    if "INT" in declared:
        return TargetType(Kind.BIGINT)
    if any(part in declared for part in ("CHAR", "CLOB", "TEXT")):
        return TargetType(Kind.TEXT)
    if not declared or "BLOB" in declared:
        return _by_content(profile, TargetType(Kind.BYTEA if declared else Kind.TEXT))
    if any(part in declared for part in ("REAL", "FLOA", "DOUB")):
        return TargetType(Kind.DOUBLE)
    arguments = _ARGUMENTS.search(declared)
    if declared.startswith(("DECIMAL", "NUMERIC")) and arguments and not profile.texts:
        precision, scale = int(arguments[1]), int(arguments[2] or 0)
        return (
            TargetType(Kind.NUMERIC, precision, scale) if scale <= precision <= _PRECISION else TargetType(Kind.NUMERIC)
        )
    return TargetType(Kind.NUMERIC) if not profile.texts else _by_content(profile, TargetType(Kind.NUMERIC))


def _by_content(profile: ColumnProfile, empty: TargetType) -> TargetType:
    numbers = profile.integers + profile.reals
    if profile.blobs:
        return TargetType(Kind.BYTEA)
    if profile.texts:
        return TargetType(Kind.TEXT)
    if profile.reals:
        return TargetType(Kind.DOUBLE)
    return TargetType(Kind.BIGINT) if numbers else empty


def epoch_of(profile: ColumnProfile) -> Epoch:
    """Return what the numbers of a date column count, from their magnitude; milliseconds when there are none."""
    ends = [abs(v) for v in (profile.smallest, profile.largest) if v is not None]
    if not ends:
        return Epoch.JULIAN if profile.reals else Epoch.MILLISECONDS
    # SQLite stores a julian day at noon as an integer where the column's affinity is numeric.
    if min(ends) >= _JULIAN_FIRST and max(ends) < _JULIAN_END:
        return Epoch.JULIAN
    if max(ends) < _SECONDS_END:
        return Epoch.SECONDS
    return Epoch.MILLISECONDS if max(ends) < _MILLIS_END else Epoch.MICROSECONDS


def conclusive(kind: Kind, profile: ColumnProfile) -> bool:
    """Return whether the profile alone proves that every value has a faithful form in the type."""
    if profile.suspect_text:
        return False
    if kind is Kind.TEXT:
        return not profile.blobs
    if kind is Kind.BYTEA:
        return not (profile.texts or profile.integers or profile.reals)
    if profile.texts or profile.blobs:
        return False
    low, high = profile.smallest or 0, profile.largest or 0
    bounds = {Kind.SMALLINT: 1 << 15, Kind.INTEGER: 1 << 31, Kind.BIGINT: 1 << 63, Kind.DOUBLE: 1 << 53}
    if kind in bounds:
        whole = kind is Kind.DOUBLE or not profile.reals
        return whole and -bounds[kind] <= low and high < bounds[kind]
    return kind is Kind.BOOLEAN and not profile.reals and low >= 0 and high <= 1


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_PRINTED = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
"""Whole numbers that SQLite's TEXT affinity leaves as they are written."""
_STRING = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"]|\"\")*)\"")
_ZONED = re.compile(r"[+-].*|.*:.*[+-].*", re.DOTALL)
"""Signed years and offsets, which a literal of type timestamp can't have or would ignore."""
_NOW = re.compile(r"\(?\s*(current_timestamp|datetime\(\s*'now'\s*\))\s*\)?", re.IGNORECASE)
_DATES = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE)
_INTEGERS = (Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT)
_NUMBERS = (Kind.REAL, Kind.DOUBLE, Kind.NUMERIC)


def default_of(text: str | None, kind: Kind) -> Default | None:
    """Return a declared default for PostgreSQL, None when there is none; raises ValueError for others."""
    if text is None or text.strip().upper() in ("NULL", "(NULL)"):
        return None
    plain = text.strip()
    if _NOW.fullmatch(plain) and kind in _DATES:
        return Default(DefaultKind.NOW)
    if kind is Kind.BOOLEAN:
        return Default(DefaultKind.LITERAL, _boolean(plain))
    string = _STRING.fullmatch(plain)
    if string is not None:
        words = string[1].replace("''", "'") if string[1] is not None else string[2].replace('""', '"')
    elif (_PRINTED if kind is Kind.TEXT else _NUMBER).fullmatch(plain):
        words = plain
    else:
        raise ValueError(text)
    _suits(words, kind, bare=string is None)
    return Default(DefaultKind.LITERAL, words)


def _suits(words: str, kind: Kind, *, bare: bool) -> None:
    """Raise ValueError when PostgreSQL would refuse a literal of that type, or read it otherwise than SQLite."""
    if kind in _INTEGERS:
        good = _WHOLE.fullmatch(words) is not None
    elif kind in _NUMBERS:
        good = _NUMBER.fullmatch(words) is not None
    elif kind in _DATES or kind is Kind.TIME:
        good = not bare and not _ZONED.fullmatch(words)
        _read(words, kind)
    else:
        good = kind is not Kind.BYTEA and "\0" not in words
        if kind in (Kind.JSON, Kind.JSONB):
            documents.check(words, binary=kind is Kind.JSONB)
    if not good:
        raise ValueError(words)


def _read(words: str, kind: Kind) -> None:
    if kind is Kind.TIME:
        dates.clock(words)
    elif kind is Kind.DATE:
        dates.day(words, Epoch.MILLISECONDS)
    else:
        dates.instant(words, Epoch.MILLISECONDS, 6)


def _boolean(text: str) -> str:
    word = text.strip("'\"").lower()
    if word in ("1", "true"):
        return "true"
    if word in ("0", "false"):
        return "false"
    raise ValueError(text)
