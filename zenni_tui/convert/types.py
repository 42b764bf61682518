"""Chooses a PostgreSQL type for a column that no Prisma schema describes: from its declaration and what it holds."""

import re

from zenni_tui.model.plan import Epoch, Kind, TargetType
from zenni_tui.model.schema import ColumnProfile, SourceColumn

DATES = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE})

_SECONDS_END = 100_000_000_000
_MILLIS_END = 100_000_000_000_000
"""10^11 seconds is the year 5138, 10^11 milliseconds is 1973; 10^14 the same for milliseconds and microseconds."""

_JULIAN_FIRST, _JULIAN_END = 1_721_060, 5_373_485
"""The years 0 to 9999 in julian days, with which SQLite reckons; as seconds they all lie in early 1970."""

_PRECISION = 1000
"""The largest a numeric may declare (https://www.postgresql.org/docs/current/datatype-numeric.html)."""

_ARGUMENTS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_NAMED = {
    "DATETIME": TargetType(Kind.TIMESTAMP, 3),
    "TIMESTAMP": TargetType(Kind.TIMESTAMP, 3),
    "TIMESTAMPTZ": TargetType(Kind.TIMESTAMPTZ, 3),
    "DATE": TargetType(Kind.DATE),
    "TIME": TargetType(Kind.TIME),
    "JSONB": TargetType(Kind.JSONB),
    "JSON": TargetType(Kind.JSONB),
    "BOOLEAN": TargetType(Kind.BOOLEAN),
    "BOOL": TargetType(Kind.BOOLEAN),
}


def choose(column: SourceColumn, profile: ColumnProfile) -> TargetType:
    """Return the type for a column by its declared type's words, then SQLite's affinity rules, then its content.

    The rules of affinity are those of https://sqlite.org/datatype3.html#determination_of_column_affinity.
    """
    declared = column.declared.upper()
    word = re.split(r"[\s(]", declared, maxsplit=1)[0]
    return _NAMED.get(word) or _by_affinity(declared, profile)


def _by_affinity(declared: str, profile: ColumnProfile) -> TargetType:
    if "INT" in declared:
        return TargetType(Kind.BIGINT)
    if any(part in declared for part in ("CHAR", "CLOB", "TEXT")):
        return TargetType(Kind.TEXT)
    if not declared or "BLOB" in declared or declared == "ANY":
        return by_content(profile, TargetType(Kind.BYTEA if "BLOB" in declared else Kind.TEXT))
    if any(part in declared for part in ("REAL", "FLOA", "DOUB")):
        return TargetType(Kind.DOUBLE)
    if declared.startswith(("DECIMAL", "NUMERIC")):
        return _numeric(declared)
    return by_content(profile, TargetType(Kind.NUMERIC))


def _numeric(declared: str) -> TargetType:
    arguments = _ARGUMENTS.search(declared)
    precision, scale = (int(arguments[1]), int(arguments[2] or 0)) if arguments else (0, 0)
    if not max(1, scale) <= precision <= _PRECISION:
        return TargetType(Kind.NUMERIC)
    return TargetType(Kind.NUMERIC, precision, scale)


def by_content(profile: ColumnProfile, empty: TargetType) -> TargetType:
    """Return the narrowest type that holds all of a column's classes; `empty` when it holds only NULL."""
    if profile.blobs:
        return TargetType(Kind.BYTEA)
    if profile.texts:
        return TargetType(Kind.TEXT)
    if profile.reals:
        wide = max(abs(profile.smallest or 0), abs(profile.largest or 0)) > 1 << 53
        return TargetType(Kind.NUMERIC if wide else Kind.DOUBLE)
    return TargetType(Kind.BIGINT) if profile.integers else empty


def mixed(profile: ColumnProfile) -> bool:
    """Return whether a column holds values of classes that no one type keeps apart."""
    return (profile.texts > 0) + (profile.blobs > 0) + (profile.integers + profile.reals > 0) > 1


def epochs_of(profile: ColumnProfile) -> tuple[Epoch, ...]:
    """Return what the numbers of a date column may count, by their magnitude; more than one when they disagree."""
    if not profile.integers:
        # SQLite's julianday() gives REALs; an application's fractional seconds since 1970 are REALs too.
        return (Epoch.JULIAN,) if profile.reals else (Epoch.MILLISECONDS,)
    low, high = abs(profile.smallest or 0), abs(profile.largest or 0)
    if min(low, high) >= _JULIAN_FIRST and max(low, high) < _JULIAN_END:
        # A column of numeric affinity stores the julian day of a noon as an integer.
        return (Epoch.JULIAN,) if profile.reals else (Epoch.JULIAN, Epoch.SECONDS)
    found = tuple(dict.fromkeys((_epoch(max(low, high)), _epoch(min(low, high)))))
    return found if profile.smallest != 0 and profile.largest != 0 else found[:1]


def _epoch(size: int) -> Epoch:
    if size < _SECONDS_END:
        return Epoch.SECONDS
    return Epoch.MILLISECONDS if size < _MILLIS_END else Epoch.MICROSECONDS


def conclusive(kind: TargetType, profile: ColumnProfile) -> bool:
    """Return whether the profile alone proves that every value has a faithful form in the type."""
    if profile.suspect_text:
        return False
    if kind.kind is Kind.TEXT:
        return not profile.blobs
    if kind.kind is Kind.BYTEA:
        return not (profile.texts or profile.integers or profile.reals)
    if profile.texts or profile.blobs:
        return False
    return _numbers_fit(kind.kind, profile)


def _numbers_fit(kind: Kind, profile: ColumnProfile) -> bool:
    low, high = profile.smallest or 0, profile.largest or 0
    bounds = {Kind.SMALLINT: 1 << 15, Kind.INTEGER: 1 << 31, Kind.BIGINT: 1 << 63, Kind.DOUBLE: 1 << 53}
    if kind in bounds:
        whole = kind is Kind.DOUBLE or not profile.reals
        return whole and -bounds[kind] <= low and high < bounds[kind]
    if kind in DATES:
        return not (profile.integers or profile.reals)
    return kind is Kind.BOOLEAN and not profile.reals and low >= 0 and high <= 1
