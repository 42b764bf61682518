"""Compares what was written on the new side with the old file: those rows value by value, then counts of all rows."""

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from zenni_tui.compare import multiset, rows
from zenni_tui.compare.records import Difference
from zenni_tui.compare.session import pin_session
from zenni_tui.model.plan import Plan, Span
from zenni_tui.model.record import Record
from zenni_tui.source import reader
from zenni_tui.source.database import quoted
from zenni_tui.target import bookkeeping, capture

from .backward import Way

_WHOLE = Span(0, 0)
_AT_ONCE = 500


class Compared(Record, frozen=True):
    """What was compared; `differences` are tables with what differs in them."""

    tables: int = 0
    rows: int = 0
    differences: tuple[tuple[str, str], ...] = ()


def compare(
    target: bookkeeping.Connection, file: sqlite3.Connection, plan: Plan, ways: Mapping[str, Way], scratch: Path
) -> Compared:
    """Compare with the verifier's reading, which shares nothing with what carried the rows; both sides are frozen.

    `scratch` is a file to be made and removed. Raises psycopg.Error, sqlite3.Error.
    """
    tables = [(c, list(itertools.chain.from_iterable(capture.written(target, c)))) for c in capture.captured(target)]
    touched = [(ways[c.table], keys) for c, keys in tables if keys]
    pin_session(target)
    compared, differences = 0, []
    for way, keys in touched:
        one = _Table(target, file, plan, way)
        compared += one.compare(keys, scratch)
        differences += [(way.table.name, why) for why in one.differences]
    return Compared(len(touched), compared, tuple(differences))


class _Table:
    """One table's comparison."""

    def __init__(self, target: bookkeeping.Connection, file: sqlite3.Connection, plan: Plan, way: Way) -> None:
        self._target, self._file, self._plan, self._way = target, file, plan, way
        self.differences: list[str] = []

    def compare(self, keys: list[capture.Key], scratch: Path) -> int:
        """Compare the rows of some keys, or all of them where one is empty; returns how many keys or rows."""
        unique, rowid = self._plan.row_key(self._way.table), reader.rowid_name(self._way.source)
        if not unique:
            return self._all(scratch)
        if rowid is None or () in keys:
            compared = self._some(unique, None)
        else:
            rowids = sorted(self._rowids(rowid, keys))
            for start in range(0, len(rowids), _AT_ONCE):
                self._some(unique, rowids[start : start + _AT_ONCE])
            compared = len(keys)
        counts = rows.compare_counts(self._file, self._target, self._plan.schema, self._way.table)
        if not counts.equal:
            self.differences.append(f"{counts.rows_source} rows in the old file, {counts.rows_target} in the target.")
        return compared

    def _all(self, scratch: Path) -> int:
        plan, table = self._plan, self._way.table
        found = multiset.compare_multiset(self._file, self._target, plan.schema, table, scratch, enums=plan.enums)
        self.differences += map(_why, found.differences)
        return found.rows_source

    def _some(self, unique: Sequence[str], only: Sequence[int] | None) -> int:
        found = rows.compare_span(
            self._file,
            self._target,
            self._plan.schema,
            self._way.table,
            _WHOLE,
            unique=unique,
            enums=self._plan.enums,
            only=only,
        )
        self.differences += map(_why, found.differences)
        return found.rows_source

    def _rowids(self, rowid: str, keys: Iterable[capture.Key]) -> Iterator[int]:
        where = " AND ".join(f"{quoted(c)} = ?" for c in self._way.key)
        query = f"SELECT {rowid} FROM {quoted(self._way.source.name)} WHERE {where}"  # noqa: S608 - quoted names
        for key in keys:
            for form in self._way.written(key, None).keys:
                yield from (number for (number,) in self._file.execute(query, form))


def _why(difference: Difference) -> str:
    return (
        f"{difference.kind}: key {difference.key}, column {difference.column}: {difference.source_value!r} in the old"
        f" file, {difference.target_value!r} in the target."
    )
