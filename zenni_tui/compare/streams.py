"""All rows of a table on either side as canonical texts, read once from end to end in bounded memory."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from psycopg import sql

from zenni_tui.model.plan import Span, TablePlan

from .columns import Cell, column_reader
from .lookup import layout
from .session import Target
from .source import Batch, batches

Rows = list[tuple[Cell, ...]]


def source_stream(source: sqlite3.Connection, table: TablePlan) -> Iterator[tuple[Batch, Rows]]:
    """Yield the source's rows batch by batch; raises `sqlite3.Error`."""
    readers = [column_reader(column, careful=True) for column in table.carried]
    for batch in batches(source, table, Span(0, 0)):
        columns = [read(values) for read, values in zip(readers, batch.columns, strict=True)]
        yield batch, list(zip(*columns, strict=True))


def target_stream(target: Target, schema: str, table: TablePlan) -> Iterator[tuple[Any, ...]]:
    """Yield the target's rows one by one; raises `StepFailed` when there is no such table, `psycopg.Error`."""
    shape = layout(target, schema, table)
    query = sql.SQL("COPY (SELECT {} FROM {} AS t) TO STDOUT").format(sql.SQL(", ").join(shape.expressions), shape.name)
    with target.cursor() as cursor, cursor.copy(query) as copy:
        yield from copy.rows()
