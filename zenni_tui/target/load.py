"""Loads rows by binary COPY: one large span or many small ones in one transaction, their checkpoints first."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Span, TablePlan
from zenni_tui.model.record import Record

from . import bookkeeping

Connection = psycopg.Connection[tuple[Any, ...]]


class Loaded(Record, frozen=True):
    """A part's arrival: rows, bytes sent, seconds; `before` tells that it had arrived in an earlier attempt.

    `upto` is the rowid up to which its span has arrived when that is not all of it.
    """

    rows: int
    bytes: int
    seconds: float
    before: bool = False
    upto: int | None = None


class Ticket(Record, frozen=True):
    """What a loader must show to write: the run, and the fencing number of its lease."""

    run_id: str
    fence: int


class Shipment:
    """Spans that arrive in one transaction, each taken in turn."""

    def __init__(self, cursor: psycopg.Cursor[Any], run_id: str, schema: str, due: set[tuple[str, int]]) -> None:
        self._cursor, self._run_id, self._schema, self._due = cursor, run_id, schema, due
        self.sizes: dict[tuple[str, int], int] = {}
        """Bytes sent, by table and span."""

    def take(
        self,
        table: TablePlan,
        part: Span,
        data: Callable[[], Iterable[bytes | memoryview]],
        aside: Sequence[tuple[int, str]] = (),
    ) -> Loaded:
        """Load a span, unless it arrived in an earlier attempt; `data` is not called then.

        `aside` are its rows in quarantine, by rowid, as JSON. Raises StepFailed when other rows came than planned,
        psycopg.Error.
        """
        if (table.name, part.number) not in self._due:
            return Loaded(part.rows, 0, 0.0, before=True)
        started = time.monotonic()
        size = copy(self._cursor, statement(self._schema, table), data())
        expected = part.rows - len(aside)
        if self._cursor.rowcount != expected:
            raise StepFailed(
                "The server took another number of rows than was read.",
                where=f'table "{table.name}", span {part.number}',
                why=f"{expected} were planned, {self._cursor.rowcount} arrived.",
                next_step="Roll back and start again; the snapshot may have been changed.",
            )
        self._cursor.executemany(
            "INSERT INTO zenni_tui.quarantine (run_id, table_name, source_row, stored) VALUES (%s, %s, %s, %s)",
            [(self._run_id, table.name, rowid, row) for rowid, row in aside],
        )
        self.sizes[table.name, part.number] = size
        return Loaded(part.rows, size, time.monotonic() - started)


@contextlib.contextmanager
def shipment(
    connection: Connection, ticket: Ticket, schema: str, parts: Sequence[bookkeeping.Part]
) -> Iterator[Shipment]:
    """Yield the one transaction in which spans of tables of a schema arrive, all of them or none.

    The checkpoint rows go in before any COPY: a second attempt waits on them for the first's commit, and learns of it.
    Raises Occupied when the lease was lost, psycopg.Error.
    """
    with connection.transaction(), connection.cursor() as cursor:
        bookkeeping.fenced(connection, ticket.fence)
        due = bookkeeping.check_in(connection, ticket.run_id, parts)
        arriving = Shipment(cursor, ticket.run_id, schema, due)
        yield arriving
        bookkeeping.note_sizes(connection, ticket.run_id, arriving.sizes)


def statement(schema: str | None, table: TablePlan) -> sql.Composed:
    """Return the COPY that fills the loaded columns of a table, of a temporary one without a schema."""
    columns: Sequence[sql.Composable] = [sql.Identifier(c.name) for c in table.loaded]
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(*filter(None, [schema]), table.name), sql.SQL(", ").join(columns)
    )


def copy(cursor: psycopg.Cursor[Any], command: sql.Composed, data: Iterable[bytes | memoryview]) -> int:
    """Send data through one COPY and return its size in bytes; `cursor.rowcount` then holds the rows."""
    size = 0
    with cursor.copy(command) as stream:
        for block in data:
            stream.write(block)
            size += len(block)
    return size


def set_counters(
    connection: Connection, schema: str, tables: Iterable[TablePlan], given: Mapping[str, int] | None = None
) -> int:
    """Let each counter of tables go on after the highest number ever given out; returns how many there are.

    `given` are the last numbers that the source's counters gave out, by source table, where newer than the plan's.
    """
    statements = counters(schema, tables, given or {})
    if statements:
        connection.execute(sql.SQL(";\n").join(statements))
    return len(statements)


def counters(schema: str, tables: Iterable[TablePlan], given: Mapping[str, int]) -> list[sql.Composed]:
    """Return the statements that `set_counters` executes."""
    counting = [(t, c.name) for t in tables for c in t.columns if c.counter is not None]
    return [_set_counter(schema, t, name, given.get(t.source, 0)) for t, name in counting]


def _set_counter(schema: str, table: TablePlan, name: str, given: int) -> sql.Composed:
    """Return the statement after which the next number is one more than the highest that was ever given out."""
    # Literals quoted by the driver, no parameters: those would make a % in a name a placeholder.
    return sql.SQL(
        "SELECT setval(seq, greatest(top, 1), top >= 1) FROM ("
        " SELECT pg_get_serial_sequence(format('%I.%I', {schema}::text, {name}::text), {column_name}) AS seq,"
        " greatest(coalesce(max({column}), 0), {last})::bigint AS top FROM {table}) AS t"
    ).format(
        schema=sql.Literal(schema),
        name=sql.Literal(table.name),
        column_name=sql.Literal(name),
        column=sql.Identifier(name),
        last=sql.Literal(max(table.counter or 0, given)),
        table=sql.Identifier(schema, table.name),
    )
