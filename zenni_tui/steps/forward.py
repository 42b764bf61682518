"""The way there of changes: what the application writes while and after it was copied, in the target moments later."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from zenni_tui.convert import encode
from zenni_tui.convert.unfit import Unfit
from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceSchema, SourceTable, Value
from zenni_tui.source import capture, reader
from zenni_tui.source.live import reading
from zenni_tui.target import changes, load

Connection = psycopg.Connection[tuple[Any, ...]]

MOST = 5_000
"""Entries of the log that are applied at once: a writer of a file in rollback-journal mode waits for their reading."""


class Followed(Record, frozen=True):
    """What one look has brought: entries of the log, rows written and removed, how far it goes, entries still left."""

    upto: int
    entries: int = 0
    written: int = 0
    removed: int = 0
    left: int = 0


def keys(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the columns by which the source's tables are watched, none for a table whose rows can't be told apart."""
    return {t.source: _key(plan, t) for t in plan.tables}


def _key(plan: Plan, table: TablePlan) -> tuple[str, ...]:
    return tuple(table.column(name).source or "" for name in plan.row_key(table))


def follow(
    file: sqlite3.Connection,
    target: Connection,
    ticket: load.Ticket,
    model: tuple[SourceSchema, Plan],
    after: int,
) -> Followed:
    """Apply to the target what the application's file has logged after a position, some thousand entries at most.

    Raises StepFailed for a value that the plan's types can't hold, with its key, Occupied, and the drivers' errors.
    """
    schema, plan = model
    with reading(file):
        found = capture.changes(file, after, MOST)
        batch = [_changed(file, model, table, found.keys[table.source]) for table in _of(plan, found.keys)]
        batch += [_whole(file, schema, plan, table) for table in _of(plan, dict.fromkeys(found.whole, ()))]
    if not found.entries:
        return Followed(after)
    done = changes.apply(target, ticket, plan, batch, (after, found.upto))
    return Followed(found.upto, found.entries, done.written, done.removed, found.left)


def _of(plan: Plan, names: Mapping[str, object]) -> list[TablePlan]:
    return [t for t in plan.tables if t.source in names]


def _source_table(schema: SourceSchema, table: TablePlan) -> SourceTable:
    found = schema.table(table.source)
    assert found is not None  # noqa: S101 - the plan was made from this schema
    return found


def _changed(
    file: sqlite3.Connection, model: tuple[SourceSchema, Plan], table: TablePlan, logged: Sequence[capture.Key]
) -> changes.TableChanges:
    schema, plan = model
    source = _source_table(schema, table)
    key = _key(plan, table)
    columns = [c.source or "" for c in table.loaded]
    rowid = reader.rowid_name(source) if table.quarantine else None
    found = capture.rows(file, source.name, key, [*columns, *([rowid] if rowid else [])], logged)
    # Rows that the operator keeps out stay out: in the target they are gone.
    rows = [row[: len(columns)] for row in found.values() if not rowid or row[-1] not in table.quarantine]
    return changes.TableChanges(table.name, _data(plan, table, rows), _keys(plan, table, key, logged))


def _whole(file: sqlite3.Connection, schema: SourceSchema, plan: Plan, table: TablePlan) -> changes.TableChanges:
    source = _source_table(schema, table)
    columns = [c.source or "" for c in table.loaded]
    rowid = reader.rowid_name(source) if table.quarantine else None
    kept = [*columns, *([rowid] if rowid else [])]
    found = capture.all_rows(file, source.name, kept)
    rows = [row[: len(columns)] for row in found if not rowid or row[-1] not in table.quarantine]
    return changes.TableChanges(table.name, _data(plan, table, rows), whole=True)


def _data(plan: Plan, table: TablePlan, rows: Sequence[tuple[Value, ...]]) -> bytes:
    try:
        body = encode.rows_encoder(table, plan)(rows) if rows else b""
    except Unfit as unfit:
        raise _unfit(plan, table, rows, unfit) from None
    return encode.HEADER + body + encode.TRAILER


def _keys(plan: Plan, table: TablePlan, names: Sequence[str], logged: Sequence[capture.Key]) -> bytes:
    by_name = {c.source: c for c in table.loaded}
    fields = [encode.field_encoder(by_name[name], plan.enums) for name in names]
    head = len(fields).to_bytes(2, "big")
    rows = (b"".join(f(v) for f, v in zip(fields, key, strict=True)) for key in logged)
    return encode.HEADER + b"".join(head + row for row in rows) + encode.TRAILER


def _unfit(plan: Plan, table: TablePlan, rows: Sequence[tuple[Value, ...]], unfit: Unfit) -> StepFailed:
    """Return the error that names the first value which a type of the plan can't hold."""
    where = f'table "{table.name}"'
    for row in rows:
        for column, value in zip(table.loaded, row, strict=True):
            try:
                encode.field_encoder(column, plan.enums)(value)
            except Unfit:
                names = dict(zip((c.name for c in table.loaded), row, strict=True))
                key = ", ".join(str(names[n]) for n in plan.row_key(table))
                where = f'table "{table.name}", column "{column.name}", key {key or "none"}'
                break
    return StepFailed(
        "A value written since the snapshot can't be carried.",
        where=where,
        why=unfit.reason,
        next_step="Mend it in the application; following goes on by itself. Or start a new run and choose a repair.",
    )
