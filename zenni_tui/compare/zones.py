"""How far a time zone's clocks were from UTC, for dates that were written without their zone."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from .unreadable import Unreadable

_START = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone until one is put beside it
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=100_000)
def ahead_of_utc(zone: str, wall: int) -> int:
    """Return by how many microseconds a zone was ahead of UTC when its clocks showed a time.

    `wall` is that time in microseconds since 1970-01-01 00:00 on the same clock. Of an hour that came twice the first
    is meant. An hour that the clocks left out, and years beyond 1 to 9999, raise `Unreadable`; an unknown zone
    raises KeyError. By PEP 495 `fold` is 0 before a change of the clocks and 1 after it: where they were put
    forward over a time, the offset after is the greater one.
    """
    try:
        shown = _START + timedelta(microseconds=wall)
    except OverflowError:
        raise Unreadable("date_out_of_range", "outside the years that time zones are known for") from None
    before, after = (_offset(shown.replace(tzinfo=ZoneInfo(zone), fold=fold)) for fold in (0, 1))
    if before < after:
        raise Unreadable("time_impossible", f"left out by the clocks of {zone}")
    return before // _MICROSECOND


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()
