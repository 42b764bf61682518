"""Rows of COPY data that SQLite lays out by itself: texts at their places, room for the rest, and marks between.

A mark stands where a field's size belongs. It is a noncharacter (https://www.unicode.org/faq/private_use.html#nonchar1)
of four bytes, whose first byte begins no characters but those of the last plane: marks are found without a look at the
texts. What remains to be done for a batch is to write sizes over the marks and values into the rooms.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zenni_tui.model.laid import Piece
from zenni_tui.model.plan import ColumnPlan, Kind

from .columnar import Part, Sizes, Truths, Varying, Whole, octets
from .unfit import Declined

MARK, NULL = "\U0010ffff", "\U0010fffe"
_LEAD = MARK.encode()[0]
_NULL_END = NULL.encode()[-1]
_SIZE = 4
_HEAD = 2
_TEXTS = (Kind.TEXT, Kind.VARCHAR)
_ROOMS = {
    Kind.SMALLINT: 2,
    Kind.INTEGER: 4,
    Kind.BIGINT: 8,
    Kind.BOOLEAN: 1,
    Kind.REAL: 4,
    Kind.DOUBLE: 8,
    Kind.DATE: 4,
    Kind.TIMESTAMP: 8,
    Kind.TIMESTAMPTZ: 8,
}
_MOST = 60
"""Columns: each takes two arguments of one SQL function, and every SQLite allows 127 (https://sqlite.org/limits.html)."""

Places = npt.NDArray[np.int64]
Letters = npt.NDArray[np.uint8]


class _Field(NamedTuple):
    """Where a field is: at a mark, or so many bytes before one, the row's end being the last."""

    mark: int
    before: int
    room: int
    """Bytes of each value, 0 for texts."""
    most: int | None
    """Characters of a text."""


class Layout:
    """How the rows of one table are laid out."""

    def __init__(self, columns: Sequence[ColumnPlan], nullable: Sequence[bool]) -> None:
        self.pieces = (Piece(" " * _HEAD), *map(_piece, columns, nullable))
        self._fields = _fields(columns, nullable)
        self._gaps = np.zeros(sum(not f.before for f in self._fields), np.int64)
        """What lies between a marked field's end and the next mark: rooms without marks."""
        for field in self._fields:
            if field.mark:
                self._gaps[field.mark - 1] = max(self._gaps[field.mark - 1], field.before)

    @property
    def rooms(self) -> tuple[int, ...]:
        """Return the columns, by place, whose values the rows have room for but don't hold."""
        return tuple(i for i, field in enumerate(self._fields) if field.room)

    def rows(self, laid: Any, parts: Mapping[int, Part]) -> memoryview:
        """Return the COPY data of a batch, from an Arrow column of its rows and what belongs into the rooms, by place.

        Raises Declined when a text holds what could be a mark, or when rooms and values don't fit each other.
        """
        letters, sizes = _copied(laid)
        ends = np.cumsum(sizes, dtype=np.int64)
        marks = np.flatnonzero(letters >= _LEAD)
        _require(len(marks) == len(ends) * len(self._gaps))
        places = np.column_stack((marks.reshape(len(ends), -1), ends))
        nulls = letters[places[:, :-1] + _SIZE - 1] == _NULL_END
        held = np.where(nulls, -1, np.diff(places, axis=1) - _SIZE - self._gaps)
        _write(letters, marks, held.astype(">i4").ravel())
        self._check(held)
        for i, part in parts.items():
            _furnish(letters, *self._room(self._fields[i], places, nulls), part)
        _write(letters, ends - sizes, np.full(len(ends), len(self._fields), ">i2"))
        return letters.data

    def _check(self, held: Places) -> None:
        # With more bytes than characters allowed a text may be short enough still: those are counted elsewhere.
        _require(all(f.most is None or int(held[:, f.mark].max()) <= f.most for f in self._fields))

    @staticmethod
    def _room(field: _Field, places: Places, nulls: Truths) -> tuple[Places, Truths]:
        """Return where a field of fixed size is in each row, and in which it is NULL."""
        null = np.zeros(len(places), np.bool_) if field.before else nulls[:, field.mark]
        return places[:, field.mark] - field.before, null


def _fields(columns: Sequence[ColumnPlan], nullable: Sequence[bool]) -> list[_Field]:
    found: list[_Field] = []
    mark, before = sum(_marked(c, n) for c, n in zip(columns, nullable, strict=True)), 0
    for column, null in zip(reversed(columns), reversed(nullable), strict=True):
        room = _ROOMS.get(column.type.kind, 0)
        if _marked(column, null):
            mark, before = mark - 1, 0
        else:
            before += _SIZE + room
        found.append(_Field(mark, before, room, None if room else column.type.size))
    return found[::-1]


def _marked(column: ColumnPlan, nullable: bool) -> bool:  # noqa: FBT001 - one of two columns of a table
    return nullable or column.type.kind not in _ROOMS


def _piece(column: ColumnPlan, nullable: bool) -> Piece:  # noqa: FBT001 - as above
    room = _ROOMS.get(column.type.kind, 0)
    letters = (MARK if _marked(column, nullable) else " " * _SIZE) + " " * room
    return Piece(letters, column.source or "", NULL if nullable else None, shown=not room)


def layout(columns: Sequence[ColumnPlan], lanes: Sequence[tuple[str, ...]], nullable: Sequence[bool]) -> Layout | None:
    """Return how rows of these columns are laid out, None when they can't be; `lanes` come from `lanes.lanes`."""
    worth = any(c.type.kind in _TEXTS for c in columns) and len(columns) <= _MOST
    return Layout(columns, nullable) if worth and all(map(_fits, columns, lanes)) else None


def _fits(column: ColumnPlan, lanes: tuple[str, ...]) -> bool:
    return lanes == ("text",) if column.type.kind in _TEXTS else bool(lanes) and column.type.kind in _ROOMS


def _require(held: Any) -> None:
    if not held:
        raise Declined("not as laid out")


def _copied(laid: Any) -> tuple[Letters, Sizes]:
    """Return the bytes of rows, to be written to, and the size of each row.

    That texts are UTF-8 without NUL the audit has proven, for `lanes` gives no others; the server looks again.
    """
    _require(not laid.null_count and pa.types.is_string(laid.type))
    sizes, letters = octets(laid)
    return letters.copy(), sizes


def _furnish(letters: Letters, places: Places, nulls: Truths, part: Part) -> None:
    """Write values of a fixed size, and that size before them, but where they are NULL."""
    if isinstance(part, Whole):
        raise Declined("not of a fixed size")
    if isinstance(part, Varying) or nulls.any():
        _require(isinstance(part, Varying) and np.array_equal(part.sizes < 0, nulls))
        places = places[~nulls]
    if len(places):
        fields = np.empty(len(places), [("size", ">i4"), ("payload", part.payloads.dtype)])
        fields["size"], fields["payload"] = part.payloads.itemsize, part.payloads
        _write(letters, places, fields)


def _write(letters: Letters, places: Places, values: npt.NDArray[Any]) -> None:
    """Write values at places, aligned or not."""
    size = values.itemsize
    everywhere: npt.NDArray[Any] = np.ndarray((len(letters) - size + 1,), f"V{size}", letters, 0, (1,))
    everywhere[places] = values.view(f"V{size}")
