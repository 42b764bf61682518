"""Whole columns at a time: the same canonical text as `values`, faster where all values of a batch are alike."""

import struct
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

from zenni_tui.model.plan import ColumnPlan, Epoch, Kind
from zenni_tui.model.schema import Value

from .dates import micros_of_text
from .unreadable import Unreadable
from .values import Reader, reader

Cell = str | None | Unreadable
ColumnReader = Callable[[Sequence[Value]], Sequence[Cell]]

_TEXTS = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.ENUM})
_WHOLES = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT})
_INSTANTS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
_PACK = struct.Struct(">d").pack
REMEMBERED = 100_000


def column_reader(column: ColumnPlan, *, careful: bool = False) -> ColumnReader:
    """Return the function that reads a batch of one column; a value without a reading becomes its `Unreadable`.

    The quick ways leave out checks whose failure would differ from every value the target can hold;
    `careful` takes none of them but for text, as keys need that are cast by the server.
    """
    one = reader(column.type, column.epoch, column.zone)
    quick = {} if careful and column.type.kind not in _TEXTS else _quick(column, one)

    def read(values: Sequence[Value]) -> Sequence[Cell]:
        kinds = set(map(type, values))
        nulls = NoneType in kinds
        kinds.discard(NoneType)
        if not kinds or not kinds <= quick.keys():
            return [_cell(one, value) for value in values]
        try:
            if len(kinds) == 1:
                return quick[kinds.pop()](values, nulls)
            return _mixed({kind: quick[kind] for kind in kinds}, values)
        except ValueError:
            return [_cell(one, value) for value in values]

    return read


def _mixed(ways: dict[type, "Way"], values: Sequence[Value]) -> Sequence[Cell]:
    """Read values of several classes, each class by its own way."""
    read = {kind: iter(way([v for v in values if type(v) is kind], False)) for kind, way in ways.items()}  # noqa: FBT003 - no NULL among them
    return [None if value is None else next(read[type(value)]) for value in values]


def _cell(one: Reader, value: Value) -> Cell:
    try:
        return None if value is None else one(value)
    except Unreadable as reason:
        return reason.with_traceback(None)


Way = Callable[[Sequence[Value], bool], Sequence[Cell]]


def _quick(column: ColumnPlan, one: Reader) -> dict[type, Way]:
    kind = column.type.kind
    if kind in _TEXTS:
        return {str: lambda values, _: values}  # type: ignore[dict-item,return-value]
    if kind in _WHOLES:
        return {int: _each(str)}
    if kind is Kind.DOUBLE:
        return {float: _each(lambda value: _PACK(value).hex())}
    if kind is Kind.BOOLEAN:
        return {int: _each(_bit)}
    if kind in _INSTANTS:
        numbers: dict[type, Way] = {int: _millis} if column.epoch is Epoch.MILLISECONDS else {}
        # What a piece of a date adds to it is known by itself only where an hour is an hour.
        return {**numbers, str: _iso_way(one)} if column.zone is None else numbers
    return {}


def _each(one: Callable[..., str]) -> Way:
    def way(values: Sequence[Value], nulls: bool) -> Sequence[Cell]:  # noqa: FBT001 - one shape for all ways
        if nulls:
            return [None if value is None else one(value) for value in values]
        return list(map(one, values))

    return way


def _millis(values: Sequence[Value], _: bool) -> Sequence[Cell]:  # noqa: FBT001 - one shape for all ways
    return [f"{value!s}000" if value else None if value is None else "0" for value in values]


def _bit(value: int) -> str:
    if value in (0, 1):
        return "true" if value else "false"
    raise Unreadable("not_a_boolean", "neither true nor false")


class _Pieces(dict[str, int]):
    """What a piece of an ISO text adds to the instant, remembered; raises `Unreadable` for no such piece."""

    def __init__(self, before: str, after: str, last: str = "") -> None:
        super().__init__()
        self._frame = (before, after, last)

    def __missing__(self, piece: str) -> int:
        before, after, last = self._frame
        if not piece.endswith(last):
            raise Unreadable("date_unreadable", "not an ISO 8601 date")
        if len(self) >= REMEMBERED:
            self.clear()
        micros = self[piece] = micros_of_text(before + piece + after)
        return micros


_DAYS, _MINUTES = _Pieces("", "00:00"), _Pieces("1970-01-01T", "00", ":")
_SECONDS, _RESTS = _Pieces("1970-01-01T00:00:", ""), _Pieces("1970-01-01T00:00:00", "")


def _iso_way(one: Reader) -> Way:
    """Return the quick way for dates with a time, most of whose pieces come again and again."""
    days, minutes, seconds, rests = _DAYS, _MINUTES, _SECONDS, _RESTS

    def read(value: Any) -> Cell:
        try:
            return str(days[value[:11]] + minutes[value[11:17]] + seconds[value[17:19]] + rests[value[19:]])
        except Unreadable:
            return _cell(one, value)

    def way(values: Sequence[Any], nulls: bool) -> Sequence[Cell]:  # noqa: FBT001 - one shape for all ways
        try:
            if not nulls:
                return [str(days[v[:11]] + minutes[v[11:17]] + seconds[v[17:19]] + rests[v[19:]]) for v in values]
        except Unreadable:
            pass  # Some value has another shape: one by one, then.
        return [None if value is None else read(value) for value in values]

    return way
