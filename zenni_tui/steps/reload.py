"""Loads again just the rows that a verification found different, each table in one transaction."""

import sqlite3
from collections.abc import Iterator

import msgspec
import psycopg
from psycopg import sql

from zenni_tui.compare import repair
from zenni_tui.compare.records import Difference, DifferenceKind
from zenni_tui.convert import encode, long
from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Plan, Span, TablePlan
from zenni_tui.model.schema import SourceTable
from zenni_tui.source import database
from zenni_tui.target import bookkeeping, load

from . import apart
from .run import Run


def reload(run: Run, plan: Plan) -> str:
    """Make good what `differences.jsonl` names; returns a summary. Verify again afterwards. Raises StepFailed."""
    lines = (run.folder / "differences.jsonl").read_bytes().splitlines()
    found = [msgspec.json.decode(line, type=Difference) for line in lines]
    tables = list(dict.fromkeys(d.table for d in found))
    rows = 0
    for name in tables:
        try:
            rows += _table(run, plan, plan.table(name), [d for d in found if d.table == name])
        except psycopg.Error as error:
            raise StepFailed(
                "The differing rows could not be loaded again.",
                where=f'table "{name}"',
                why=f"SQLSTATE {error.sqlstate}: {' '.join(str(error).split())}",
                next_step="Nothing of this table was changed. Mend the rows by hand, or roll back.",
            ) from error
    return f"{rows:,} rows of {len(tables)} tables loaded again"


def _table(run: Run, plan: Plan, table: TablePlan, found: list[Difference]) -> int:
    source = database.open_frozen(run.snapshot)
    declared = run.schema().table(table.source)
    assert declared is not None  # noqa: S101 - the plan was made from this schema
    key = plan.row_key(table)
    # Rows that are there are overwritten, not deleted: others may refer to them.
    unwanted = [d for d in found if d.kind is DifferenceKind.EXTRA] if key else found
    try:
        with run.to.connect() as connection, connection.transaction(), connection.cursor() as cursor:
            bookkeeping.fenced(connection, run.fence)
            cursor.execute(_SCRATCH.format(scratch=_NAME, table=sql.Identifier(plan.schema, table.name)))
            for order in repair.orders(found).reloads:
                load.copy(cursor, load.statement(None, _renamed(table)), _data(source, plan, table, declared, order))
            for delete in repair.orders(unwanted).deletes:
                cursor.execute(*repair.deletion(plan.schema, table, delete))
            cursor.execute(_merge(plan, table, key))
            rows = cursor.rowcount
            load.set_counters(connection, plan.schema, [table])
            return rows
    finally:
        source.close()


_NAME = sql.Identifier("zenni_tui_reload")
_SCRATCH = sql.SQL("CREATE TEMPORARY TABLE {scratch} (LIKE {table}) ON COMMIT DROP")


def _renamed(table: TablePlan) -> TablePlan:
    return msgspec.structs.replace(table, name="zenni_tui_reload")


def _merge(plan: Plan, table: TablePlan, key: tuple[str, ...]) -> sql.Composed:
    columns = [sql.Identifier(c.name) for c in table.loaded]
    listed = sql.SQL(", ").join(columns)
    insert = sql.SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {scratch}").format(
        table=sql.Identifier(plan.schema, table.name), columns=listed, scratch=_NAME
    )
    others = [c.name for c in table.loaded if c.name not in key]
    if not key:
        return insert
    on = sql.SQL(" ON CONFLICT ({}) DO ").format(sql.SQL(", ").join(map(sql.Identifier, key)))
    if not others:
        return insert + on + sql.SQL("NOTHING")
    sets = [sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(c)) for c in others]
    return insert + on + sql.SQL("UPDATE SET ") + sql.SQL(", ").join(sets)


def _data(
    source: sqlite3.Connection, plan: Plan, table: TablePlan, declared: SourceTable, order: repair.Reload
) -> Iterator[bytes]:
    encoder = long.rows_encoder(table, plan)
    columns = [c.source or "" for c in table.loaded]
    yield encode.HEADER
    if order.whole:
        out = apart.within(table, Span(0, table.rows))
        for rows in apart.batches(source, declared, columns, Span(0, table.rows), out, table.clearings):
            yield from encoder(rows)
    for rowid in order.rowids:
        for rows in apart.batches(source, declared, columns, Span(0, 1, rowid - 1, rowid), (), table.clearings):
            yield from encoder(rows)
    yield encode.TRAILER
