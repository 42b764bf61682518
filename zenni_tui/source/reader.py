"""Reads rows of a snapshot in spans and batches, with memory bounded by bytes, not by rows."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence

from zenni_tui.model.plan import Clearing, Span
from zenni_tui.model.schema import SourceTable, Value

from . import orphans
from .database import quoted

Row = tuple[Value, ...]

_MOST_ROWS = 4096
_MOST_VALUES = 16_384
SHORT_BYTES = 4096
"""Bytes of a value that is fetched with many others at once: together they stay under 64 MiB."""
_BATCH_BYTES = 2 * 1024 * 1024


def spans(database: sqlite3.Connection, table: SourceTable, size: int) -> tuple[Span, ...]:
    """Cut a table into spans of `size` rows by rowid; a table without rowids, or a small one, is one span."""
    if table.rows == 0:
        return ()
    rowid = rowid_name(table)
    if table.rows <= size or rowid is None:
        return (Span(0, table.rows),)
    edges = list(_edges(database, table.name, rowid, size))
    starts: list[int | None] = [None, *edges]
    ends: list[int | None] = [*edges, None]
    counts = [size] * len(edges) + [table.rows - size * len(edges)]
    return tuple(Span(i, counts[i], starts[i], ends[i]) for i in range(len(starts)) if counts[i])


def _edges(database: sqlite3.Connection, name: str, rowid: str, size: int) -> Iterator[int]:
    table = quoted(name)
    after: int | None = None
    while True:
        where = f"WHERE {rowid} > :after" if after is not None else ""
        step = f"SELECT {rowid} FROM {table} {where} ORDER BY {rowid} LIMIT 1 OFFSET :skip"  # noqa: S608 - quoted names
        found = database.execute(step, {"after": after, "skip": size - 1}).fetchone()
        if found is None:
            return
        after = found[0]
        yield found[0]


def cut(database: sqlite3.Connection, table: SourceTable, span: Span, rows: int) -> Span:
    """Return the first so many rows of a span; all of it where it has no more, or the table has no rowids."""
    rowid = rowid_name(table)
    if rowid is None or span.rows <= rows:
        return span
    query, values = select(table, [rowid], span)
    (last,) = database.execute(f"{query} LIMIT 1 OFFSET :skip", {**values, "skip": rows - 1}).fetchone()
    return Span(span.number, rows, span.after, last)


def rowid_name(table: SourceTable) -> str | None:
    """Return a name by which the rowid can be read, None when the table has none or its columns hide all three."""
    if table.without_rowid:
        return None
    taken = {c.name.lower() for c in table.columns} - {(table.rowid_alias or "").lower()}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


def select(
    table: SourceTable, columns: Sequence[str], span: Span, clearings: Sequence[Clearing] = ()
) -> tuple[str, dict[str, int]]:
    """Return the query for a span's rows in rowid order, and its parameters; references to be cleared come as NULL."""
    names = ", ".join(term(c, clearings) for c in columns)
    rowid = rowid_name(table)
    where, values = within(table, span)
    # Without rowids rows are told by their place, so that no index may lend them another order.
    order = f" ORDER BY {rowid}" if rowid else ""
    unhelped = "" if rowid else " NOT INDEXED"
    return f"SELECT {names} FROM {quoted(table.name)} AS c{unhelped}{where}{order}", values  # noqa: S608 - quoted names


def within(table: SourceTable, span: Span) -> tuple[str, dict[str, int]]:
    """Return the condition that holds for a span's rows, empty for all of a table's, and its parameters."""
    rowid = rowid_name(table)
    parts = []
    values = {}
    if span.after is not None:
        parts.append(f"{rowid} > :after")
        values["after"] = span.after
    if span.upto is not None:
        parts.append(f"{rowid} <= :upto")
        values["upto"] = span.upto
    return f" WHERE {' AND '.join(parts)}" if parts else "", values


def term(column: str, clearings: Sequence[Clearing]) -> str:
    """Return the SQL for a column of a table called c: NULL where a reference is to be cleared."""
    lost = [f"({orphans.condition(c.reference)})" for c in clearings if c.column == column]
    name = f"c.{quoted(column)}"
    return f"CASE WHEN {' OR '.join(lost)} THEN NULL ELSE {name} END" if lost else name


def batches(  # noqa: PLR0917 - what is read, and how
    database: sqlite3.Connection,
    table: SourceTable,
    columns: Sequence[str],
    span: Span,
    clearings: Sequence[Clearing] = (),
    rest: Callable[[int], Iterator[list[Row]]] | None = None,
) -> Iterator[list[Row]]:
    """Yield a span's rows in batches of a few MiB; a longer value makes a batch of its own or ends one.

    Text that is not UTF-8 comes with lone surrogates U+DC80 to U+DCFF for its bytes (Python's `surrogateescape`).
    `rest` may be what reads on where that or a long value wants care, after so many rows.
    """
    read = 0
    query, values = select(table, columns, span, clearings)
    try:
        for rows in _quick(database, query, values, len(columns)):
            read += len(rows)
            yield rows
    except (sqlite3.OperationalError, sqlite3.DataError) as error:
        # Text that is not UTF-8, or a long value: both need the slower way, for the rest of the span.
        if "decode to UTF-8" not in str(error) and "too big" not in str(error):
            raise
    else:
        return
    yield from rest(read) if rest is not None else _careful(database, query, {**values, "skip": read})


def numbered(
    database: sqlite3.Connection,
    table: SourceTable,
    columns: Sequence[str],
    span: Span,
    clearings: Sequence[Clearing] = (),
) -> Iterator[list[Row]]:
    """Yield batches as `batches` does, each row led by its rowid, or by its place from 1 in a table that has none.

    A place is as good as a rowid only because nobody writes a snapshot.
    """
    rowid = rowid_name(table)
    if rowid is not None:
        yield from batches(database, table, [rowid, *columns], span, clearings)
        return
    seen = 0
    for rows in batches(database, table, columns, span, clearings):
        yield [(place, *row) for place, row in enumerate(rows, seen + 1)]
        seen += len(rows)


def picked(database: sqlite3.Connection, table: SourceTable, terms: str, numbers: Sequence[int]) -> list[Row]:
    """Return SQL terms, made of quoted names, for the rows of these numbers (see `numbered`), in ascending order."""
    rowid, query = rowid_name(table), f"SELECT {terms} FROM {quoted(table.name)}"  # noqa: S608 - quoted names
    if rowid is not None:
        return [database.execute(f"{query} WHERE {rowid} = ?", (n,)).fetchone() for n in sorted(numbers)]
    wanted = set(numbers)
    rows = database.execute(f"{query} NOT INDEXED LIMIT ?", (max(wanted, default=0),))
    return [row for place, row in enumerate(rows, 1) if place in wanted]


def _quick(database: sqlite3.Connection, query: str, values: dict[str, int], width: int) -> Iterator[list[Row]]:
    many = max(16, min(_MOST_ROWS, _MOST_VALUES // width))
    with short(database):
        # The driver reads the first row here already.
        cursor = database.execute(query, values)
        rows = cursor.fetchmany(many)
    while rows:
        yield rows
        with short(database):
            rows = cursor.fetchmany(many)


@contextlib.contextmanager
def short(database: sqlite3.Connection) -> Iterator[None]:
    """Read rows without values of over `SHORT_BYTES`; SQLite itself refuses those, which costs nothing without any.

    Source: SQLITE_LIMIT_LENGTH in https://sqlite.org/limits.html.
    """
    usual = database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, SHORT_BYTES)
    try:
        yield
    finally:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, usual)


def _careful(database: sqlite3.Connection, query: str, values: dict[str, int]) -> Iterator[list[Row]]:
    database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        cursor = database.execute(f"{query} LIMIT -1 OFFSET :skip", values)
        while rows := bounded(cursor, []):
            yield rows
        cursor.close()
    finally:
        database.text_factory = str


def bounded(found: Iterable[Row], rows: list[Row]) -> list[Row]:
    """Add rows to some, as many as a batch holds, and return all."""
    size = 0
    for row in found:
        rows.append(row)
        size += sum([len(v) for v in row if isinstance(v, str | bytes)])
        if size >= _BATCH_BYTES or len(rows) >= _MOST_ROWS:
            break
    return rows
