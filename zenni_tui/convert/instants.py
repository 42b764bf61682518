"""Quick looks that prove of most stored instants that they fit a timestamp, without reading each one whole."""

import functools
import re
from collections.abc import Callable, Sequence

from zenni_tui.model.plan import ColumnPlan, Epoch, Kind, TargetType
from zenni_tui.model.schema import ColumnProfile, Value

from . import encode
from .dates import EARLIEST, LATEST
from .unfit import Unfit

_ZONED = re.compile(r"[T ]\d\d:\d\d.*(?:[Zz]|[+-]\d\d(?::?\d\d)?)$", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MINUTE = re.compile(r"[T ]\d\d:\d\d:", re.ASCII)
_SECOND = re.compile(r"\d\d", re.ASCII)
_MICROS = {Epoch.SECONDS: 1_000_000, Epoch.MILLISECONDS: 1_000}
_REMEMBERED = 200_000
_MILLISECONDS = 3


def names_zone(text: str) -> bool:
    """Return whether a date with a time of day names its time zone."""
    return _ZONED.search(text) is not None


class _Pieces(dict[str, bool | None]):
    """What is known of pieces of texts, found out when first asked for; None when a piece is not sound."""

    def __init__(self, find: Callable[[str], bool | None]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, piece: str) -> bool | None:
        if len(self) >= _REMEMBERED:
            self.clear()
        found = self[piece] = self._find(piece)
        return found


class Quick:
    """Quick looks at one column of timestamps, which has neither zone nor repairs; its encoder's refusals decide."""

    def __init__(self, column: ColumnPlan) -> None:
        self._field = encode.field_encoder(column)
        digits = 6 if column.type.size is None else column.type.size
        exact = column.epoch is Epoch.SECONDS or digits >= _MILLISECONDS
        self._micros = _MICROS.get(column.epoch) if exact else None
        self._days = _Pieces(lambda day: _DAY.fullmatch(day) is not None and self._fits(f"{day}T00:00:00"))
        self._minutes = _Pieces(lambda part: _MINUTE.fullmatch(part) is not None and self._fits(f"2000-01-01{part}00"))
        self._seconds = _Pieces(lambda s: _SECOND.fullmatch(s) is not None and self._fits(f"2000-01-01T00:00:{s}"))
        self._rests = _Pieces(self._rest)

    def whole_fit(self, values: Sequence[Value]) -> bool:
        """Return whether all whole numbers among the values are instants that the column can hold."""
        if self._micros is None:
            return False
        whole = [value for value in values if type(value) is int]
        return not whole or (min(whole) * self._micros >= EARLIEST and max(whole) * self._micros <= LATEST)

    def zoned(self, text: str) -> bool | None:
        """Return whether a text that fits names a time zone, None when it must be read whole to be judged."""
        if self._days[text[:10]] and self._minutes[text[10:17]] and self._seconds[text[17:19]]:
            return self._rests[text[19:]]
        return None

    def _rest(self, rest: str) -> bool | None:
        text = f"2000-01-01T00:00:00{rest}"
        return names_zone(text) if self._fits(text) else None

    def _fits(self, text: str) -> bool:
        try:
            self._field(text)
        except Unfit:
            return False
        return True


_PLAIN = Quick(ColumnPlan("", "", TargetType(Kind.TIMESTAMP, _MILLISECONDS)))


def plain(texts: Sequence[str]) -> tuple[int, int]:
    """Return how many texts are moments that name a zone, and how many don't; 0 of both when any needs a longer look.

    Every column that `quick` knows, and that keeps milliseconds, holds such moments without loss.
    """
    zoned = 0
    for text in texts:
        named = _PLAIN.zoned(text)
        if named is None:
            return 0, 0
        zoned += named
    return zoned, len(texts) - zoned


def proven(column: ColumnPlan, profile: ColumnProfile) -> bool:
    """Return whether a profile alone proves that a column holds all of its values without loss."""
    known = quick(column)
    if known is None or profile.reals or profile.blobs or profile.texts != profile.zoned + profile.zoneless:
        return False
    exact = not profile.texts or column.type.size is None or column.type.size >= _MILLISECONDS
    return exact and known.whole_fit((profile.smallest, profile.largest))


@functools.lru_cache(maxsize=64)
def quick(column: ColumnPlan) -> Quick | None:
    """Return what is known of a column, to be known better next time; None where pieces of a text have no meaning."""
    if column.type.kind not in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ) or column.zone is not None or column.repairs:
        return None
    return Quick(column)
