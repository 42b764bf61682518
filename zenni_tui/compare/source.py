"""The source's rows in batches whose memory is bounded, whatever the rows hold."""

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from zenni_tui.model.plan import Reference, Span, TablePlan
from zenni_tui.model.schema import Value

from . import long

BATCH_ROWS = 2_000
BATCH_VALUES = 14_000
BATCH_BYTES = 8 * 1024 * 1024
ORDINARY_BYTES = 5_000
"""The longest value of a batch read at once: as many as `BATCH_VALUES` of them stay under 70 MB."""
FEW = 16
"""How many rows are read with care where one of them needs it; twice as many when the next ones need it again."""
FIRST_ROWID, LAST_ROWID = -(2**63), 2**63 - 1
ROWID_NAMES = ("rowid", "_rowid_", "oid")

# Bytes that aren't UTF-8 become surrogate escapes, so that a TEXT stays apart from a BLOB and can be given back.
_tolerant: Callable[[bytes], str] = partial(str, encoding="utf-8", errors="surrogateescape")


class Batch(NamedTuple):
    """Some rows, column by column; `rowids` is None for a table that has none.

    `orphans` tells, for each of the table's `cleared` columns, which rows lose their reference.
    """

    rowids: Sequence[int] | None
    columns: tuple[Sequence[Value], ...]
    orphans: tuple[Sequence[Value], ...] = ()

    @property
    def rows(self) -> int:
        """Return how many rows these are."""
        return len(self.columns[0])


def quoted(name: str) -> str:
    """Return a name as SQLite reads it back."""
    return '"' + name.replace('"', '""') + '"'


def cleared(table: TablePlan) -> list[tuple[int, Reference]]:
    """Return the carried columns, by their place, that become NULL in rows whose reference finds no parent."""
    places = {column.source: place for place, column in enumerate(table.carried)}
    return [(places[c.column], c.reference) for c in table.clearings if c.column in places]


def _finds_none(reference: Reference) -> str:
    # SQLite's own rules decide what is equal, so the parent's column stands first: its collation and affinity count.
    pairs = list(zip(reference.parent_columns, reference.columns, strict=True))
    found = " AND ".join(f"p.{quoted(there)} = t.{quoted(here)}" for there, here in pairs)
    whole = " AND ".join(f"t.{quoted(here)} NOTNULL" for _, here in pairs)
    return f"({whole} AND (SELECT 1 FROM {quoted(reference.parent)} AS p WHERE {found} LIMIT 1) ISNULL)"  # noqa: S608 - quoted


def count_rows(source: sqlite3.Connection, table: TablePlan) -> int:
    """Return how many rows the source table holds."""
    (rows,) = _cursor(source).execute(f"SELECT count(*) FROM {quoted(table.source)}").fetchone()  # noqa: S608 - quoted
    return int(rows)


def count_quarantined(source: sqlite3.Connection, table: TablePlan) -> int:
    """Return how many of the rows in quarantine the source table holds, which are places in one without rowids."""
    if not table.quarantine:
        return 0
    rowid = rowid_name(source, table)
    if rowid is None:
        there = count_rows(source, table)
        return sum(1 <= place <= there for place in table.quarantine)
    query = f"SELECT count(*) FROM {quoted(table.source)} AS t JOIN json_each(?) AS q ON t.{rowid} = q.value"  # noqa: S608 - quoted
    (rows,) = _cursor(source).execute(query, (json.dumps(table.quarantine),)).fetchone()
    return int(rows)


def batches(
    source: sqlite3.Connection,
    table: TablePlan,
    span: Span,
    only: Sequence[int] | None = None,
    lazy: frozenset[int] = frozenset(),
) -> Iterator[Batch]:
    """Yield the span's rows with the carried columns, only those of some rowids where these are given.

    Long values in the columns of the places `lazy` come as `Long`, but for tables without rowids. Raises
    `sqlite3.Error`, KeyError for a span, or some rows, of a table without rowids.
    """
    lost = cleared(table)
    for batch in _whole_batches(source, table, span, [_finds_none(reference) for _, reference in lost], only, lazy):
        width = len(batch.columns) - len(lost)
        yield Batch(batch.rowids, batch.columns[:width], batch.columns[width:]) if lost else batch


def by_keys(
    source: sqlite3.Connection, table: TablePlan, key: Sequence[int], keys: Iterable[Sequence[Value]]
) -> Iterator[Batch]:
    """Yield the rows of some keys, with the carried columns; `key` tells where the key's columns stand among these.

    A key that finds no row yields nothing. Raises `sqlite3.Error`.
    """
    lost = cleared(table)
    names = [*(f"t.{quoted(c.source or c.name)}" for c in table.carried), *(_finds_none(r) for _, r in lost)]
    same = " AND ".join(f"{names[place]} = ?" for place in key)
    query = f"SELECT {', '.join(names)} FROM {quoted(table.source)} AS t WHERE {same}"  # noqa: S608 - quoted
    usual = source.text_factory
    source.text_factory = _tolerant
    try:
        found = (row for one in keys for row in _cursor(source).execute(query, tuple(one)))
        while rows := _take(found, _most_rows(len(table.carried)), []):
            columns = tuple(zip(*rows, strict=True))
            width = len(table.carried)
            yield Batch(None, columns[:width], columns[width:])
    finally:
        source.text_factory = usual


def _whole_batches(  # noqa: PLR0917 - what is read, and how
    source: sqlite3.Connection,
    table: TablePlan,
    span: Span,
    flags: list[str],
    only: Sequence[int] | None,
    lazy: frozenset[int],
) -> Iterator[Batch]:
    """Yield the span's rows with the carried columns and, behind them, a column for each flag."""
    rowid = rowid_name(source, table)
    terms = [f"t.{quoted(c.name if c.source is None else c.source)}" for c in table.carried]
    names = ", ".join([*terms, *flags])
    if rowid is None:
        if (span.after, span.upto, only) != (None, None, None):
            raise KeyError(f"{table.source} has no rowid to take a span by")
        query = f"SELECT 0, {names} FROM {quoted(table.source)} AS t NOT INDEXED"  # noqa: S608 - quoted
        yield from _streamed(source, query, len(table.carried))
        return
    chosen = "" if only is None else f" AND t.{rowid} IN (SELECT value FROM json_each(?))"  # noqa: S608 - a name of SQLite's own
    where = f"t.{rowid} BETWEEN ? AND ?{chosen}"
    query = (
        f"SELECT t.{rowid}, {names} FROM {quoted(table.source)} AS t"  # noqa: S608 - quoted
        f" WHERE {where} ORDER BY t.{rowid} LIMIT {_most_rows(len(table.carried))}"
    )
    one: _One | None = None
    if lazy and _cursor(source).execute("PRAGMA encoding").fetchone() == ("UTF-8",):
        one = partial(long.Rows(source, table, rowid, lazy, terms, flags).first, where)
    yield from _by_rowid(source, query, span, () if only is None else (json.dumps(only),), one)


_One = Callable[[Sequence[int | str]], Any]


def rowid_name(source: sqlite3.Connection, table: TablePlan) -> str | None:
    """Return the name that means the rowid in this table, None for a table WITHOUT ROWID or with all names taken."""
    found = _cursor(source).execute("SELECT lower(name) FROM pragma_table_xinfo(?)", (table.source,))
    taken = {name for (name,) in found.fetchall()}
    name = next((n for n in ROWID_NAMES if n not in taken), None)
    if name is None:
        return None
    try:
        _cursor(source).execute(f"SELECT t.{name} FROM {quoted(table.source)} AS t LIMIT 0")  # noqa: S608 - quoted
    except sqlite3.OperationalError:
        return None
    return name


def _most_rows(width: int) -> int:
    return max(16, min(BATCH_ROWS, BATCH_VALUES // width))


def _by_rowid(
    source: sqlite3.Connection, query: str, span: Span, chosen: tuple[str, ...], one: _One | None
) -> Iterator[Batch]:
    first = FIRST_ROWID if span.after is None else span.after + 1
    last = LAST_ROWID if span.upto is None else span.upto
    few = FEW
    while first <= last:
        rows, hindered = _ordinary(source, _found(source, query, first, last, *chosen))
        if not rows and hindered:
            rows, few = _unusual(source, query, few, (first, last, *chosen), one), min(few * 2, BATCH_ROWS)
        elif rows:
            few = FEW
        if not rows:
            return
        rowids, *columns = zip(*rows, strict=True)
        yield Batch(rowids, tuple(columns))
        first = rowids[-1] + 1


def _found(source: sqlite3.Connection, query: str, *limits: int | str) -> Iterator[Any]:
    # Lazily: the first row is read when the query begins, and must be read as `_ordinary` wants it.
    yield from _cursor(source).execute(query, limits)


def _ordinary(source: sqlite3.Connection, found: Iterable[Any]) -> tuple[list[Any], bool]:
    """Return the rows before the first one with a long value or invalid text, and whether there is such a one.

    SQLite itself is told to refuse long values, which costs nothing where there are none
    (https://sqlite.org/limits.html, SQLITE_LIMIT_LENGTH).
    """
    rows: list[Any] = []
    usual = source.text_factory
    source.text_factory = str
    length = source.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, ORDINARY_BYTES)
    try:
        rows.extend(found)
    except (sqlite3.DataError, sqlite3.OperationalError):
        return rows, True
    finally:
        source.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)
        source.text_factory = usual
    return rows, False


def _unusual(
    source: sqlite3.Connection, query: str, most: int, limits: tuple[int | str, ...], one: _One | None
) -> list[Any]:
    """Return some rows, or just the first one where a long value hinders and `one` reads it in pieces."""
    usual = source.text_factory
    source.text_factory = _tolerant
    cursor = _cursor(source)
    try:
        if one is None:
            return _take(cursor.execute(query, limits), most, [])
        return _shorter(source, cursor.execute, query, limits, most) or [one(limits)]
    finally:
        cursor.close()
        source.text_factory = usual


def _shorter(
    source: sqlite3.Connection,
    execute: Callable[[str, Sequence[int | str]], Iterable[Any]],
    query: str,
    limits: Sequence[int | str],
    most: int,
) -> list[Any]:
    """Return the rows before the first one with a long value, or before the row before that."""
    rows: list[Any] = []
    length = source.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, long.MOST)
    try:
        _take(execute(query, limits), most, rows)
    except sqlite3.DataError:
        return rows
    finally:
        source.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)
    return rows


def _streamed(source: sqlite3.Connection, query: str, width: int) -> Iterator[Batch]:
    """Yield rows as they lie: quickly up to the first one with a long value or invalid text, from there with care."""
    most, read, hindered = _most_rows(width), 0, False
    found = _found(source, query)
    while not hindered:
        rows, hindered = _ordinary(source, itertools.islice(found, most))
        if rows:
            yield Batch(None, tuple(zip(*rows, strict=True))[1:])
            read += len(rows)
        elif not hindered:
            return
    yield from _careful(source, f"{query} LIMIT -1 OFFSET {read}", most)


def _careful(source: sqlite3.Connection, query: str, most: int) -> Iterator[Batch]:
    usual = source.text_factory
    source.text_factory = _tolerant
    cursor = _cursor(source)
    try:
        cursor.execute(query)
        while rows := _take(cursor, most, []):
            yield Batch(None, tuple(zip(*rows, strict=True))[1:])
    finally:
        cursor.close()
        source.text_factory = usual


def _take(cursor: Iterable[Any], most: int, rows: list[Any]) -> list[Any]:
    """Add rows to some, as many as a batch holds, and return all."""
    size = 0
    for row in cursor:
        rows.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(rows) >= most or size >= BATCH_BYTES:
            break
    return rows


def _cursor(source: sqlite3.Connection) -> sqlite3.Cursor:
    cursor = source.cursor()
    cursor.row_factory = None
    return cursor
