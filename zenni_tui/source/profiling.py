"""Profiles spans of a large table as Arrow columns: what `audit` finds of the same rows, in half of its time.

A column is read in lanes, one for each storage class that it has held so far. Counts of SQLite's own tell when a span
holds another class; such a span, and all that arrays don't say, is left to `audit`.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zenni_tui.convert import instants, shapes
from zenni_tui.convert.lanes import classes, widest
from zenni_tui.convert.unfit import Declined
from zenni_tui.model.plan import Span
from zenni_tui.model.schema import ColumnProfile, SourceTable

from . import arrow, audit, reader
from .database import quoted

Profile = dict[str, ColumnProfile]

_MOST_VALUES = 32_768
"""Values of a batch: as none is longer than `reader.SHORT_BYTES`, they stay under 128 MiB, whatever comes."""
_BATCH_BYTES = 16 * 1024 * 1024
"""Bytes of a batch whose values are no longer than those that came before."""
_ASCII = 127
_TYPES = {"integer": pa.int64(), "real": pa.float64(), "text": pa.string(), "blob": pa.binary()}


class Profiler:
    """Profiles one table of a snapshot, span by span, and learns which storage classes each column holds."""

    def __init__(self, path: Path, source: sqlite3.Connection, table: SourceTable) -> None:
        self._path, self._source, self._table = path, source, table
        self._columns = [c.name for c in table.columns]
        self._most = 0
        self._known: dict[str, frozenset[str]] | None = None
        self._fit = True

    def profile(self, span: Span) -> Profile:
        """Return the profile of every column of a span."""
        found = self._quickly(span) if self._fit and self._known is not None else None
        if found is None:
            found = audit.profile_span(self._source, self._table, span)
            known = self._known or {}
            self._known = {name: known.get(name, frozenset()).union(classes(p)) for name, p in found.items()}
            width = sum(map(widest, found.values()))
            self._most = max(1, min(_MOST_VALUES // len(found), _BATCH_BYTES // width))
        return found

    def _quickly(self, span: Span) -> Profile | None:
        """Return what arrays say of a span, None when they can't say it."""
        try:
            rows, held = self._held(span)
            found = self._read(span)
        except (arrow.Unreadable, Declined):
            self._fit = False
            return None
        except sqlite3.DataError:
            return None  # a value that is too long to be read with many others
        if {n: p.integers + p.reals + p.texts + p.blobs for n, p in found.items()} != held:
            return None
        return {n: msgspec.structs.replace(p, nulls=rows - held[n]) for n, p in found.items()}

    def _held(self, span: Span) -> tuple[int, dict[str, int]]:
        """Return the rows of a span, and how many values each column holds; raises DataError for a long value."""
        where, values = reader.within(self._table, span)
        counts = ", ".join(f"count({quoted(c)})" for c in self._columns)
        query = f"SELECT count(*), {counts} FROM {quoted(self._table.name)}{where}"  # noqa: S608 - quoted names
        with reader.short(self._source):
            rows, *held = self._source.execute(query, values).fetchone()
        return rows, dict(zip(self._columns, held, strict=True))

    def _read(self, span: Span) -> Profile:
        assert self._known is not None  # noqa: S101 - the caller has looked
        lanes = [(c, name) for c in self._columns for name in sorted(self._known[c])]
        # A column that holds nothing but whole numbers comes as such; one that holds anything else comes otherwise.
        alone = {c for c, names in self._known.items() if names == {"integer"}}
        wanted = [arrow.Lane(c, None if c in alone else name) for c, name in lanes]
        found = dict.fromkeys(self._columns, ColumnProfile())
        rest: Span | None = span
        with arrow.open_frozen(self._path) as cursor:
            while rest is not None and (batch := arrow.read(cursor, self._table, wanted, rest, self._most)):
                for (column, name), values in zip(lanes, batch.columns[1:], strict=True):
                    found[column] = audit.merge(found[column], _profile(name, values))
                last = batch.column(0)[-1].as_py()
                rest = msgspec.structs.replace(rest, after=last) if batch.num_rows == self._most else None
        return found


def _profile(name: str, values: Any) -> ColumnProfile:
    """Profile a lane; raises Declined where Arrow is no judge of the values."""
    held = values.drop_null() if values.null_count else values
    if not len(held):
        return ColumnProfile()
    if held.type != _TYPES[name]:
        raise Declined(f"read as {held.type}, expected {name}")
    return _PROFILES[name](held)


def _integers(held: Any) -> ColumnProfile:
    whole = held.to_numpy()
    least, greatest = int(whole.min()), int(whole.max())
    seconds = _between(whole, audit.SECONDS_BEGIN, audit.SECONDS_END)
    millis = _between(whole, audit.SECONDS_END, audit.MILLIS_END)
    return ColumnProfile(integers=len(whole), smallest=least, largest=greatest, seconds=seconds, millis=millis)


def _between(whole: npt.NDArray[np.int64], begin: int, end: int) -> int:
    return int(np.count_nonzero((whole >= begin) & (whole < end)))


def _reals(held: Any) -> ColumnProfile:
    reals = held.to_numpy()
    return ColumnProfile(reals=len(reals), least_real=float(reals.min()), greatest_real=float(reals.max()))


def _texts(held: Any) -> ColumnProfile:
    sizes, data = _bytes(held)
    longest = size = int(sizes.max())
    if size and not data.min():
        raise Declined("a NUL character")
    if size and data.max() > _ASCII:
        _require_utf8(held)
        longest = pc.max(pc.utf8_length(held)).as_py()
    # Most texts are no moments, and the first one says so.
    plain = instants.plain([held[0].as_py()]) != (0, 0)
    zoned, zoneless = instants.plain(held.to_numpy(zero_copy_only=False).tolist()) if plain else (0, 0)
    words = _words(held) if longest <= shapes.LONGEST_WORD else None
    return ColumnProfile(
        texts=len(held), longest=longest, longest_bytes=size, zoned=zoned, zoneless=zoneless, words=words
    )


def _words(held: Any) -> tuple[str, ...] | None:
    # Most columns have many, and the first texts say so.
    if len(pc.unique(held[: shapes.SAMPLE])) > shapes.FEW:
        return None
    found = pc.unique(held)
    return shapes.few(found.to_pylist()) if len(found) <= shapes.FEW else None


def _bytes(held: Any) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return the sizes of texts or BLOBs and all their bytes."""
    _, buffer, data = held.buffers()
    offsets = np.frombuffer(buffer, np.int32, len(held) + 1, held.offset * 4)
    letters = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return np.diff(offsets), letters[offsets[0] : offsets[-1]]


def _require_utf8(held: Any) -> None:
    try:
        held.validate(full=True)
    except pa.ArrowInvalid:
        raise Declined("not UTF-8") from None


def _blobs(held: Any) -> ColumnProfile:
    longest = int(_bytes(held)[0].max())
    return ColumnProfile(blobs=len(held), longest=longest, longest_bytes=longest)


_PROFILES: dict[str, Callable[[Any], ColumnProfile]] = {
    "integer": _integers,
    "real": _reals,
    "text": _texts,
    "blob": _blobs,
}
