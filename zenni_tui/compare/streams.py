"""All rows of a table on either side as canonical texts, read once from end to end in bounded memory."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from psycopg import sql

from zenni_tui.model.plan import EnumPlan, Span, TablePlan

from .columns import Cell, column_reader
from .expected import Expected, expected
from .lookup import Layout, layout
from .session import Target

Rows = list[tuple[Cell, ...]]
Condition = Callable[[Layout], sql.Composed]


def source_stream(
    source: sqlite3.Connection, table: TablePlan, enums: Sequence[EnumPlan] = ()
) -> Iterator[tuple[Expected, Rows]]:
    """Yield the rows that the target should hold, batch by batch; raises KeyError as `expected`, `sqlite3.Error`."""
    readers = [column_reader(column, careful=True) for column in table.carried]
    for ready in expected(source, table, Span(0, 0), enums):
        columns = [read(values) for read, values in zip(readers, ready.batch.columns, strict=True)]
        yield ready, list(zip(*columns, strict=True))


def target_stream(
    target: Target, schema: str, table: TablePlan, where: Condition = lambda _: sql.Composed([])
) -> Iterator[tuple[Any, ...]]:
    """Yield the target's rows, or those of a condition, one by one.

    Raises `StepFailed` when there is no such table, `psycopg.Error`.
    """
    shape = layout(target, schema, table)
    columns = sql.SQL(", ").join(shape.expressions)
    query = sql.SQL("COPY (SELECT {} FROM {} AS t{}) TO STDOUT").format(columns, shape.name, where(shape))
    with target.cursor() as cursor, cursor.copy(query) as copy:
        yield from copy.rows()
