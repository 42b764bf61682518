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
from zenni_tui.compare.rowbytes import Undecided, cells_of
from zenni_tui.model.plan import ColumnPlan, Plan, Span, TablePlan
from zenni_tui.model.schema import ColumnProfile, SourceTable
from zenni_tui.source import arrow


class Spelling:
    """How each column of one table is read; one that turns out unfit for it goes value by value from then on."""

    def __init__(
        self, table: SourceTable, planned: TablePlan, plan: Plan, profiles: Mapping[str, ColumnProfile], most: int
    ) -> None:
        self._table, self._planned, self._enums, self._most = table, planned, plan.enums, most
        self._columns = planned.carried
        cleared = {c.column for c in planned.clearings}
        self._lanes = [() if c.source in cleared else _lanes(table, c, profiles) for c in self._columns]
        self._readers = [
            columnar.part_reader(c, classes) if classes else None
            for c, classes in zip(self._columns, self._lanes, strict=True)
        ]

    @property
    def by_value(self) -> tuple[str, ...]:
        """Return the columns that are read value by value."""
        return tuple(c.name for c, reader in zip(self._columns, self._readers, strict=True) if reader is None)

    def digest(self, path: Path, source: sqlite3.Connection, span: Span) -> SourceDigest:
        """Return the digest of a span's rows, none of which is in quarantine; raises as `expected` does."""
        made, rest = SourceDigest(), span
        try:
            with arrow.open_frozen(path) as cursor:
                for part, rest in self._parts(cursor, source, span):  # noqa: B007 - where an error leaves off
                    made += part
        except arrow.Unreadable:
            made += source_digest(source, self._planned, rest, self._enums)
        return made

    def _parts(self, cursor: Any, source: sqlite3.Connection, span: Span) -> Iterator[tuple[SourceDigest, Span]]:
        """Yield digests of the first rows, and the span of those behind them."""
        while True:
            lanes = [
                arrow.Lane(c.source or "", only)
                for c, classes in zip(self._columns, self._lanes, strict=True)
                for only in (classes if len(classes) > 1 else (None,) * len(classes))
            ]
            batch = arrow.read(cursor, self._table, lanes, span, self._most)
            if batch is None:
                return
            last = batch.column(0)[-1].as_py()
            done = msgspec.structs.replace(span, rows=batch.num_rows, upto=last)
            span = msgspec.structs.replace(span, rows=span.rows - batch.num_rows, after=last)
            yield self._digest(batch, source, done), span
            if batch.num_rows < self._most:
                return

    def _digest(self, batch: Any, source: sqlite3.Connection, span: Span) -> SourceDigest:
        parts = self._quick(batch)
        slow = [place for place, part in enumerate(parts) if part is None]
        repaired = 0
        try:
            if slow:
                made, repaired = self._by_value(slow, source, span)
                parts = [made[place] if part is None else part for place, part in enumerate(parts)]
            return SourceDigest(columnar.digest(parts, batch.num_rows), 0, repaired)
        except Undecided:
            return SourceDigest(Digest(batch.num_rows, None), 0, repaired)

    def _quick(self, batch: Any) -> list[columnar.Part]:
        arrays = iter(batch.columns[1:])
        parts: list[columnar.Part] = []
        for place, reader in enumerate(self._readers):
            taken = [next(arrays) for _ in self._lanes[place]]
            try:
                parts.append(reader(taken) if reader else None)
            except columnar.Declined:
                self._readers[place], self._lanes[place] = None, ()
                parts.append(None)
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
