"""Helsinki's clock by the rule of the European Union (Directive 2000/84/EC), needing no time zone files.

Instants are integers: milliseconds since 1970-01-01 UTC. Wall-clock times are the same count without their zone.
"""

import calendar
from datetime import UTC, date, datetime
from functools import cache

HOUR = 3_600_000
DAY = 24 * HOUR


@cache
def _summer(year: int) -> tuple[int, int]:
    """Return when summer time begins and ends: the last Sundays of March and October at 01:00 UTC."""
    march, october = (_last_sunday(year, month) for month in (3, 10))
    return march + HOUR, october + HOUR


def _last_sunday(year: int, month: int) -> int:
    last = date(year, month, calendar.monthrange(year, month)[1])
    return (last.toordinal() - (last.weekday() + 1) % 7 - date(1970, 1, 1).toordinal()) * DAY


def offset(instant: int) -> int:
    """Return what Helsinki's clock is ahead of UTC by at the instant, in milliseconds."""
    begin, end = _summer(datetime.fromtimestamp(instant / 1000, UTC).year)
    return 3 * HOUR if begin <= instant < end else 2 * HOUR


def to_instant(wall: int) -> int:
    """Return the instant of a wall-clock time: the first of two, and one hour later for one that never was."""
    summer = wall - 3 * HOUR
    return summer if offset(summer) == 3 * HOUR else wall - 2 * HOUR


def to_wall(instant: int) -> int:
    """Return the wall-clock time of an instant."""
    return instant + offset(instant)


def instant_of(moment: datetime) -> int:
    """Return the instant of a datetime; one without a zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def iso(instant: int) -> str:
    """Return the instant as Prisma writes it into SQLite as text: `2026-11-22T10:23:11.364+00:00`."""
    return f"{datetime.fromtimestamp(instant // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{instant % 1000:03d}+00:00"


def plain(instant: int) -> str:
    """Return the instant as SQLite's CURRENT_TIMESTAMP writes it: `2026-11-22 10:23:11`."""
    return f"{datetime.fromtimestamp(instant // 1000, UTC):%Y-%m-%d %H:%M:%S}"
