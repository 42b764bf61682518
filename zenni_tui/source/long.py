"""Reads rows as `reader` does, but for long values, which come in pieces: a row of 100 MB takes no 100 MB then."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import msgspec

from zenni_tui.model.long import Lazy, Long
from zenni_tui.model.plan import Clearing, Span
from zenni_tui.model.schema import SourceTable, Value

from . import reader
from .database import quoted

LazyRow = tuple[Lazy, ...]

MOST = 4 * 1024 * 1024
"""Bytes of the longest value that is read at once."""
_PIECE = 1024 * 1024
_STORED = ("text", "blob")


def batches(
    database: sqlite3.Connection,
    table: SourceTable,
    columns: Sequence[str],
    span: Span,
    clearings: Sequence[Clearing] = (),
) -> Iterator[list[LazyRow]]:
    """Yield batches as `reader.batches` does; a row with a long value comes alone, with a Long for that.

    A table without rowids, or in a file of another encoding than UTF-8, is read as `reader` reads it.
    """
    rest = _rest(database, table, columns, span, clearings) if _in_pieces(database, table) else None
    yield from cast("Iterator[list[LazyRow]]", reader.batches(database, table, columns, span, clearings, rest))


def numbered(
    database: sqlite3.Connection,
    table: SourceTable,
    columns: Sequence[str],
    span: Span,
    clearings: Sequence[Clearing] = (),
) -> Iterator[list[LazyRow]]:
    """Yield batches as `batches` does, each row led by its number as in `reader.numbered`."""
    rowid = reader.rowid_name(table)
    if rowid is None:
        yield from cast("Iterator[list[LazyRow]]", reader.numbered(database, table, columns, span, clearings))
    else:
        yield from batches(database, table, [rowid, *columns], span, clearings)


def _in_pieces(database: sqlite3.Connection, table: SourceTable) -> bool:
    (encoding,) = database.execute("PRAGMA encoding").fetchone()
    return encoding == "UTF-8" and reader.rowid_name(table) is not None


def _rest(
    database: sqlite3.Connection,
    table: SourceTable,
    columns: Sequence[str],
    span: Span,
    clearings: Sequence[Clearing],
) -> Callable[[int], Iterator[list[reader.Row]]]:
    rowid = reader.rowid_name(table) or ""

    def rest(read: int) -> Iterator[list[reader.Row]]:
        left = _behind(database, table, rowid, span, read)
        while True:
            cursor = _lazily(database, *reader.select(table, [rowid, *columns], left, clearings))
            rows, stuck = _take(database, cursor)
            while rows:
                left = msgspec.structs.replace(left, after=cast("int", rows[-1][0]))
                yield [row[1:] for row in rows]
                rows, stuck = ([], True) if stuck else _take(database, cursor)
            if not stuck:
                return
            number = _first(database, table, rowid, left)
            yield [cast("reader.Row", _row(database, table, columns, number, clearings))]
            left = msgspec.structs.replace(left, after=number)

    return rest


def _behind(database: sqlite3.Connection, table: SourceTable, rowid: str, span: Span, read: int) -> Span:
    """Return what is left of a span after so many rows."""
    if not read:
        return span
    query, values = reader.select(table, [rowid], span)
    (last,) = database.execute(f"{query} LIMIT 1 OFFSET :skip", {**values, "skip": read - 1}).fetchone()
    return msgspec.structs.replace(span, after=last)


def _first(database: sqlite3.Connection, table: SourceTable, rowid: str, span: Span) -> int:
    query, values = reader.select(table, [rowid], span)
    (number,) = database.execute(f"{query} LIMIT 1", values).fetchone()
    return int(number)


def _lazily(database: sqlite3.Connection, query: str, values: dict[str, int]) -> Iterator[reader.Row]:
    # The first row is read when the query begins, and must be read as `_take` wants it.
    yield from database.execute(query, values)


def _take(database: sqlite3.Connection, rows: Iterator[reader.Row]) -> tuple[list[reader.Row], bool]:
    """Return the next rows, and whether a long value comes after them; the row before such a one may be lost."""
    length = database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST)
    database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    found: list[reader.Row] = []
    try:
        reader.bounded(rows, found)
    except sqlite3.DataError as error:
        if "too big" not in str(error):
            raise
        return found, True
    finally:
        database.text_factory = str
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)
    return found, False


def _row(
    database: sqlite3.Connection,
    table: SourceTable,
    columns: Sequence[str],
    number: int,
    clearings: Sequence[Clearing],
) -> LazyRow:
    """Return one row; of a text or BLOB only the class is asked for (`typeof` reads no content)."""
    lost = {c.column for c in clearings}
    kinds = ", ".join(f"typeof(c.{quoted(c)})" for c in columns)
    at_once = ", ".join(_short(c, clearings) if c not in lost else reader.term(c, clearings) for c in columns)
    rowid = reader.rowid_name(table)
    query = f"SELECT {kinds}, {at_once} FROM {quoted(table.name)} AS c WHERE {rowid} = ?"  # noqa: S608 - quoted names
    found = database.execute(query, (number,)).fetchone()
    pairs = zip(columns, found[: len(columns)], found[len(columns) :], strict=True)
    return tuple(
        _opened(database, table.name, c, number, text=kind == "text") if kind in _STORED and c not in lost else value
        for c, kind, value in pairs
    )


def _short(column: str, clearings: Sequence[Clearing]) -> str:
    return f"CASE WHEN typeof(c.{quoted(column)}) NOT IN ('text', 'blob') THEN {reader.term(column, clearings)} END"


def _opened(database: sqlite3.Connection, table: str, column: str, number: int, *, text: bool) -> Lazy:
    def pieces() -> Iterator[bytes]:
        with database.blobopen(table, column, number, readonly=True) as blob:
            while piece := blob.read(_PIECE):
                yield piece

    try:
        with database.blobopen(table, column, number, readonly=True) as blob:
            size = len(blob)
    except sqlite3.OperationalError:
        # Not of a column that is stored, such as a generated one.
        return _at_once(database, table, column, number)
    value = Long(text, size, pieces)
    return value if size > MOST else value.whole()


def _at_once(database: sqlite3.Connection, table: str, column: str, number: int) -> Value:
    database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        query = f"SELECT {quoted(column)} FROM {quoted(table)} WHERE rowid = ?"  # noqa: S608 - quoted names
        (value,) = database.execute(query, (number,)).fetchone()
    finally:
        database.text_factory = str
    return cast("Value", value)
