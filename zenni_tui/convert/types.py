"""Chooses a PostgreSQL type for a column that no Prisma schema describes: from its declaration and what it holds."""

import re

from zenni_tui.model.plan import Epoch, Kind, TargetType
from zenni_tui.model.record import Record
from zenni_tui.model.schema import ColumnProfile, SourceColumn

DATES = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE})

_SECONDS_END = 100_000_000_000
_MILLIS_END = 100_000_000_000_000
"""10^11 seconds is the year 5138, 10^11 milliseconds is 1973; 10^14 the same for milliseconds and microseconds."""

_END_OF_TIME = (253_402_128_000_000, 253_402_387_200_000)
"""30 December 9999 to 2 January 10000 in milliseconds, as which applications write "never ends".

As microseconds it is four minutes of January 1978.
"""

_JULIAN_FIRST, _JULIAN_END = 1_721_060, 5_373_485
"""The years 0 to 9999 in julian days, with which SQLite reckons; as seconds they all lie in early 1970."""

_PRECISION = 1000
"""The largest a numeric may declare (https://www.postgresql.org/docs/current/datatype-numeric.html)."""

_ARGUMENTS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_INTEGER = re.compile(r"\b(?:TINY|SMALL|MEDIUM|BIG)?(?:INT|INTEGER)\d*\b", re.ASCII)
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
        # The rule also catches POINT and FLOATING POINT, whose values decide better.
        return TargetType(Kind.BIGINT) if _INTEGER.search(declared) else by_content(profile, TargetType(Kind.BIGINT))
    if any(part in declared for part in ("CHAR", "CLOB", "TEXT")):
        return TargetType(Kind.TEXT)
    if "BLOB" in declared:
        return TargetType(Kind.BYTEA) if profile.blobs else by_content(profile, TargetType(Kind.BYTEA))
    if declared in ("", "ANY"):
        return by_content(profile, TargetType(Kind.TEXT))
    if any(part in declared for part in ("REAL", "FLOA", "DOUB")):
        return TargetType(Kind.DOUBLE)
    decimal = declared.startswith(("DECIMAL", "NUMERIC"))
    return _numeric(declared) if decimal else by_content(profile, TargetType(Kind.NUMERIC))


def _numeric(declared: str) -> TargetType:
    arguments = _ARGUMENTS.search(declared)
    precision, scale = (int(arguments[1]), int(arguments[2] or 0)) if arguments else (0, 0)
    if not max(1, scale) <= precision <= _PRECISION:
        return TargetType(Kind.NUMERIC)
    return TargetType(Kind.NUMERIC, precision, scale)


def by_content(profile: ColumnProfile, empty: TargetType) -> TargetType:
    """Return the narrowest type that holds most of a column's classes; `empty` when it holds only NULL."""
    numbers = profile.integers + profile.reals
    if profile.blobs and not (profile.texts or numbers):
        return TargetType(Kind.BYTEA)
    if profile.texts or profile.blobs:
        return TargetType(Kind.TEXT)
    if profile.reals:
        wide = max(abs(profile.smallest or 0), abs(profile.largest or 0)) > 1 << 53
        return TargetType(Kind.NUMERIC if wide else Kind.DOUBLE)
    return TargetType(Kind.BIGINT) if numbers else empty


def mixed(profile: ColumnProfile) -> bool:
    """Return whether a column holds values of classes that no one type keeps apart."""
    return (profile.texts > 0) + (profile.blobs > 0) + (profile.integers + profile.reals > 0) > 1


class Reading(Record, frozen=True):
    """How a date column's numbers are read; `others` are what they may mean as well, `torn` when both must occur."""

    epoch: Epoch
    others: tuple[Epoch, ...] = ()
    torn: bool = False


def reading_of(profile: ColumnProfile) -> Reading:
    """Return what the numbers of a date column count, from the magnitude of all of them."""
    ends = [v for v in (profile.smallest, profile.largest, profile.least_real, profile.greatest_real) if v is not None]
    if not ends:
        return Reading(Epoch.MILLISECONDS)
    low, top = min(map(abs, ends)), max(map(abs, ends))
    if low >= _JULIAN_FIRST and top < _JULIAN_END:
        # A column of numeric affinity stores the julian day of a noon as an integer.
        return Reading(Epoch.JULIAN, () if profile.reals else (Epoch.SECONDS,))
    if top >= _SECONDS_END:
        return _reading_of_many(profile, top)
    if profile.reals and not profile.integers:
        return Reading(Epoch.SECONDS, (Epoch.MILLISECONDS,))
    if profile.seconds:
        return Reading(Epoch.SECONDS, (Epoch.MILLISECONDS,))
    return Reading(Epoch.MILLISECONDS, (Epoch.SECONDS,), torn=True) if top else Reading(Epoch.MILLISECONDS)


def _reading_of_many(profile: ColumnProfile, top: float) -> Reading:
    seconds = (Epoch.SECONDS,) if profile.seconds else ()
    if top < _MILLIS_END:
        return Reading(Epoch.MILLISECONDS, seconds, torn=bool(seconds))
    if _END_OF_TIME[0] <= top < _END_OF_TIME[1]:
        return Reading(Epoch.MILLISECONDS, (*seconds, Epoch.MICROSECONDS), torn=bool(seconds))
    # Milliseconds of our days would be microseconds of 1970 to 1973, microseconds of our days the year 50,000 and on.
    epochs = (Epoch.MILLISECONDS, Epoch.MICROSECONDS) if profile.millis else (Epoch.MICROSECONDS,)
    others = (*epochs[1:], *seconds)
    return Reading(epochs[0], others, torn=bool(others))


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
