"""The way back of changes: what is written in PostgreSQL after the switch, in the old file moments later."""

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg

from zenni_tui.convert.restore import Restorer
from zenni_tui.convert.unfit import Unfit
from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import ColumnPlan, EnumPlan, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceTable, Value
from zenni_tui.source import apply
from zenni_tui.source.database import quoted
from zenni_tui.target import capture

Connection = psycopg.Connection[tuple[Any, ...]]

_SAMPLES = 200
_FORMS = 64
"""Forms of a key that are looked up at most; a key has one or two."""


class Followed(Record, frozen=True):
    """What one look has brought: entries of the log, rows changed, new and gone in the file, and how far it goes."""

    upto: str
    entries: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0


class Way:
    """One table's way back; `samples` are stored values by source column, to show the forms of the file."""

    def __init__(
        self,
        table: TablePlan,
        source: SourceTable,
        enums: Iterable[EnumPlan],
        key: Sequence[str],
        samples: Mapping[str, Sequence[Value]],
    ) -> None:
        self.table = table
        self.source = source
        self.columns = tuple(c.name for c in table.loaded)
        self._plans = table.loaded
        self._restorers = [Restorer(c, enums, samples.get(c.source or "", ())) for c in table.loaded]
        self._key = tuple(self.columns.index(c) for c in key)
        self.key = tuple(_source(self._plans[place]) for place in self._key)

    def written(self, key: Sequence[str], row: Sequence[str | None] | None) -> apply.Written:
        """Return what a row that PostgreSQL shows as texts, None when it is gone, is to be in the file."""
        forms = [self._restorers[place].forms(text) for place, text in zip(self._key, key, strict=True)]
        keys = tuple(itertools.islice(itertools.product(*forms), _FORMS))
        return apply.Written(keys, None if row is None else lambda stored: self._made(key, row, stored))

    def anew(self, row: Sequence[str | None]) -> tuple[object, Callable[[], apply.Stored]]:
        """Return what a row of a table without a key means, and what makes it where it is new."""
        key = tuple(str(text) for text in row)
        meaning = tuple(r.meaning_of_text(text) for r, text in zip(self._restorers, row, strict=True))
        return _key_of(meaning), lambda: self._made(key, row, None)

    def meaning(self, stored: apply.Stored) -> object:
        """Return what a stored row means, to compare it by; one that PostgreSQL can't hold is like no other."""
        try:
            return _key_of(
                tuple(r.meaning(stored[_source(c)]) for r, c in zip(self._restorers, self._plans, strict=True))
            )
        except Unfit:
            return object()

    def _made(self, key: Sequence[str], row: Sequence[str | None], stored: apply.Stored | None) -> apply.Stored:
        made = dict(stored or {})
        for column, restorer, text in zip(self._plans, self._restorers, row, strict=True):
            name = _source(column)
            try:
                made[name] = restorer.restore(text, made.get(name), known=stored is not None)
            except Unfit as unfit:
                raise self._no_way(key, column, unfit) from None
        return made

    def _no_way(self, key: Sequence[str], column: ColumnPlan, unfit: Unfit) -> StepFailed:
        return StepFailed(
            "A value written in PostgreSQL can't be carried back.",
            where=f'table "{self.table.name}", column "{column.name}", key {", ".join(key)}',
            why=unfit.reason,
            next_step="Change it in PostgreSQL to one that SQLite can hold; following goes on by itself.",
        )


def _source(column: ColumnPlan) -> str:
    assert column.source is not None  # noqa: S101 - loaded columns come from the source
    return column.source


def _key_of(meaning: tuple[object, ...]) -> object:
    # What jsonb means is made of lists and dicts, which no dict takes as keys.
    return tuple(m if isinstance(m, bytes) else repr(_sorted(m)) for m in meaning)


def _sorted(document: object) -> object:
    if isinstance(document, dict):
        return sorted((k, _sorted(v)) for k, v in document.items())
    return [_sorted(d) for d in document] if isinstance(document, list) else document


def samples(file: sqlite3.Connection, table: TablePlan) -> dict[str, list[Value]]:
    """Return some stored values of each column of a table, the last rows' where SQLite tells which those are."""
    found: dict[str, list[Value]] = {}
    for column in table.loaded:
        name = quoted(_source(column))
        query = f"SELECT {name} FROM {quoted(table.source)} WHERE {name} IS NOT NULL LIMIT {_SAMPLES}"  # noqa: S608
        found[_source(column)] = [value for (value,) in file.execute(query)]
    return found


def follow(target: Connection, file: sqlite3.Connection, ways: Mapping[str, Way], after: str) -> Followed:
    """Apply to the file what has been committed in the target since a snapshot, as one transaction.

    Raises StepFailed, with the file as it was, and psycopg.Error.
    """
    with capture.reading(target, after) as reading:
        if not reading.entries:
            return Followed(reading.upto)
        touched = [ways[c.table] for c in (*reading.keyed, *reading.whole)]
        with apply.batch(file, [w.source.name for w in touched], reading.upto):
            done = [
                *(_follow_keys(target, file, ways[c.table], c, after) for c in reading.keyed),
                *(_follow_whole(target, file, ways[c.table], c) for c in reading.whole),
            ]
    return Followed(
        reading.upto,
        reading.entries,
        sum(d.changed for d in done),
        sum(d.added for d in done),
        sum(d.removed for d in done),
    )


def _follow_keys(
    target: Connection, file: sqlite3.Connection, way: Way, captured: capture.Captured, after: str
) -> apply.Applied:
    def written() -> Iterator[apply.Written]:
        for part in capture.rows(target, captured, way.columns, after):
            for key, row in part:
                yield way.written(key, row)

    return apply.write(file, way.source, way.key, written)


def _follow_whole(target: Connection, file: sqlite3.Connection, way: Way, captured: capture.Captured) -> apply.Applied:
    def rows() -> Iterator[tuple[object, Callable[[], apply.Stored]]]:
        for part in capture.all_rows(target, captured, way.columns):
            for row in part:
                yield way.anew(row)

    return apply.replace(file, way.source, way.meaning, rows)
