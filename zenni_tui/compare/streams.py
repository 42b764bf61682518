"""All rows of a table on either side as canonical texts, read once from end to end in bounded memory."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import sql

from zenni_tui.model.plan import EnumPlan, Span, TablePlan

from .columns import Cell, column_reader
from .expected import Expected, expected
from .lookup import layout
from .session import Target

Rows = list[tuple[Cell, ...]]


def source_stream(
    source: sqlite3.Connection, table: TablePlan, enums: Sequence[EnumPlan] = ()
) -> Iterator[tuple[Expected, Rows]]:
    """Yield the rows that the target should hold, batch by batch; raises KeyError as `expected`, `sqlite3.Error`."""
    readers = [column_reader(column, careful=True) for column in table.carried]
    for ready in expected(source, table, Span(0, 0), enums):
        columns = [read(values) for read, values in zip(readers, ready.batch.columns, strict=True)]
        yield ready, list(zip(*columns, strict=True))


def target_stream(target: Target, schema: str, table: TablePlan) -> Iterator[tuple[Any, ...]]:
    """Yield the target's rows one by one; raises `StepFailed` when there is no such table, `psycopg.Error`."""
    shape = layout(target, schema, table)
    query = sql.SQL("COPY (SELECT {} FROM {} AS t) TO STDOUT").format(sql.SQL(", ").join(shape.expressions), shape.name)
    with target.cursor() as cursor, cursor.copy(query) as copy:
        yield from copy.rows()
