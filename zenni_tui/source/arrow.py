"""Reads rows of a snapshot as Arrow columns, with SQLite's own types; some ten times faster than as Python's values.

Only a process that loads or compares many rows imports this module: Arrow takes 40 MiB and a quarter of a second.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from adbc_driver_sqlite import dbapi

from zenni_tui.model.plan import Span
from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceTable

from .database import quoted, uri
from .reader import rowid_name

_BATCH_ROWS = "adbc.sqlite.query.batch_rows"
"""A type is inferred from one batch (https://arrow.apache.org/adbc/current/driver/sqlite.html#type-inference)."""


# Arrow's own allocator keeps what it was once given: 50 MiB more for each process, and no time won.
pa.set_memory_pool(pa.system_memory_pool())


class Unreadable(Exception):
    """The driver can't read it, though Python's own may: it has no stand-ins for collations and declarations."""


class Lane(Record, frozen=True):
    """What one Arrow column holds: one column's values, or those of one storage class and NULL for the others."""

    column: str
    only: str | None = None


@contextmanager
def open_frozen(path: Path) -> Iterator[Any]:
    """Open a private snapshot, without changing a byte of it; yields what `read` wants. Raises Unreadable."""
    with closing(_connect(path)) as connection, closing(connection.cursor()) as cursor:
        yield cursor


def _connect(path: Path) -> Any:
    try:
        return dbapi.connect(uri(path, frozen=True), autocommit=True)
    except dbapi.Error as error:
        raise Unreadable(str(error)) from error


def read(cursor: Any, table: SourceTable, lanes: Sequence[Lane], span: Span, most: int) -> Any:
    """Return a record batch of the first rows of a span, `most` at most: the rowid, then the lanes; None without rows.

    A lane's Arrow type follows from these rows alone: int64, double, string or binary, int64 or string for NULLs only.
    Raises Unreadable.
    """
    try:
        cursor.adbc_statement.set_options(**{_BATCH_ROWS: str(most + 1)})
        cursor.execute(_select(table, lanes, span, most))
        batches = cursor.fetch_arrow_table().to_batches()
    except (dbapi.Error, pa.ArrowException) as error:
        raise Unreadable(str(error)) from error
    return pa.concat_batches(batches) if batches else None


def _select(table: SourceTable, lanes: Sequence[Lane], span: Span, most: int) -> str:
    rowid = rowid_name(table)
    edges = [f"{rowid} {sign} {int(edge)}" for sign, edge in ((">", span.after), ("<=", span.upto)) if edge is not None]
    where = f" WHERE {' AND '.join(edges)}" if edges else ""
    wanted = ", ".join([str(rowid), *map(_term, lanes)])
    return f"SELECT {wanted} FROM {quoted(table.name)}{where} ORDER BY {rowid} LIMIT {int(most)}"  # noqa: S608 - quoted


def _term(lane: Lane) -> str:
    name = quoted(lane.column)
    return name if lane.only is None else f"CASE typeof({name}) WHEN '{lane.only}' THEN {name} END"
