"""Digests of a table read column by column: most of them through Arrow, the others value by value, side by side."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from zenni_tui.compare import columnar
from zenni_tui.compare.columns import column_reader
from zenni_tui.compare.digest import Digest, SourceDigest, source_digest
from zenni_tui.compare.expected import expected
from zenni_tui.compare.rowbytes import WRITTEN, Undecided, cells_of, rank
from zenni_tui.model.plan import ColumnPlan, Plan, Span, TablePlan
from zenni_tui.model.schema import ColumnProfile, SourceTable
from zenni_tui.source import arrow

_BATCH_BYTES = 8 * 1024 * 1024
"""A batch is held three times over while it is hashed."""
_STRETCH = 2
"""As each operation takes some time of its own, so many times more rows are read at once as would do if all were as
long as the longest; of rows that are no longer than those before them, as many as take those bytes."""


class Spelling:
    """How the columns of one table are read; what turns out unfit for a way goes by the next one from then on."""

    def __init__(
        self, table: SourceTable, planned: TablePlan, plan: Plan, profiles: Mapping[str, ColumnProfile], most: int
    ) -> None:
        self._table, self._planned, self._enums = table, planned, plan.enums
        self._most = self._least = most
        self._columns = sorted(planned.carried, key=rank)
        cleared = {c.column for c in planned.clearings}
        self._lanes = [() if c.source in cleared else _lanes(table, c, profiles) for c in self._columns]
        self._readers = [
            columnar.part_reader(c, classes) if classes else None
            for c, classes in zip(self._columns, self._lanes, strict=True)
        ]
        self._declared = [_declared(table, c) for c in self._columns]
        writable = columnar.writable(self._columns, self._lanes, self._declared)
        self._pieces = columnar.pieces(self._columns) if writable else ()

    @property
    def by_row(self) -> bool:
        """Return whether SQLite writes the rows' texts."""
        return bool(self._pieces)

    @property
    def by_value(self) -> tuple[str, ...]:
        """Return the columns that are read value by value."""
        return tuple(c.name for c, reader in zip(self._columns, self._readers, strict=True) if reader is None)

    def digest(self, path: Path, source: sqlite3.Connection, span: Span) -> SourceDigest:
        """Return the digest of a span's rows, none of which is in quarantine; raises as `expected` does."""
        made, rest = SourceDigest(), span
        try:
            with arrow.open_frozen(path) as statement:
                for part, rest in self._parts(statement, source, span):  # noqa: B007 - where an error leaves off
                    made += part
        except arrow.Unreadable:
            made += source_digest(source, self._planned, rest, self._enums)
        return made

    def _parts(self, statement: Any, source: sqlite3.Connection, span: Span) -> Iterator[tuple[SourceDigest, Span]]:
        """Yield digests of the first rows, and the span of those behind them."""
        while True:
            most = self._most
            batch, places = self._read(statement, span)
            if batch is None:
                return
            last = batch.column(0)[-1].as_py()
            done = msgspec.structs.replace(span, rows=batch.num_rows, upto=last)
            try:
                part = self._digest(batch, places, source, done)
            except columnar.Declined:
                self._pieces = ()
                continue
            span = msgspec.structs.replace(span, rows=span.rows - batch.num_rows, after=last)
            fitting = _BATCH_BYTES * batch.num_rows // batch.nbytes
            self._most = min(self._least * _STRETCH, max(self._least, fitting))
            yield part, span
            if batch.num_rows < most:
                return

    def _read(self, statement: Any, span: Span) -> tuple[Any, list[int]]:
        """Return a batch, and the places of the columns that are in it by themselves."""
        if self._pieces:
            places = [place for place, c in enumerate(self._columns) if c.type.kind not in WRITTEN]
            try:
                lanes = self._wanted(places)
                batch = arrow.read(statement, self._table, lanes, span, self._most, laid=self._pieces, checked=True)
            except arrow.Unreadable:
                self._pieces = ()
            else:
                return batch, places
        places = list(range(len(self._columns)))
        return arrow.read(statement, self._table, self._wanted(places), span, self._most), places

    def _wanted(self, places: Sequence[int]) -> list[arrow.Lane]:
        return [arrow.Lane(self._columns[p].source or "", only) for p in places for only in self._halves(p)]

    def _halves(self, place: int) -> tuple[str | None, ...]:
        """Return what to read apart from each other of a column."""
        classes = self._lanes[place]
        if len(classes) == 1:
            return columnar.only(self._columns[place], classes, self._declared[place])
        return ("number", "other") if classes == ("integer", "text") else classes

    def _digest(self, batch: Any, places: Sequence[int], source: sqlite3.Connection, span: Span) -> SourceDigest:
        parts = self._quick(batch, places)
        slow = [place for place, part in parts.items() if part is None]
        repaired = 0
        try:
            if slow:
                made, repaired = self._by_value(slow, source, span)
                parts |= made
            rows = self._rows(batch, list(parts.values()))
            return SourceDigest(columnar.digest(rows), 0, repaired)
        except Undecided:
            return SourceDigest(Digest(batch.num_rows, None), 0, repaired)

    def _rows(self, batch: Any, parts: Sequence[columnar.Part]) -> Any:
        if self._pieces:
            checks, laid = batch.columns[-2:]
            return columnar.laid_bytes(checks, laid, len(self._columns) - len(parts), parts)
        return columnar.row_bytes(parts, batch.num_rows)

    def _quick(self, batch: Any, places: Sequence[int]) -> dict[int, columnar.Part]:
        arrays = iter(batch.columns[1:])
        parts: dict[int, columnar.Part] = {}
        for place in places:
            reader, taken = self._readers[place], [next(arrays) for _ in self._lanes[place]]
            try:
                parts[place] = reader(taken) if reader else None
            except columnar.Declined:
                self._readers[place], self._lanes[place] = None, ()
                parts[place] = None
        return parts

    def _by_value(
        self, places: Sequence[int], source: sqlite3.Connection, span: Span
    ) -> tuple[dict[int, columnar.Part], int]:
        """Return the parts of some columns, by their places, and how many rows were repaired; raises Undecided."""
        columns = tuple(self._columns[place] for place in places)
        narrow = msgspec.structs.replace(self._planned, columns=columns)
        readers = [column_reader(column) for column in columns]
        cells: list[list[str]] = [[] for _ in columns]
        repaired = 0
        for ready in expected(source, narrow, span, self._enums):
            repaired += ready.rows_repaired
            for had, more in zip(cells, cells_of(ready, columns, readers), strict=True):
                had.extend(more)
        made = [columnar.by_value(part, column) for part, column in zip(cells, columns, strict=True)]
        return dict(zip(places, made, strict=True)), repaired


def _lanes(table: SourceTable, column: ColumnPlan, profiles: Mapping[str, ColumnProfile]) -> tuple[str, ...]:
    declared = table.column(column.source or "")
    # What a column computes is read by the library that the audit read it with.
    if declared is None or declared.generated is not None:
        return ()
    return columnar.lanes(column, profiles[declared.name])


def _declared(table: SourceTable, column: ColumnPlan) -> str:
    declared = table.column(column.source or "")
    return declared.declared if declared is not None else ""
