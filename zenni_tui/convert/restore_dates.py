"""Dates and times in the forms that SQLite applications store: numbers of every unit, text of every shape.

PostgreSQL's text is that of DateStyle ISO and TimeZone UTC: `2026-01-31 09:30:00.5`, `+00` after a zoned one, ` BC` at
the end of a year before 1 (https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-OUTPUT).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from zenni_tui.model.plan import ColumnPlan, Epoch, Kind
from zenni_tui.model.record import Record
from zenni_tui.model.schema import Value

from . import dates

_SHOWN = re.compile(
    r"(?P<year>\d{4,6})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?: (?P<clock>\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:\+00)?)?(?P<bc> BC)?",
    re.ASCII,
)
_STORED = re.compile(
    r"(?P<date>[+-]?\d{4,6}-\d\d-\d\d)"
    r"(?:(?P<between>[T ])\d\d:\d\d(?P<seconds>:\d\d(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<blank> ?)(?P<zone>Z|z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_STORED_CLOCK = re.compile(r"\d\d:\d\d(?P<seconds>:\d\d(?:\.(?P<fraction>\d{1,9}))?)?", re.ASCII)
_SECOND, _MINUTE = 1_000_000, 60_000_000
_PER = {Epoch.SECONDS: _SECOND, Epoch.MILLISECONDS: 1_000, Epoch.MICROSECONDS: 1}
_JULIAN_1970 = Decimal("2440587.5")
_LAST_PLAIN_YEAR = 9999


def micros(text: str) -> int:
    """Return microseconds since 1970 UTC of an instant or a day as PostgreSQL shows it; raises ValueError."""
    match = _SHOWN.fullmatch(text)
    if match is None:
        raise ValueError(text)  # infinity, which no calendar has
    year = 1 - int(match["year"]) if match["bc"] else int(match["year"])
    day = dates.days(year, int(match["month"]), int(match["day"]))
    return day * dates.DAY + (dates.clock(match["clock"]) if match["clock"] else 0)


class Number(Record, frozen=True):
    """A bare number in the column's unit; `real` when it is stored as one."""

    epoch: Epoch
    real: bool = False

    def __call__(self, text: str) -> Value:
        """Write an instant."""
        count = micros(text)
        if self.epoch is Epoch.JULIAN:
            return float(Decimal(count) / dates.DAY + _JULIAN_1970)
        if self.real:
            return float(Decimal(count) / _PER[self.epoch])
        whole, rest = divmod(count, _PER[self.epoch])
        if rest:
            raise ValueError(text)
        return whole


class Written(Record, frozen=True):
    """A text: what stands between day and time, the digits after the second (None without seconds), blank and zone.

    `between` is empty for a day alone; `local` is the time zone of a column whose text has none.
    """

    between: str
    digits: int | None
    blank: str
    zone: str
    local: str | None = None

    def __call__(self, text: str) -> Value:
        """Write an instant; raises ValueError when it has more than this form shows."""
        count = micros(text)
        if not self.zone and self.local:
            local = datetime(1970, 1, 1, tzinfo=UTC) + _delta(count)
            count += (local.astimezone(ZoneInfo(self.local)).utcoffset() or timedelta()) // timedelta(microseconds=1)
        day, rest = divmod(count + _offset(self.zone), dates.DAY)
        if not self.between:
            if rest:
                raise ValueError(text)
            return _day_text(day)
        return f"{_day_text(day)}{self.between}{clock_text(rest, self.digits)}{self.blank}{self.zone}"


class Clock(Record, frozen=True):
    """A time of day; `digits` after the second, None without seconds."""

    digits: int | None

    def __call__(self, text: str) -> Value:
        """Write a time of day."""
        return clock_text(dates.clock(text), self.digits)


def plain(kind: Kind) -> Callable[[str], Value]:
    """Return the form that holds every value of the type: Prisma's text, whose digits grow where they are needed."""
    if kind is Kind.TIME:
        return lambda text: text
    return _plain_day if kind is Kind.DATE else _plain_instant


def _plain_day(text: str) -> Value:
    return _day_text(micros(text) // dates.DAY)


def _plain_instant(text: str) -> Value:
    digits = 3 if micros(text) % 1000 == 0 else 6
    return Written("T", digits, "", "+00:00")(text)


def shape(column: ColumnPlan, stored: Value) -> Callable[[str], Value] | None:
    """Return the form of a stored date or time, None when it is none."""
    if isinstance(stored, int | float):
        return Number(column.epoch, isinstance(stored, float))
    if not isinstance(stored, str):
        return None
    if column.type.kind is Kind.TIME:
        clock = _STORED_CLOCK.fullmatch(stored)
        return None if clock is None else Clock(_digits(clock))
    match = _STORED.fullmatch(stored)
    if match is None:
        return None
    if match["between"] is None:
        return Written("", None, "", "", column.zone)
    return Written(match["between"], _digits(match), match["blank"], match["zone"] or "", column.zone)


def _digits(match: re.Match[str]) -> int | None:
    return None if match["seconds"] is None else len(match["fraction"] or "")


def clock_text(count: int, digits: int | None) -> str:
    """Return microseconds since midnight as text with so many digits; raises ValueError when it has more than that."""
    minutes, rest = divmod(count, _MINUTE)
    hours_and_minutes = f"{minutes // 60:02}:{minutes % 60:02}"
    if digits is None:
        if rest:
            raise ValueError(count)
        return hours_and_minutes
    second, fraction = divmod(rest, _SECOND)
    shown = f"{fraction:06}".ljust(digits, "0")
    if shown[digits:].strip("0"):
        raise ValueError(count)
    return f"{hours_and_minutes}:{second:02}{'.' if digits else ''}{shown[:digits]}"


def _offset(zone: str) -> int:
    if zone in ("", "Z", "z"):
        return 0
    digits = zone[1:].replace(":", "")
    size = (int(digits[:2]) * 60 + int(digits[2:] or 0)) * _MINUTE
    return -size if zone[0] == "-" else size


def _delta(count: int) -> timedelta:
    try:
        return timedelta(microseconds=count)
    except OverflowError:
        raise ValueError(count) from None


def _day_text(day: int) -> str:
    """Return a day as ISO 8601 has it, with a sign and six digits outside the years 1 to 9999, as Prisma writes it."""
    era, of_era = divmod(day + 719_468, 146_097)
    of_400 = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * of_400 + of_400 // 4 - of_400 // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9  # noqa: PLR2004 - the year begins in March here
    year = of_400 + era * 400 + (month <= 2)  # noqa: PLR2004 - as above
    number = f"{year:04}" if 1 <= year <= _LAST_PLAIN_YEAR else f"{year:+07}"
    return f"{number}-{month:02}-{of_year - (153 * shifted + 2) // 5 + 1:02}"
