"""Every value of every row: a span of the source against the target's rows of the same keys."""

import gc
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from zenni_tui.model.plan import Span, TablePlan

from .columns import Cell, column_reader
from .lookup import Layout, Lookup, key_columns, layout
from .naming import Namer
from .records import KEPT_DIFFERENCES, CountComparison, Difference, SpanComparison
from .session import Target
from .source import Batch, batches, count_rows

Row = tuple[Cell, ...]


class _Asked(NamedTuple):
    batch: Batch
    rows: list[Row]
    found: psycopg.Cursor[tuple[Any, ...]]


def compare_counts(source: sqlite3.Connection, target: Target, schema: str, table: TablePlan) -> CountComparison:
    """Count the table's rows on both sides; raises `sqlite3.Error` and `psycopg.Error`."""
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table.name))
    (rows,) = target.execute(query).fetchone() or (0,)
    return CountComparison(count_rows(source, table), rows)


def compare_span(
    source: sqlite3.Connection,
    target: Target,
    schema: str,
    table: TablePlan,
    span: Span,
    *,
    unique: Sequence[str] | None = None,
) -> SpanComparison:
    """Compare a span's rows, value by value, with the target's rows of the same key.

    `unique` names the target columns of a unique index without NULLs, for a table without primary key.
    Raises KeyError when neither can name the rows (see `multiset`), `StepFailed` when the target has no
    such table, `sqlite3.Error` and `psycopg.Error`.
    """
    key = key_columns(table, unique)
    if key is None:
        raise KeyError(f"{table.name} has no key to find its rows by")
    return _Comparison(target, table, key, layout(target, schema, table)).run(batches(source, table, span))


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
        self._kept: list[Difference] = []

    def run(self, read: Iterator[Batch]) -> SpanComparison:
        # The target works on one batch while the next one is read: on a far line no round trip is waited for.
        waiting: _Asked | None = None
        with self._target.pipeline(), _no_collections():
            for batch in read:
                asked = self._ask(batch)
                if waiting is not None:
                    self._settle(waiting)
                waiting = asked
            if waiting is not None:
                self._settle(waiting)
        return SpanComparison(self._source, self._found, self._differing, tuple(self._kept))

    def _ask(self, batch: Batch) -> _Asked:
        columns = [read(values) for read, values in zip(self._readers, batch.columns, strict=True)]
        keys = [columns[position] for position in self._key]
        raw = [batch.columns[position] for position in self._key]
        return _Asked(batch, list(zip(*columns, strict=True)), self._lookup.ask(keys, raw))

    def _settle(self, asked: _Asked) -> None:
        found = self._by_key(asked.found.fetchall())
        there = list(map(found.get, map(self._key_of, asked.rows)))
        self._source += len(asked.rows)
        self._found += len(there) - there.count(None)
        if there != asked.rows:
            self._name_differences(asked, there)

    def _name_differences(self, asked: _Asked, there: list[Any]) -> None:
        for position, (row, found) in enumerate(zip(asked.rows, there, strict=True)):
            if found is None:
                self._note([self._namer.missing(asked.batch, position)])
            elif found != row:
                self._note(self._namer.differing(asked.batch, position, found))

    def _by_key(self, rows: list[tuple[Any, ...]]) -> dict[Any, tuple[Any, ...]]:
        found = dict(zip(map(self._key_of, rows), rows, strict=True))
        if len(found) != len(rows):
            doubles = [row for row in rows if found[self._key_of(row)] is not row]
            for row in doubles:
                self._note([self._namer.surplus(row)])
        return found

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
