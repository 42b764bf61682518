"""Reads rows of a snapshot as Arrow columns, with SQLite's own types; some ten times faster than as Python's values.

Only a process that loads or compares many rows imports this module: Arrow takes 40 MiB and a quarter of a second.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_sqlite
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement, Error

from zenni_tui.model.laid import Piece
from zenni_tui.model.plan import Span
from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceTable

from .database import quoted, uri
from .reader import rowid_name

_BATCH_ROWS = "adbc.sqlite.query.batch_rows"
"""A type is inferred from one batch (https://arrow.apache.org/adbc/current/driver/sqlite.html#type-inference)."""
_LARGEST = (1 << 63) - 1

# Arrow's own allocator keeps what it was once given: 50 MiB more for each process, and no time won.
pa.set_memory_pool(pa.system_memory_pool())


class Unreadable(Exception):
    """The driver can't read it, though Python's own may: it has no stand-ins for collations and declarations."""


class Lane(Record, frozen=True):
    """What one Arrow column holds: one column's values, or some of them and NULL for the others.

    `only` is a storage class, or "number" or "other", which takes less time where nothing but texts are other.
    """

    column: str
    only: str | None = None


@contextmanager
def open_frozen(path: Path) -> Iterator[AdbcStatement]:
    """Open a private snapshot, without changing a byte of it; yields what `read` wants. Raises Unreadable."""
    try:
        with (
            adbc_driver_sqlite.connect(uri(path, frozen=True)) as database,
            AdbcConnection(database) as connection,
            AdbcStatement(connection) as statement,
        ):
            yield statement
    except Error as error:
        raise Unreadable(str(error)) from error


def read(
    statement: AdbcStatement,
    table: SourceTable,
    lanes: Sequence[Lane],
    span: Span,
    most: int,
    *,
    laid: Sequence[Piece] = (),
    checked: bool = False,
) -> Any:
    """Return a record batch of the first rows of a span, `most` at most: the rowid, then the lanes; None without rows.

    A lane's Arrow type follows from these rows alone: int64, double, string or binary, int64 or string for NULLs only.
    Pieces make one more column, the last, in which each row's are joined to one text. Where they are to be checked, the
    one before holds 1 for a row in which they show no BLOB, and NULL only where they have letters for it. Raises
    Unreadable.
    """
    try:
        statement.set_options(**{_BATCH_ROWS: str(most + 1)})
        statement.set_sql_query(_select(table, lanes, span, most, _rows(laid, checked=checked)))
        stream, _ = statement.execute_query()
        with pa.RecordBatchReader.from_stream(stream) as reader:
            batches = list(reader)
    except (Error, pa.ArrowException, OSError) as error:
        raise Unreadable(str(error)) from error
    return pa.concat_batches(batches) if batches else None


def _select(table: SourceTable, lanes: Sequence[Lane], span: Span, most: int, rows: Sequence[str]) -> str:
    rowid = rowid_name(table)
    edges = [f"{rowid} {sign} {int(edge)}" for sign, edge in ((">", span.after), ("<=", span.upto)) if edge is not None]
    where = f" WHERE {' AND '.join(edges)}" if edges else ""
    wanted = ", ".join([str(rowid), *map(_term, lanes), *rows])
    return f"SELECT {wanted} FROM {quoted(table.name)}{where} ORDER BY {rowid} LIMIT {int(most)}"  # noqa: S608 - quoted


def _term(lane: Lane) -> str:
    name = quoted(lane.column)
    if lane.only is None:
        return name
    # Without an affinity numbers come before texts and BLOBs (https://sqlite.org/datatype3.html#comparisons); SQLite
    # compares integers with each other fastest.
    halves = {"number": f"+{name} <= {_LARGEST}", "other": f"+{name} > {_LARGEST}"}
    held = halves.get(lane.only, f"typeof({name}) = {_literal(lane.only)}")
    return f"CASE WHEN {held} THEN {name} END"


def _rows(laid: Sequence[Piece], *, checked: bool) -> list[str]:
    """Return SQL for the columns that pieces make."""
    # Not by IS NULL: SQLite takes a declared NOT NULL for granted.
    kept = (
        f"ifnull(+{quoted(p.column)}, '')" if p.null is not None else f"+{quoted(p.column)}" for p in laid if p.shown
    )
    checks = [" AND ".join(f"{value} < x''" for value in kept)] if checked else []
    return [*checks, f"concat({', '.join(_joined(laid))})"] if laid else []


def _joined(pieces: Sequence[Piece]) -> Iterator[str]:
    """Yield SQL for pieces; letters of neighbours go together, for what costs is the number of terms."""
    letters = ""
    for piece in pieces:
        letters += piece.letters if piece.null is None else ""
        if letters and (piece.shown or piece.null is not None):
            yield _literal(letters)
            letters = ""
        if piece.null is not None:
            yield f"iif({quoted(piece.column)} IS NULL, {_literal(piece.null)}, {_literal(piece.letters)})"
        if piece.shown:
            yield quoted(piece.column)
    if letters:
        yield _literal(letters)


def _literal(letters: str) -> str:
    return "'" + letters.replace("'", "''") + "'"
