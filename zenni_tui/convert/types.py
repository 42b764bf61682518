"""Chooses a PostgreSQL type for a column that no Prisma schema describes: from its declaration and what it holds."""

import re

from zenni_tui.model.plan import Default, DefaultKind, Epoch, Kind, TargetType
from zenni_tui.model.schema import ColumnProfile, SourceColumn

_SECONDS_END = 100_000_000_000
_MILLIS_END = 100_000_000_000_000
"""10^11 seconds is the year 5138, 10^11 milliseconds is 1973; 10^14 the same for milliseconds and microseconds."""

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
        return TargetType(Kind.NUMERIC, int(arguments[1]), int(arguments[2] or 0))
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
    """Return what the integers of a date column count, from their magnitude; milliseconds when there are none."""
    ends = [abs(v) for v in (profile.smallest, profile.largest) if v is not None]
    if not ends:
        return Epoch.JULIAN if profile.reals else Epoch.MILLISECONDS
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


_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_NOW = re.compile(r"\(?\s*(current_timestamp|datetime\(\s*'now'\s*\))\s*\)?", re.IGNORECASE)
_DATES = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE)


def default_of(text: str | None, kind: Kind) -> Default | None:
    """Return a declared default for PostgreSQL, None when there is none; raises ValueError for others."""
    if text is None or text.strip().upper() in ("NULL", "(NULL)"):
        return None
    plain = text.strip()
    if _NOW.fullmatch(plain) and kind in _DATES:
        return Default(DefaultKind.NOW)
    if kind is Kind.BOOLEAN:
        return Default(DefaultKind.LITERAL, _boolean(plain))
    if _NUMBER.fullmatch(plain) and kind not in (*_DATES, Kind.TIME, Kind.BYTEA):
        return Default(DefaultKind.LITERAL, plain)
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"" and kind is not Kind.BYTEA:
        quote = plain[0]
        return Default(DefaultKind.LITERAL, plain[1:-1].replace(quote * 2, quote))
    raise ValueError(text)


def _boolean(text: str) -> str:
    word = text.strip("'\"").lower()
    if word in ("1", "true"):
        return "true"
    if word in ("0", "false"):
        return "false"
    raise ValueError(text)
