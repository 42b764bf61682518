"""Reads dates and times as SQLite applications store them.

Instants are counted in microseconds from 1970-01-01T00:00:00Z, days from 1970-01-01, in the proleptic Gregorian
calendar that SQLite, PostgreSQL and Prisma share.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from zenni_tui.model.plan import Epoch
from zenni_tui.model.schema import Value

from .unfit import Unfit

DAY = 86_400_000_000
_JULIAN_1970 = Decimal("2440587.5")

_DATE = r"(?P<year>[+-]\d{6}|\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
_ZONE = r"(?: ?(?P<zone>Z|z|[+-]\d\d(?::?\d\d)?))?"
INSTANT = re.compile(f"{_DATE}(?:[T ]{_TIME}{_ZONE})?", re.ASCII)
_CLOCK = re.compile(_TIME, re.ASCII)

_MONTH_DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PER_SECOND = {Epoch.SECONDS: 1_000_000, Epoch.MILLISECONDS: 1_000, Epoch.MICROSECONDS: 1}

_FARTHEST = 10**19
"""Beyond this no unit makes an instant that PostgreSQL holds; below it decimal arithmetic here is exact."""

EARLIEST = -210_866_803_200_000_000
LATEST = 9_224_318_015_999_999_999
"""PostgreSQL's range, 4714-11-24 BC to 294276-12-31 (https://www.postgresql.org/docs/current/datatype-datetime.html)."""


def days(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01; `year` is astronomical, 0 is 1 BC. Raises Unfit for an impossible day."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month] or (month == 2 and day == 29 and not leap):  # noqa: PLR2004
        raise Unfit("date_impossible", "there is no such day in the calendar")
    shifted = year - (month <= 2)  # noqa: PLR2004 - the year begins in March here, so that the leap day is its last
    era, of_era = divmod(shifted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _clock(match: re.Match[str]) -> int:
    if match["hour"] is None:
        return 0
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004
        raise Unfit("time_impossible", "there is no such time of day")
    fraction = (match["fraction"] or "").rstrip("0")
    if len(fraction) > 6:  # noqa: PLR2004
        raise Unfit("date_too_fine", "it is finer than a microsecond")
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + int(fraction.ljust(6, "0"))


def _offset(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 15 or minutes > 59:  # noqa: PLR2004 - the widest offset PostgreSQL takes is 15:59:59
        raise Unfit("time_impossible", "there is no such time zone offset")
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes) * 60_000_000


def _from_text(text: str, zone: str | None) -> int:
    match = INSTANT.fullmatch(text)
    if match is None:
        raise Unfit("date_unreadable", "it is not a date in any form that SQLite or Prisma writes")
    if match["year"] == "0000":
        raise Unfit("date_out_of_range", "PostgreSQL's calendar has no year 0")
    day = days(int(match["year"]), int(match["month"]), int(match["day"]))
    wall = day * DAY + _clock(match)
    if zone is not None and match["zone"] is None:
        return wall - _local_offset(wall, zone)
    return wall - _offset(match["zone"])


def _local_offset(wall: int, zone: str) -> int:
    """Return the offset of a zone at a wall-clock time, the first one where the clock was put back."""
    try:
        local = datetime(1970, 1, 1, tzinfo=ZoneInfo(zone)) + timedelta(microseconds=wall)
        shown = local.astimezone(UTC).astimezone(ZoneInfo(zone))
    except OverflowError:
        raise Unfit("date_out_of_range", "time zones are known for the years 1 to 9999 only") from None
    if shown.replace(tzinfo=None) != local.replace(tzinfo=None):
        raise Unfit("time_impossible", f"the clocks of {zone} never showed it")
    return (local.utcoffset() or timedelta()) // timedelta(microseconds=1)


def _from_number(value: float, epoch: Epoch) -> int:
    if isinstance(value, int) and epoch is not Epoch.JULIAN:
        return value * _PER_SECOND[epoch]
    if not math.isfinite(value):
        raise Unfit("date_out_of_range", "an infinite number is not a date")
    if not -_FARTHEST < value < _FARTHEST:
        raise Unfit("date_out_of_range", "it lies outside PostgreSQL's calendar")
    # By the number's shortest decimal form, as people wrote it: products of doubles are some microseconds off.
    exact = Decimal(repr(value))
    if epoch is Epoch.JULIAN:
        # SQLite's julian days are exact to the millisecond.
        return int(((exact - _JULIAN_1970) * 86_400_000).to_integral_value(ROUND_HALF_EVEN)) * 1000
    scaled = exact * _PER_SECOND[epoch]
    if scaled != int(scaled):
        raise Unfit("date_too_fine", "as a number it is not a whole count of microseconds")
    return int(scaled)


def instant(value: Value, epoch: Epoch, digits: int, zone: str | None = None) -> int:
    """Return microseconds since 1970 UTC; text without a zone is in `zone`, or UTC, as SQLite and Prisma mean it.

    `digits` is how many fractional digits of a second the target keeps. Raises Unfit.
    """
    if isinstance(value, int | float):
        micros = _from_number(value, epoch)
    elif isinstance(value, str):
        micros = _from_text(value, zone)
    else:
        raise Unfit("date_unreadable", "a BLOB is not a date")
    if not EARLIEST <= micros <= LATEST:
        raise Unfit("date_out_of_range", "it lies outside PostgreSQL's calendar")
    if micros % 10 ** (6 - digits):
        raise Unfit("date_too_fine", f"the target keeps {digits} digits of a second and would round it")
    return micros


def day(value: Value, epoch: Epoch) -> int:
    """Return days since 1970-01-01; raises Unfit when a time of day would be lost."""
    micros = instant(value, epoch, 6)
    if micros % DAY:
        raise Unfit("date_has_time", "it has a time of day, which a date would lose")
    return micros // DAY


def clock(value: Value, digits: int = 6) -> int:
    """Return microseconds since midnight; `digits` is how many fractional digits the target keeps. Raises Unfit."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit("time_unreadable", "it is not a time of day")
    micros = _clock(match)
    if micros % 10 ** (6 - digits):
        raise Unfit("date_too_fine", f"the target keeps {digits} digits of a second and would round it")
    return micros
