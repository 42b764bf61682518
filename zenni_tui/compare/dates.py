"""Instants as whole microseconds since 1970-01-01 UTC, in the proleptic Gregorian calendar of any year.

Python's `datetime` ends at the years 1 and 9999, PostgreSQL's timestamps reach from 4713 BC to 294276 AD
(https://www.postgresql.org/docs/current/datatype-datetime.html), so the day arithmetic is done here.
"""

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from zenni_tui.model.plan import Epoch

from .unreadable import Unreadable
from .zones import ahead_of_utc

DAY = 86_400_000_000
ERA_DAYS = 146_097
"""Days in 400 Gregorian years."""
FIRST_MICROS = -210_866_803_200_000_000
"""4714-11-24 BC, PostgreSQL's first timestamp."""
AFTER_MICROS = 9_224_318_016_000_000_000
"""294277-01-01, the first one that PostgreSQL cannot hold."""
FIRST_DAY = -2_440_588
AFTER_DAY = 2_145_042_541
"""5874898-01-01, the first date that PostgreSQL cannot hold."""
JULIAN_1970_MS = 210_866_760_000_000
"""SQLite's day number of 1970-01-01 00:00, 2440587.5, in milliseconds."""

_UNIT = {Epoch.SECONDS: 1_000_000, Epoch.MILLISECONDS: 1_000, Epoch.MICROSECONDS: 1}
_ISO = re.compile(
    r"([0-9]{4}|[+-][0-9]{6})-([0-9]{2})-([0-9]{2})"
    r"(?:[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r" ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?")
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_of(year: int, month: int, day: int) -> int:
    """Return days since 1970-01-01 of an astronomical year (0 is 1 BC); raises `Unreadable` for no such day."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= len(_LENGTHS) or not 1 <= day <= _LENGTHS[month - 1] + (leap and month == 2):  # noqa: PLR2004 - February
        raise Unreadable("date_impossible", f"no such day: {year:04d}-{month:02d}-{day:02d}")
    # Years begin in March, so that the leap day is the last of its year.
    year -= month < 3  # noqa: PLR2004 - March
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * ERA_DAYS + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil_of(days: int) -> tuple[int, int, int]:
    """Return astronomical year, month and day of days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, ERA_DAYS)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = (shifted + 2) % 12 + 1
    return era * 400 + year + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1  # noqa: PLR2004 - February


def micros_of_text(text: str, zone: str | None = None) -> int:
    """Return the instant of an ISO 8601 text, in `zone` or UTC when it names none; raises `Unreadable`."""
    match = _ISO.fullmatch(text)
    if match is None:
        raise Unreadable("date_unreadable", "not an ISO 8601 date")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if year == "0000":
        raise Unreadable("date_out_of_range", "there is no year 0")
    micros = days_of(int(year), int(month), int(day)) * DAY
    if hour is not None:
        micros += _of_day(hour, minute, second, fraction)
    ahead = _offset(offset) if offset or zone is None else ahead_of_utc(zone, micros)
    return within_timestamp(micros - ahead)


def days_of_text(text: str) -> int:
    """Return days since 1970-01-01 of a date without a time, to PostgreSQL's limits; raises `Unreadable`."""
    match = _ISO.fullmatch(text)
    if match is None or match[4] is not None:
        raise Unreadable("date_unreadable", "not an ISO 8601 date")
    days = days_of(int(match[1]), int(match[2]), int(match[3]))
    if not FIRST_DAY <= days < AFTER_DAY:
        raise Unreadable("date_out_of_range", "outside PostgreSQL's dates")
    return days


def micros_of_number(value: float, epoch: Epoch) -> int:
    """Return the instant of a bare number; one that is no whole number of microseconds raises `Unreadable`.

    A Julian day is taken to the nearest millisecond, as SQLite itself does
    (https://sqlite.org/lang_datefunc.html): a double holds no more.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable("date_out_of_range", "an infinite number is no date")
    if epoch is Epoch.JULIAN:
        return within_timestamp((_nearest(_times(value, 86_400_000)) - JULIAN_1970_MS) * 1_000)
    micros = _times(value, _UNIT[epoch])
    whole = within_timestamp(int(micros))
    if whole != micros:
        raise Unreadable("date_too_fine", "finer than a microsecond")
    return whole


def micros_of_time(text: str) -> int:
    """Return microseconds since midnight of `HH:MM[:SS[.fraction]]`; raises `Unreadable`."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise Unreadable("time_unreadable", "not a time of day")
    return _of_day(*match.groups())


def whole_days(micros: int) -> int:
    """Return days since 1970-01-01 of an instant at midnight; raises `Unreadable` for any other."""
    days, rest = divmod(micros, DAY)
    if rest:
        raise Unreadable("date_has_time", "has a time of day, which a date cannot hold")
    return days


def date_text(days: int) -> str:
    """Return a date as PostgreSQL reads and prints it with DateStyle ISO."""
    year, month, day = civil_of(days)
    if year > 0:
        return f"{year:04d}-{month:02d}-{day:02d}"
    return f"{1 - year:04d}-{month:02d}-{day:02d} BC"


def timestamp_text(micros: int, zone: str = "") -> str:
    """Return an instant as PostgreSQL reads it with any DateStyle, and prints it with DateStyle ISO."""
    days, rest = divmod(micros, DAY)
    date, space, era = date_text(days).partition(" ")
    return f"{date} {time_text(rest)}{zone}{space}{era}"


def time_text(micros: int) -> str:
    """Return a time of day as `HH:MM:SS` with as many digits as it needs."""
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def within_timestamp(micros: int) -> int:
    """Return the instant when a PostgreSQL timestamp can hold it; raises `Unreadable`."""
    if FIRST_MICROS <= micros < AFTER_MICROS:
        return micros
    raise Unreadable("date_out_of_range", "outside PostgreSQL's timestamps")


def _of_day(hour: str, minute: str, second: str | None, fraction: str | None) -> int:
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:  # noqa: PLR2004 - a clock's limits
        raise Unreadable("time_impossible", "no such time of day")
    digits = (fraction or "").rstrip("0")
    if len(digits) > 6:  # noqa: PLR2004 - microseconds
        raise Unreadable("date_too_fine", "finer than a microsecond")
    return seconds * 1_000_000 + int(digits.ljust(6, "0"))


def _offset(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    if int(digits[:2]) > 15 or int(digits[2:]) > 59:  # noqa: PLR2004 - PostgreSQL's widest zone, an hour's minutes
        raise Unreadable("time_impossible", "no such time zone")
    micros = (int(digits[:2]) * 60 + int(digits[2:])) * 60_000_000
    return -micros if zone[0] == "-" else micros


def _times(value: float, factor: int) -> int | Decimal:
    # By the number's shortest decimal form, as people wrote it.
    if isinstance(value, int):
        return value * factor
    with localcontext() as context:
        context.prec = 400
        return Decimal(repr(value)) * factor


def _nearest(number: int | Decimal) -> int:
    return int(Decimal(number).to_integral_value(ROUND_HALF_EVEN))
