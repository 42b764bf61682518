"""Encodes whole columns as fields of binary COPY, in operations on arrays; the bytes are those that `encode` makes.

Every value is checked as `encode` checks it; where a column holds one that is not plainly fit, Declined is raised and
the caller encodes the column value by value.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zenni_tui.model.plan import ColumnPlan, EnumPlan, Epoch, Kind

from . import dates, moments
from .encode import PG_EPOCH_DAYS, PG_EPOCH_MICROS
from .unfit import Declined

Numbers = npt.NDArray[Any]
Truths = npt.NDArray[np.bool_]
Sizes = npt.NDArray[np.int32]

_BITS = {Kind.SMALLINT: 15, Kind.INTEGER: 31, Kind.BIGINT: 63}
_PER_SECOND = {Epoch.SECONDS: 1_000_000, Epoch.MILLISECONDS: 1_000, Epoch.MICROSECONDS: 1}
_LATEST = 1 << 62
"""Microseconds since 1970 up to which sums here stay within 64 bits: the year 148,000."""
_EXACT = 1 << 53
"""Whole numbers up to here are doubles without loss."""
_ASCII = 127


@dataclass(frozen=True, slots=True)
class Fixed:
    """A column without NULLs whose fields all have the same size: the payloads, big-endian."""

    payloads: Numbers


@dataclass(frozen=True, slots=True)
class Varying:
    """A column with the size of each payload, -1 for NULL, and the payloads one after another."""

    sizes: Sizes
    payloads: Any

    def column(self) -> Any:
        """Return the payloads as an Arrow column; a NULL's is empty."""
        return binary(np.maximum(self.sizes, 0), self.payloads)


@dataclass(frozen=True, slots=True)
class Whole:
    """A column of fields that are made already, sizes included, as an Arrow column."""

    fields: Any


Part = Fixed | Varying | Whole
Columns = Sequence[Any]
"""The Arrow columns of one column's lanes."""
Encoder = Callable[[Columns], Part]


def binary(sizes: Sizes, payloads: Any) -> Any:
    """Return an Arrow column of consecutive payloads."""
    offsets = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    return pa.Array.from_buffers(pa.binary(), len(sizes), [None, pa.py_buffer(offsets), pa.py_buffer(payloads)])


def rows(parts: Sequence[Part], count: int) -> memoryview:
    """Return the COPY data of `count` rows, each with its number of fields before them."""
    pieces: list[Any] = []
    fixed: list[Numbers] = [np.full(count, len(parts), ">i2")]
    for part in parts:
        if isinstance(part, Fixed):
            fixed += [np.full(count, part.payloads.itemsize, ">i4"), part.payloads]
            continue
        if isinstance(part, Varying):
            fixed.append(part.sizes.astype(">i4"))
        pieces += [_block(fixed)] if fixed else []
        pieces.append(part.column() if isinstance(part, Varying) else part.fields)
        fixed = []
    if fixed:
        pieces.append(_block(fixed))
    joined = pieces[0] if len(pieces) == 1 else _compute().binary_join_element_wise(*pieces, b"")
    _, offsets, data = joined.buffers()
    return memoryview(data).cast("B")[: np.frombuffer(offsets, np.int32)[count]]


def _compute() -> Any:
    import pyarrow.compute  # noqa: PLC0415 - a sixth of a second, and most large tables do without

    return pyarrow.compute


def _block(columns: Sequence[Numbers]) -> Any:
    """Return the neighbouring columns of fixed size as one Arrow column."""
    layout = np.dtype([(str(i), c.dtype) for i, c in enumerate(columns)])
    block = np.empty(len(columns[0]), layout)
    for i, values in enumerate(columns):
        block[str(i)] = values
    return binary(np.full(len(block), layout.itemsize, np.int32), block.view(np.uint8))


def encoder(column: ColumnPlan, classes: Sequence[str], enums: Iterable[EnumPlan] = ()) -> Encoder:
    """Return the function that encodes a column whose lanes are these storage classes, as `lanes.lanes` gave them."""
    made = _encoder(column, tuple(classes), enums)

    def encode(columns: Columns) -> Part:
        if all(c.null_count == len(c) for c in columns):
            return Varying(np.full(len(columns[0]), -1, np.int32), b"")
        return made(columns)

    return encode


def _encoder(column: ColumnPlan, classes: tuple[str, ...], enums: Iterable[EnumPlan]) -> Encoder:
    kind, size = column.type.kind, column.type.size
    if kind in _BITS:
        return _integer(_BITS[kind])
    if kind is Kind.ENUM:
        return _enum(next(frozenset(e.labels) for e in enums if e.name == column.type.enum))
    if kind is Kind.VARCHAR:
        return _limited(size)
    if kind is Kind.DATE:
        return lambda columns: _date(*_instants(columns, classes, column.epoch))
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        step = 10 ** (6 - (6 if size is None else size))
        return lambda columns: _timestamp(*_instants(columns, classes, column.epoch), step)
    plain: dict[Kind, Encoder] = {
        Kind.BOOLEAN: _boolean,
        Kind.REAL: _single,
        Kind.DOUBLE: lambda columns: _double(columns, classes),
        Kind.TEXT: lambda columns: _sized(plain_texts(columns[0])),
        Kind.BYTEA: lambda columns: _sized(_typed(columns[0], pa.binary())),
    }
    return plain[kind]


def _require(held: Any, why: str) -> None:
    if not held:
        raise Declined(why)


def _typed(values: Any, kind: Any) -> Any:
    """Return a column of that Arrow type, also where it holds NULLs only and therefore came as another."""
    if values.null_count == len(values):
        return pa.nulls(len(values), kind)
    _require(values.type == kind, f"read as {values.type}, expected {kind}")
    return values


def _valid(values: Any) -> Truths | None:
    """Return which values are not NULL, None when all are."""
    return _there(values) if values.null_count else None


def _there(values: Any) -> Truths:
    bits = values.buffers()[0]
    if bits is None:
        return np.full(len(values), not values.null_count)
    begin, end = values.offset, values.offset + len(values)
    held = np.unpackbits(np.frombuffer(bits, np.uint8), count=end, bitorder="little")
    return held[begin:].view(np.bool_)


def _numbers(values: Any, kind: Any, dtype: type[np.generic]) -> Numbers:
    """Return a column's numbers, 0 for NULL."""
    typed = _typed(values, kind)
    if typed.null_count == len(typed):
        return np.zeros(len(typed), dtype)
    numbers = np.frombuffer(typed.buffers()[1], dtype, len(typed), typed.offset * 8)
    return np.where(_there(typed), numbers, dtype(0)) if typed.null_count else numbers


def _whole(values: Any, low: int, high: int) -> Numbers:
    numbers = _numbers(values, pa.int64(), np.int64)
    _require(low <= int(numbers.min()) and int(numbers.max()) <= high, "out of range")
    return numbers


def _field(payloads: Numbers, valid: Truths | None) -> Part:
    if valid is None:
        return Fixed(payloads)
    sizes = np.where(valid, payloads.itemsize, -1).astype(np.int32)
    return Varying(sizes, np.ascontiguousarray(payloads[valid]))


def _integer(bits: int) -> Encoder:
    layout, edge = f">i{(bits + 1) // 8}", 1 << bits

    def encode(columns: Columns) -> Part:
        return _field(_whole(columns[0], -edge, edge - 1).astype(layout), _valid(columns[0]))

    return encode


def _boolean(columns: Columns) -> Part:
    return _field(_whole(columns[0], 0, 1).astype(np.uint8), _valid(columns[0]))


def _double(columns: Columns, classes: Sequence[str]) -> Part:
    numbers, valid = np.zeros(len(columns[0]), np.float64), np.zeros(len(columns[0]), np.bool_)
    for values, name in zip(columns, classes, strict=True):
        there = _there(values)
        if name == "integer":
            numbers[there] = _whole(values, -_EXACT, _EXACT)[there]
        else:
            numbers[there] = _numbers(values, pa.float64(), np.float64)[there]
        valid |= there
    return _field(numbers.astype(">f8"), None if valid.all() else valid)


def _single(columns: Columns) -> Part:
    numbers = _numbers(columns[0], pa.float64(), np.float64)
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32)
    _require((single == numbers).all(), "inexact")
    return _field(single.astype(">f4"), _valid(columns[0]))


def octets(values: Any) -> tuple[Sizes, npt.NDArray[np.uint8]]:
    """Return the sizes of a column's texts or blobs and all their bytes."""
    _, buffer, data = values.buffers()
    offsets = np.frombuffer(buffer, np.int32, len(values) + 1, values.offset * 4)
    held = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return np.diff(offsets), held[offsets[0] : offsets[-1]]


def _sized(values: Any) -> Part:
    sizes, data = octets(values)
    valid = _valid(values)
    if valid is not None:
        if sizes[~valid].any():
            # The driver leaves bytes under NULLs that it read before it knew the column's type.
            _, data = octets(values.drop_null())
        sizes = np.where(valid, sizes, np.int32(-1))
    return Varying(sizes, np.ascontiguousarray(data))


def plain_texts(values: Any) -> Any:
    """Return a column's texts, whole numbers in digits, when all of them are text to PostgreSQL too."""
    if pa.types.is_int64(values.type):
        return values.cast(pa.string())
    texts = _typed(values, pa.string())
    _, data = octets(texts)
    if len(data):
        _require(data.min(), "a NUL character")
        if data.max() > _ASCII:
            _require(_is_utf8(texts), "not UTF-8")
    return texts


def _is_utf8(texts: Any) -> bool:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _characters(texts: Any) -> int:
    """Return how many characters the longest text has."""
    compute = _compute()
    return int(compute.max(compute.utf8_length(texts)).as_py())


def _limited(size: int | None) -> Encoder:
    def encode(columns: Columns) -> Part:
        texts = plain_texts(columns[0])
        if size is not None and int(octets(texts)[0].max()) > size:
            _require(_characters(texts) <= size, "too long")
        return _sized(texts)

    return encode


def _enum(labels: frozenset[str]) -> Encoder:
    def encode(columns: Columns) -> Part:
        texts = plain_texts(_typed(columns[0], pa.string()))
        _require({*labels, None}.issuperset(texts.unique().to_pylist()), "none of the labels")
        return _sized(texts)

    return encode


def _instants(columns: Columns, classes: Sequence[str], epoch: Epoch) -> tuple[Numbers, Truths | None]:
    """Return microseconds since 1970 UTC, and which rows have them, None for all."""
    micros, valid = np.zeros(len(columns[0]), np.int64), np.zeros(len(columns[0]), np.bool_)
    for values, name in zip(columns, classes, strict=True):
        there = _there(values)
        micros += _counted(values, epoch) if name == "integer" else _written(values, there)
        valid |= there
    _require(int(micros.min()) >= dates.EARLIEST and int(micros.max()) <= _LATEST, "outside the calendar")
    return micros, None if valid.all() else valid


def _counted(values: Any, epoch: Epoch) -> Numbers:
    unit = _PER_SECOND[epoch]
    return _whole(values, dates.EARLIEST // unit, _LATEST // unit) * unit


def _written(values: Any, there: Truths) -> Numbers:
    texts = _typed(values, pa.string())
    sizes, data = octets(texts)
    offsets = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    return moments.read(offsets, data, there)


def _timestamp(micros: Numbers, valid: Truths | None, step: int) -> Part:
    _require(step == 1 or not (micros % step).any(), "finer than the target")
    return _field((micros - PG_EPOCH_MICROS).astype(">i8"), valid)


def _date(micros: Numbers, valid: Truths | None) -> Part:
    _require(not (micros % dates.DAY).any(), "a time of day")
    return _field((micros // dates.DAY - PG_EPOCH_DAYS).astype(">i4"), valid)
