"""Every value of every row: a span of the source against the target's rows of the same keys."""

import gc
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from zenni_tui.model.plan import EnumPlan, Span, TablePlan

from .columns import Cell, column_reader
from .expected import Expected, expected
from .lookup import Layout, Lookup, key_columns, layout
from .naming import Namer
from .records import KEPT_DIFFERENCES, CountComparison, Difference, SpanComparison
from .session import Target
from .source import Batch, count_quarantined, count_rows

Row = tuple[Cell, ...]


class _Asked(NamedTuple):
    batch: Batch
    rows: list[Row]
    found: psycopg.Cursor[tuple[Any, ...]]


def compare_counts(source: sqlite3.Connection, target: Target, schema: str, table: TablePlan) -> CountComparison:
    """Count the table's rows on both sides, and those in quarantine that the source has; the target has none of them.

    Raises KeyError for a quarantine of a table without rowids, `sqlite3.Error` and `psycopg.Error`.
    """
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table.name))
    (rows,) = target.execute(query).fetchone() or (0,)
    return CountComparison(count_rows(source, table), rows, count_quarantined(source, table))


def compare_span(
    source: sqlite3.Connection,
    target: Target,
    schema: str,
    table: TablePlan,
    span: Span,
    *,
    unique: Sequence[str] | None = None,
    enums: Sequence[EnumPlan] = (),
    shape: Layout | None = None,
    only: Sequence[int] | None = None,
) -> SpanComparison:
    """Compare a span's rows, value by value, with the target's rows of the same key.

    `unique` names the target columns of a unique index without NULLs, for a table without primary key; `enums` are
    the plan's, needed for repairs of values that are no label; `shape` spares a look into the catalogue; `only` are
    the rowids, in order, of the rows meant, where not all are. Quarantined rows are not looked for: `extra` finds those
    that are in the target all the same. Raises KeyError when no key can name the rows (see `multiset`) and as
    `expected` does, `StepFailed` when the target has no such table, `sqlite3.Error` and `psycopg.Error`.
    """
    key = key_columns(table, unique)
    if key is None:
        raise KeyError(f"{table.name} has no key to find its rows by")
    shape = shape or layout(target, schema, table)
    return _Comparison(target, table, key, shape).run(expected(source, table, span, enums, only))


def compare_batches(
    target: Target, table: TablePlan, read: Iterator[Expected], shape: Layout, key: tuple[int, ...]
) -> SpanComparison:
    """Compare rows that were read elsewhere, value by value, with the target's rows of the same key; see above."""
    return _Comparison(target, table, key, shape).run(read)


class _Comparison:
    """One span's comparison: what is being counted, and the readers compiled for the table."""

    def __init__(self, target: Target, table: TablePlan, key: tuple[int, ...], shape: Layout) -> None:
        self._target = target
        self._key = key
        self._key_of = itemgetter(*key)
        self._lookup = Lookup(target, shape, table, key)
        self._namer = Namer(table, key)
        self._readers = [column_reader(c, careful=p in key) for p, c in enumerate(table.carried)]
        self._source = self._found = self._differing = 0
        self._quarantined = self._rows_repaired = self._values_repaired = self._surplus = 0
        self._kept: list[Difference] = []

    def run(self, read: Iterator[Expected]) -> SpanComparison:
        # The target works on one batch while the next one is read: on a far line no round trip is waited for.
        waiting: _Asked | None = None
        with self._target.pipeline(), _no_collections():
            for ready in read:
                self._count(ready)
                asked = self._ask(ready.batch)
                if waiting is not None:
                    self._settle(waiting)
                waiting = asked
            if waiting is not None:
                self._settle(waiting)
        counts = (self._quarantined, self._rows_repaired, self._values_repaired, self._surplus)
        return SpanComparison(self._source, self._found, self._differing, tuple(self._kept), *counts)

    def _count(self, ready: Expected) -> None:
        self._source += ready.batch.rows + ready.rows_quarantined
        self._quarantined += ready.rows_quarantined
        self._rows_repaired += ready.rows_repaired
        self._values_repaired += ready.values_repaired

    def _ask(self, batch: Batch) -> _Asked:
        columns = [read(values) for read, values in zip(self._readers, batch.columns, strict=True)]
        keys = [columns[position] for position in self._key]
        raw = [batch.columns[position] for position in self._key]
        return _Asked(batch, list(zip(*columns, strict=True)), self._lookup.ask(keys, raw))

    def _settle(self, asked: _Asked) -> None:
        found = self._by_key(asked, asked.found.fetchall())
        there = list(map(found.get, map(self._key_of, asked.rows)))
        self._found += len(there) - there.count(None)
        if there != asked.rows:
            self._name_differences(asked, there)

    def _name_differences(self, asked: _Asked, there: list[Any]) -> None:
        for position, (row, found) in enumerate(zip(asked.rows, there, strict=True)):
            if found is None:
                self._note([self._namer.missing(asked.batch, position)])
            elif found != row:
                self._note(self._namer.differing(asked.batch, position, found))

    def _by_key(self, asked: _Asked, rows: list[tuple[Any, ...]]) -> dict[Any, tuple[Any, ...]]:
        found = dict(zip(map(self._key_of, rows), rows, strict=True))
        if len(found) != len(rows):
            rowids = self._rowids(asked)
            for row in rows:
                key = self._key_of(row)
                if found[key] is not row:
                    self._surplus += 1
                    self._note([self._namer.surplus(row, rowids.get(key))])
        return found

    def _rowids(self, asked: _Asked) -> dict[Any, int]:
        rowids = asked.batch.rowids
        return {} if rowids is None else dict(zip(map(self._key_of, asked.rows), rowids, strict=True))

    def _note(self, differences: Sequence[Difference]) -> None:
        if differences:
            self._differing += 1
            self._kept.extend(differences[: KEPT_DIFFERENCES - len(self._kept)])


@contextmanager
def _no_collections() -> Iterator[None]:
    # Millions of short-lived rows and no cycles: the collector would only walk over them again and again.
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
