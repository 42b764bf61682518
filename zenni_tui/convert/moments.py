"""Reads whole columns of dates written as text, by the grammar of `dates`, in operations on arrays.

Texts of one shape (the same signs and digits at the same places) are read together: what the grammar finds in the
first of them stands at the same places in all.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from . import dates
from .unfit import Declined

Micros = npt.NDArray[np.int64]
Letters = npt.NDArray[np.uint8]

_ZERO, _NINE = ord("0"), ord("9")
_SHAPES = 16
"""More shapes than this in one column are read faster one by one."""
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)


def read(offsets: npt.NDArray[np.int32], data: Letters, valid: npt.NDArray[np.bool_]) -> Micros:
    """Return microseconds since 1970 UTC of every valid text, 0 for the others; text without a zone is UTC.

    Text `i` is `data[offsets[i]:offsets[i + 1]]`. Raises Declined for text that is no plain date, or might not be.
    """
    micros = np.zeros(len(valid), np.int64)
    for rows, letters in _alike(offsets, data, valid):
        match = dates.INSTANT.fullmatch(letters[0].tobytes().decode("ascii", "replace"))
        if match is None:
            raise Declined("not a date")
        micros[rows] = _instants(letters, match)
    return micros


def _alike(
    offsets: npt.NDArray[np.int32], data: Letters, valid: npt.NDArray[np.bool_]
) -> Iterator[tuple[npt.NDArray[np.intp], Letters]]:
    """Yield rows with texts of one shape, and their letters as a matrix."""
    sizes = np.diff(offsets)
    shapes = 0
    for size in np.unique(sizes[valid]):
        rows = np.flatnonzero(valid & (sizes == size))
        letters = _taken(data, offsets[rows], int(size))
        while len(rows):
            shapes += 1
            if shapes > _SHAPES:
                raise Declined("too many shapes of dates")
            same = _same_shape(letters)
            yield rows[same], letters[same]
            rows, letters = rows[~same], letters[~same]


def _taken(data: Letters, places: npt.NDArray[np.int32], size: int) -> Letters:
    """Return the texts of one size that begin at places, as a matrix."""
    if not size:
        raise Declined("not a date")
    everywhere: npt.NDArray[Any] = np.ndarray((len(data) - size + 1,), f"V{size}", data, 0, (1,))
    return everywhere[places].view(np.uint8).reshape(-1, size)


def _same_shape(letters: Letters) -> npt.NDArray[np.bool_]:
    above = letters - np.uint8(_ZERO)
    above *= above <= _NINE - _ZERO
    signs = (letters - above).view(f"V{letters.shape[1]}").ravel()
    same: npt.NDArray[np.bool_] = signs == signs[0]
    return same


def _instants(letters: Letters, match: re.Match[str]) -> Micros:
    year, month, day = (_number(letters, match, name) for name in ("year", "month", "day"))
    _require((year != 0).all())
    wall = _days(year, month, day) * dates.DAY
    if match["hour"] is not None:
        wall += _clock(letters, match)
    return wall - _offset(letters, match)


def _number(letters: Letters, match: re.Match[str], name: str) -> Micros:
    start, end = match.span(name)
    signed = start < end and match.string[start] in "+-"
    total = np.zeros(len(letters), np.int64)
    for place in range(start + signed, end):
        total = total * 10 + (letters[:, place].astype(np.int64) - _ZERO)
    return -total if signed and match.string[start] == "-" else total


def _days(year: Micros, month: Micros, day: Micros) -> Micros:
    """Return the days since 1970-01-01, as `dates.days` does for one day."""
    _require(((month >= 1) & (month <= 12)).all())  # noqa: PLR2004 - December
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    _require(((day >= 1) & (day <= _MONTH_DAYS[month] + (leap & (month == 2)))).all())  # noqa: PLR2004 - February
    shifted = year - (month <= 2)  # noqa: PLR2004 - as in `dates.days`
    era, of_era = shifted // 400, shifted % 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days: Micros = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    return days


def _clock(letters: Letters, match: re.Match[str]) -> Micros:
    hour, minute, second = (_number(letters, match, name) for name in ("hour", "minute", "second"))
    _require(((hour <= 23) & (minute <= 59) & (second <= 59)).all())  # noqa: PLR2004 - a clock's
    places = len(match["fraction"] or "")
    _require(places <= 6)  # noqa: PLR2004 - digits of a microsecond
    fraction = _number(letters, match, "fraction") * 10 ** (6 - places) if places else 0
    micros: Micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    return micros


def _offset(letters: Letters, match: re.Match[str]) -> Micros | int:
    zone = match["zone"]
    if zone is None or zone in "Zz":
        return 0
    start, end = match.span("zone")
    digits = letters[:, [i for i in range(start + 1, end) if match.string[i] != ":"]].astype(np.int64) - _ZERO
    hours = digits[:, 0] * 10 + digits[:, 1]
    minutes = digits[:, 2] * 10 + digits[:, 3] if digits.shape[1] > 2 else np.zeros_like(hours)  # noqa: PLR2004 - +HHMM
    _require(((hours <= 15) & (minutes <= 59)).all())  # noqa: PLR2004 - the widest offset PostgreSQL takes
    offset: Micros = (hours * 60 + minutes) * (-60_000_000 if zone[0] == "-" else 60_000_000)
    return offset


def _require(held: Any) -> None:
    if not held:
        raise Declined("not a plain date")
