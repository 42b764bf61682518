"""Makes COPY data of a table column by column: most of them through Arrow, the others value by value, joined in."""

import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from zenni_tui.convert import columnar, encode, laid
from zenni_tui.convert.lanes import lanes
from zenni_tui.convert.unfit import Declined
from zenni_tui.model.plan import ColumnPlan, Plan, Span, TablePlan
from zenni_tui.model.schema import ColumnProfile, SourceTable
from zenni_tui.source import arrow, reader

_BATCH_BYTES = 8 * 1024 * 1024
"""As many rows are read at once as take those bytes, if they are no longer than those before them; and no more than
`_STRETCH` times as many as would do if all were as long as the longest."""
_STRETCH = 3
_PIECE = 1024 * 1024
"""Bytes handed on at a time, so that a rate limit is kept evenly."""


class Columns:
    """How each column of one table is encoded; one that turns out unfit for it goes value by value from then on."""

    def __init__(
        self, table: SourceTable, planned: TablePlan, plan: Plan, profiles: Mapping[str, ColumnProfile], most: int
    ) -> None:
        self._table, self._columns = table, planned.loaded
        self._most = self._least = most
        self._clearings = planned.clearings
        self._fields = [encode.field_encoder(c, plan.enums) for c in self._columns]
        self._lanes = [_lanes(table, c, planned, profiles) for c in self._columns]
        self._encoders = [
            columnar.encoder(c, classes, plan.enums) if classes else None
            for c, classes in zip(self._columns, self._lanes, strict=True)
        ]
        nullable = [_nullable(table, c, profiles) for c in self._columns]
        self._layout = laid.layout(self._columns, self._lanes, nullable)

    @property
    def by_row(self) -> bool:
        """Return whether SQLite lays the rows out."""
        return self._layout is not None

    @property
    def by_value(self) -> tuple[str, ...]:
        """Return the columns that are encoded value by value."""
        return tuple(c.name for c, names in zip(self._columns, self._lanes, strict=True) if not names)

    def blocks(
        self, path: Path, source: sqlite3.Connection, span: Span
    ) -> Generator[tuple[int, memoryview], None, Span | None]:
        """Yield numbers of rows and COPY data; returns the rest to be encoded the general way, None for none."""
        rest: Span | None = span
        try:
            with arrow.open_frozen(path) as statement:
                while rest is not None:
                    count, block, rest = self._next(statement, source, rest)
                    for start in range(0, len(block), _PIECE):
                        yield 0 if start else count, block[start : start + _PIECE]
        except arrow.Unreadable:
            return rest
        return None

    def _next(self, statement: Any, source: sqlite3.Connection, span: Span) -> tuple[int, memoryview, Span | None]:
        batch, block = self._by_rows(statement, span) or self._by_lanes(statement, source, span)
        if batch is None:
            return 0, block, None
        last = batch.column(0)[-1].as_py()
        rest = msgspec.structs.replace(span, rows=span.rows - batch.num_rows, after=last)
        more = batch.num_rows == self._most
        fitting = _BATCH_BYTES * batch.num_rows // len(block)
        self._most = min(self._least * _STRETCH, max(self._least, fitting))
        return batch.num_rows, block, rest if more else None

    def _by_rows(self, statement: Any, span: Span) -> tuple[Any, memoryview] | None:
        """Return a batch and its data as SQLite laid it out, None where it can't, and won't be asked again."""
        if self._layout is None:
            return None
        rooms = self._layout.rooms
        try:
            wanted, pieces = self._wanted(rooms), self._layout.pieces
            batch = arrow.read(statement, self._table, wanted, span, self._most, laid=pieces)
            if batch is None:
                return None, memoryview(b"")
            arrays = iter(batch.columns[1:])
            parts = {i: made([next(arrays) for _ in self._lanes[i]]) for i in rooms if (made := self._encoders[i])}
            return batch, self._layout.rows(batch.columns[-1], parts)
        except (Declined, arrow.Unreadable):
            self._layout = None
            return None

    def _by_lanes(self, statement: Any, source: sqlite3.Connection, span: Span) -> tuple[Any, memoryview]:
        batch = arrow.read(statement, self._table, self._wanted(range(len(self._lanes))), span, self._most)
        if batch is None:
            return None, memoryview(b"")
        done = msgspec.structs.replace(span, rows=batch.num_rows, upto=batch.column(0)[-1].as_py())
        return batch, columnar.rows(self._parts(batch, source, done), batch.num_rows)

    def _wanted(self, places: Iterable[int]) -> list[arrow.Lane]:
        return [arrow.Lane(self._columns[i].source or "", only) for i in places for only in _apart(self._lanes[i])]

    def _parts(self, batch: Any, source: sqlite3.Connection, span: Span) -> Sequence[columnar.Part]:
        arrays = iter(batch.columns[1:])
        parts: list[columnar.Part | None] = []
        for i, encoder in enumerate(self._encoders):
            taken = [next(arrays) for _ in self._lanes[i]]
            try:
                parts.append(encoder(taken) if encoder else None)
            except Declined:
                parts.append(None)
        slow = [i for i, part in enumerate(parts) if part is None]
        for i in slow:
            self._encoders[i], self._lanes[i] = None, ()
        made = dict(zip(slow, self._by_value(slow, source, span), strict=True))
        return [part or made[i] for i, part in enumerate(parts)]

    def _by_value(self, wanted: Sequence[int], source: sqlite3.Connection, span: Span) -> list[columnar.Part]:
        if not wanted:
            return []
        names = [self._columns[i].source or "" for i in wanted]
        fields: list[list[bytes]] = [[] for _ in wanted]
        for rows in reader.batches(source, self._table, names, span, self._clearings):
            for made, i, values in zip(fields, wanted, zip(*rows, strict=True), strict=True):
                made.extend(map(self._fields[i], values))
        return [columnar.Whole(pa.array(made, pa.binary())) for made in fields]


def _lanes(
    table: SourceTable, column: ColumnPlan, planned: TablePlan, profiles: Mapping[str, ColumnProfile]
) -> tuple[str, ...]:
    declared = table.column(column.source or "")
    # What a column computes is read by the library that the audit read it with.
    if declared is None or declared.generated is not None or any(c.column == column.source for c in planned.clearings):
        return ()
    return lanes(column, profiles[declared.name])


def _nullable(table: SourceTable, column: ColumnPlan, profiles: Mapping[str, ColumnProfile]) -> bool:
    declared = table.column(column.source or "")
    return declared is None or declared.name not in profiles or profiles[declared.name].nulls > 0


def _apart(names: tuple[str, ...]) -> tuple[str | None, ...]:
    """Return what to read apart from each other, of a column that holds these storage classes."""
    if len(names) < 2:  # noqa: PLR2004 - one class is no mixture
        return (None,) * len(names)
    return ("number", "other") if names == ("integer", "text") else names
