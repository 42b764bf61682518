"""Compares a run's snapshot with the target as it is days later: which rows are still the same, which are not.

The snapshot is the one state that is kept, hashed and proven. What the application wrote between it and the switch,
and since, shows as changed, gone and new alike: nobody recorded which of it was meant, so counts are told and no
verdict is made of them. The rules are another matter: they must stand as they were verified.
"""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from zenni_tui.compare import multiset, records, rows, structure
from zenni_tui.compare.session import pin_session
from zenni_tui.engine import folders
from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.files import write_private
from zenni_tui.model.drift import DRIFT, Drift, TableDrift
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.model.record import from_json, to_json
from zenni_tui.source import database, working
from zenni_tui.target import bookkeeping
from zenni_tui.target.connect import Target

Connection = psycopg.Connection[tuple[Any, ...]]

_THERE = "SELECT to_regclass(format('%%I.%%I', %s::text, %s::text)) IS NOT NULL"
_FOLLOWING = re.compile(r"next value (-?\d+)")


def look(folder: Path, run_id: str, target: Target) -> Drift:
    """Compare everything, keep the outcome in the run directory, and return it; raises NotReady, StepFailed."""
    plan = _plan(folder)
    try:
        with closing(database.open_frozen(working.readable(folder))) as source, target.connect() as connection:
            pin_session(connection)
            found = _look(source, connection, plan, folder, Drift(run_id, time.time(), target.label(), "", (), 0))
    except (psycopg.Error, sqlite3.Error) as error:
        raise StepFailed(
            "The target could not be compared with the snapshot.",
            where=target.label(),
            why=str(error).strip(),
            next_step="Look again; nothing was changed.",
        ) from error
    write_private(folder / DRIFT, to_json(found))
    return found


def _plan(folder: Path) -> Plan:
    if not (folder / folders.PLAN).exists() or not working.readable(folder).exists():
        raise NotReady(
            "This run has no snapshot and plan to compare with.",
            where=str(folder),
            why="It ended before it made them, or they were removed.",
            next_step="Name the run that was migrated: --run-dir DIR (zenni-tui runs).",
        )
    return from_json((folder / folders.PLAN).read_bytes(), Plan)


def _look(source: sqlite3.Connection, connection: Connection, plan: Plan, folder: Path, empty: Drift) -> Drift:
    there = [t for t in plan.tables if _is_there(connection, plan.schema, t.name)]
    tables = tuple(_table(source, connection, plan, table, folder) for table in there)
    compared = structure.compare_structure(connection, plan)
    return Drift(
        empty.run_id,
        empty.at,
        empty.target,
        bookkeeping.live_since(connection) or "",
        tables,
        compared.checks,
        tuple(_told(compared.differences)),
        tuple(t.name for t in plan.tables if t not in there),
    )


def _is_there(connection: Connection, schema: str, name: str) -> bool:
    row = connection.execute(_THERE, (schema, name)).fetchone()
    return bool(row and row[0])


def _table(
    source: sqlite3.Connection, connection: Connection, plan: Plan, table: TablePlan, folder: Path
) -> TableDrift:
    # One moment for the count and the rows, though the application writes on.
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        key = plan.row_key(table)
        return (
            _keyed(source, connection, plan, table, key) if key else _keyless(source, connection, plan, table, folder)
        )


def _keyed(
    source: sqlite3.Connection, connection: Connection, plan: Plan, table: TablePlan, key: tuple[str, ...]
) -> TableDrift:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(plan.schema, table.name))
    (now,) = connection.execute(query).fetchone() or (0,)
    then = found = differing = 0
    columns = Counter[str]()
    for span in table.spans:
        part = rows.compare_span(source, connection, plan.schema, table, span, unique=key, enums=plan.enums)
        then += part.rows_source - part.rows_quarantined
        found += part.rows_found
        differing += part.rows_differing - part.rows_surplus
        columns.update(d.column for d in part.differences if d.column is not None)
    gone = then - found
    changed = differing - gone
    return TableDrift(table.name, then, now, found - changed, changed, gone, now - found, columns=dict(columns))


def _keyless(
    source: sqlite3.Connection, connection: Connection, plan: Plan, table: TablePlan, folder: Path
) -> TableDrift:
    scratch = folder / "drift.scratch"
    part = multiset.compare_multiset(source, connection, plan.schema, table, scratch, enums=plan.enums)
    then = part.rows_source - part.rows_quarantined
    same = then - part.rows_missing
    return TableDrift(table.name, then, part.rows_target, same, 0, part.rows_missing, part.rows_extra, keyless=True)


def _told(differences: Iterable[records.StructureDifference]) -> Iterable[str]:
    for one in differences:
        if not _ahead(one):
            yield f"{one.object}: {one.message} Planned: {one.expected}; found: {one.found}."


def _ahead(one: records.StructureDifference) -> bool:
    """Return whether a counter is just further on than its rows: deletes and failed inserts use numbers up."""
    planned, found = _FOLLOWING.fullmatch(one.expected), _FOLLOWING.fullmatch(one.found)
    return planned is not None and found is not None and int(found[1]) > int(planned[1])
