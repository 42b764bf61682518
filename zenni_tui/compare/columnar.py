"""Whole Arrow columns at a time: the bytes of rows that `rowbytes` makes of the same values, and their digest.

A column that holds something else than its lanes promise, or for which the general way has more to say than a text,
raises Declined and has to be read value by value. Only what is read differs here, never what it means: the readings are
those of `values`, with Arrow's own parser for dates (https://arrow.apache.org/docs/cpp/compute.html#conversions).
"""

import hashlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zenni_tui.model.laid import Piece
from zenni_tui.model.plan import ColumnPlan, Epoch, Kind
from zenni_tui.model.schema import ColumnProfile

from . import dates
from .digest import Digest
from .rowbytes import EPOCH, INSTANTS, LONG, NO_INSTANT, NULLABLE, SEPARATOR, WRITTEN, Undecided, bytes_of
from .values import GREATEST_COUNTED

Numbers = npt.NDArray[np.int64]
Letters = npt.NDArray[np.uint8]
Truths = npt.NDArray[np.bool_]
Columns = Sequence[Any]
"""The Arrow columns of one column's lanes."""
Part = Any
"""One column of some rows: marked texts as an Arrow column, or instants as numbers."""
PartReader = Callable[[Columns], Part]

_TEXTS = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.ENUM, Kind.JSON})
_WHOLES = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.NUMERIC})
_ALONE: dict[Kind, frozenset[str]] = (
    dict.fromkeys(_TEXTS, frozenset({"text"}))
    | dict.fromkeys(_WHOLES, frozenset({"integer"}))
    | {Kind.BOOLEAN: frozenset({"integer"}), Kind.DOUBLE: frozenset({"real"}), Kind.BYTEA: frozenset({"blob"})}
)
_UNIT = {Epoch.SECONDS: 1_000_000, Epoch.MILLISECONDS: 1_000, Epoch.MICROSECONDS: 1}
_INSTANT = (
    r"^(?:[1-9][0-9]{3}|0[0-9]{2}[1-9]|0[0-9][1-9]0|0[1-9]00)-[0-9]{2}-[0-9]{2}"
    r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-](?:0[0-9]|1[0-5]):[0-5][0-9])?)?$"
)
"""The shapes in which nearly all dates come; others are read value by value."""
_HEX = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], np.uint8)
_FIRST = SEPARATOR.encode()[0]
_BYTES = 32
_SIZE = 8
"""Bytes of an instant."""
_MOST = 60
"""Columns: each takes two arguments of one SQL function, and every SQLite allows 127 (https://sqlite.org/limits.html)."""


class Declined(Exception):
    """The column has to be read value by value."""


def lanes(column: ColumnPlan, profile: ColumnProfile) -> tuple[str, ...]:
    """Return the storage classes to read a column in, none when it has to be read value by value."""
    counts = {"integer": profile.integers, "real": profile.reals, "text": profile.texts, "blob": profile.blobs}
    found = tuple(name for name, count in counts.items() if count)
    kind = column.type.kind
    if column.repairs or profile.suspect_text or (kind is not Kind.BYTEA and profile.longest_bytes > LONG):
        return ()
    if kind in INSTANTS or kind is Kind.DATE:
        by_zone = "text" in found and column.zone is not None
        by_day = "integer" in found and column.epoch is Epoch.JULIAN
        return () if by_zone or by_day or not {"integer", "text"}.issuperset(found) else found
    return found if frozenset(found) == _ALONE.get(kind) else ()


def writable(columns: Sequence[ColumnPlan], lanes: Sequence[tuple[str, ...]], declared: Sequence[str]) -> bool:
    """Return whether SQLite can write the texts that it would have to, and no other values could be taken for them."""
    written = [
        bool(classes) and (column.type.kind in _WHOLES or _has_text_affinity(name))
        for column, classes, name in zip(columns, lanes, declared, strict=True)
        if column.type.kind in WRITTEN
    ]
    return 0 < len(written) <= _MOST and all(written)


def only(column: ColumnPlan, classes: tuple[str, ...], declared: str) -> tuple[str | None, ...]:
    """Return the one class to ask for, None where no other could be taken for it."""
    return classes if column.type.kind in _TEXTS and not _has_text_affinity(declared) else (None,)


def _has_text_affinity(declared: str) -> bool:
    # In other columns there could be reals, which SQLite and its driver write with fewer digits than they have
    # (https://sqlite.org/datatype3.html#determination_of_column_affinity).
    name = declared.upper()
    return "INT" not in name and any(part in name for part in ("CHAR", "CLOB", "TEXT"))


def part_reader(column: ColumnPlan, classes: Sequence[str]) -> PartReader:
    """Return the function that reads the columns of a column's lanes, which are these storage classes."""
    kind = column.type.kind
    if kind in INSTANTS:
        return lambda columns: _sent(columns, classes, column.epoch)
    texts = _days(classes, column.epoch) if kind is Kind.DATE else _READERS[kind]

    def read(columns: Columns) -> Part:
        return _marked(texts(columns), column)

    return read


def by_value(cells: Sequence[str], column: ColumnPlan) -> Part:
    """Return the part for a column that was read value by value, from its marked texts; raises Undecided."""
    if column.type.kind in INSTANTS:
        return np.frombuffer(b"".join(bytes_of([cells], [column])), ">i8")
    return pa.array(bytes_of([cells], [column]), pa.binary())


def digest(rows: Any) -> Digest:
    """Return the digest of rows, given as their bytes in an Arrow column."""
    return Digest(len(rows), f"{_total(rows):x}")


def row_bytes(parts: Sequence[Part], rows: int) -> Any:
    """Return the bytes of some rows as an Arrow column, from their parts by `rank`; raises Undecided."""
    heads, texts = _apart(parts)
    columns = [pc.binary_join_element_wise(*texts, SEPARATOR.encode())] if texts else []
    if heads:
        columns.insert(0, _fixed(*_head(heads, rows)))
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, b"")


def pieces(columns: Sequence[ColumnPlan]) -> tuple[Piece, ...]:
    """Return what SQLite has to join for each row: room for the instants, and the texts that it can write."""
    room = Piece(" " * _SIZE * sum(c.type.kind in INSTANTS for c in columns))
    written = [c for c in columns if c.type.kind in WRITTEN]
    return (room, *(_piece(c, SEPARATOR if place else "") for place, c in enumerate(written)))


def _piece(column: ColumnPlan, before: str) -> Piece:
    null = None if column.not_null else before
    return Piece(before if column.not_null else before + NULLABLE, column.source or "", null, shown=True)


def laid_bytes(checks: Any, laid: Any, written: int, parts: Sequence[Part]) -> Any:
    """Return the same from an Arrow column of joined pieces of so many columns, and the parts of the other columns.

    `checks` holds 1 for each row whose pieces are texts or numbers. Raises Declined when the joint may not be what it
    seems, and Undecided.
    """
    _require(not checks.null_count and pc.min(checks).as_py() == 1)
    heads, texts = _apart(parts)
    edges, held = _bytes(_typed(laid, pa.string()))
    _require(np.count_nonzero(held == _FIRST) == len(laid) * (written - 1))
    letters = held.copy()
    if heads:
        _furnish(letters, edges[:-1] - edges[0], *_head(heads, len(laid)))
    offsets = pa.py_buffer(edges - edges[0])
    whole = pa.Array.from_buffers(pa.binary(), len(laid), [None, offsets, pa.py_buffer(letters)])
    return pc.binary_join_element_wise(whole, *texts, SEPARATOR.encode()) if texts else whole


def _furnish(letters: Letters, places: npt.NDArray[np.int32], block: Any, size: int) -> None:
    """Write blocks of one size into the rooms at some places, aligned or not."""
    rooms: npt.NDArray[Any] = np.ndarray((len(letters) - size + 1,), f"V{size}", letters, 0, (1,))
    rooms[places] = block.view(f"V{size}").ravel()


def _apart(parts: Sequence[Part]) -> tuple[list[Numbers], list[Any]]:
    """Return instants and texts."""
    texts = [part for part in parts if not isinstance(part, np.ndarray)]
    if any(_holds_separator(text) for text in texts):
        raise Undecided
    return [part for part in parts if isinstance(part, np.ndarray)], texts


def _head(parts: Sequence[Numbers], rows: int) -> tuple[Any, int]:
    """Return the instants of all rows, row by row, and how many bytes a row's take."""
    block = np.empty((rows, len(parts)), ">i8")
    for place, numbers in enumerate(parts):
        block[:, place] = numbers
    return block, _SIZE * len(parts)


def _fixed(block: Any, size: int) -> Any:
    """Return values of one size, one after another, as an Arrow column."""
    rows = block.nbytes // size
    offsets = np.arange(0, (rows + 1) * size, size, dtype=np.int32)
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(block)])


def _total(joined: Any) -> int:
    _, offsets, data = joined.buffers()
    edges = np.frombuffer(offsets, np.int32, len(joined) + 1, joined.offset * 4).tolist()
    held, sha256 = memoryview(data), hashlib.sha256
    hashes = b"".join([sha256(held[start:end]).digest() for start, end in itertools.pairwise(edges)])
    sums = np.frombuffer(hashes, np.uint8).reshape(-1, _BYTES).sum(axis=0, dtype=np.int64)
    return sum(int(total) << 8 * (_BYTES - 1 - place) for place, total in enumerate(sums))


def _bytes(values: Any) -> tuple[npt.NDArray[np.int32], Letters]:
    """Return where a column's values begin and end, and all their bytes."""
    _, offsets, data = values.buffers()
    edges = np.frombuffer(offsets, np.int32, len(values) + 1, values.offset * 4)
    held = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return edges, held[edges[0] : edges[-1]]


def _holds_separator(texts: Any) -> bool:
    if not (_bytes(texts)[1] == _FIRST).any():
        return False
    return bool(pc.any(pc.match_substring(texts, SEPARATOR)).as_py())


def _marked(texts: Any, column: ColumnPlan) -> Any:
    held = texts.cast(pa.binary())
    if column.not_null:
        if held.null_count:
            raise Declined
        return held
    return pc.fill_null(pc.binary_join_element_wise(NULLABLE.encode(), held, b""), b"")


def _require(held: Any) -> None:
    if not held:
        raise Declined


def _typed(values: Any, kind: Any) -> Any:
    """Return a column of that Arrow type, also where it holds NULLs only and therefore came as another."""
    if values.null_count == len(values):
        return pa.nulls(len(values), kind)
    _require(values.type == kind)
    return values


def _text(columns: Columns) -> Any:
    return _typed(columns[0], pa.string())


def _whole(columns: Columns) -> Any:
    return _typed(columns[0], pa.int64()).cast(pa.string())


def _boolean(columns: Columns) -> Any:
    numbers = _typed(columns[0], pa.int64())
    _require({0, 1, None}.issuperset(pc.unique(numbers).to_pylist()))
    return numbers.cast(pa.bool_()).cast(pa.string())


def _double(columns: Columns) -> Any:
    values = _typed(columns[0], pa.float64())
    numbers = np.asarray(values.fill_null(0.0)).astype(">f8")
    digits = _HEX[numbers.view(np.uint8)]
    return pc.if_else(values.is_valid(), _fixed(digits, 16), pa.scalar(None, pa.binary()))


def _blob(columns: Columns) -> Any:
    values, sha256 = _typed(columns[0], pa.binary()), hashlib.sha256
    return pa.array([None if v is None else sha256(v).hexdigest() for v in values.to_pylist()], pa.string())


_READERS: dict[Kind, Callable[[Columns], Any]] = (
    dict.fromkeys(_TEXTS, _text)
    | dict.fromkeys(_WHOLES, _whole)
    | {Kind.BOOLEAN: _boolean, Kind.DOUBLE: _double, Kind.BYTEA: _blob}
)


def _sent(columns: Columns, classes: Sequence[str], epoch: Epoch) -> Numbers:
    micros, valid = _instants(columns, classes, epoch)
    return np.where(valid, micros - EPOCH, NO_INSTANT)


def _days(classes: Sequence[str], epoch: Epoch) -> Callable[[Columns], Any]:
    def read(columns: Columns) -> Any:
        micros, valid = _instants(columns, classes, epoch)
        _require(not (micros % dates.DAY).any())
        return pa.array(micros // dates.DAY, mask=~valid).cast(pa.string())

    return read


def _instants(columns: Columns, classes: Sequence[str], epoch: Epoch) -> tuple[Numbers, Truths]:
    """Return microseconds since 1970 UTC, and which rows have them."""
    micros, valid = np.zeros(len(columns[0]), np.int64), np.zeros(len(columns[0]), np.bool_)
    for values, name in zip(columns, classes, strict=True):
        there = np.asarray(values.is_valid())
        if there.any():
            held = values.drop_null()
            micros[there] = _counted(held, epoch) if name == "integer" else _written(held)
            valid |= there
    return micros, valid


def _counted(values: Any, epoch: Epoch) -> Numbers:
    numbers, unit = np.asarray(_typed(values, pa.int64())), _UNIT[epoch]
    _require(dates.FIRST_MICROS // unit < numbers.min() and numbers.max() <= GREATEST_COUNTED // unit)
    counted: Numbers = numbers * unit
    return counted


def _written(values: Any) -> Numbers:
    texts = _typed(values, pa.string())
    _require(pc.all(pc.match_substring_regex(texts, _INSTANT)).as_py())
    there = _zoned(texts)
    micros, zoned = np.empty(len(texts), np.int64), pa.array(there)
    micros[there] = _parsed(texts.filter(zoned), "UTC")
    micros[~there] = _parsed(texts.filter(pc.invert(zoned)), None)
    return micros


def _zoned(texts: Any) -> Truths:
    """Return which dates end with a zone: with its letter, or with a sign at its place."""
    edges, held = _bytes(texts)
    ends = edges[1:] - edges[0]
    signs, timed = held[ends - len("+00:00")], np.diff(edges) > len("2000-01-01")
    zoned: Truths = timed & ((held[ends - 1] == ord("Z")) | (signs == ord("+")) | (signs == ord("-")))
    return zoned


def _parsed(texts: Any, zone: str | None) -> Numbers:
    try:
        instants = texts.cast(pa.timestamp("us", zone))
    except pa.ArrowInvalid:
        raise Declined from None
    return np.asarray(instants.cast(pa.int64()))
