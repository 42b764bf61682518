"""Tries the whole DDL on the target in transactions that are rolled back: the server's own word before any write."""

from collections.abc import Iterable

import msgspec
import psycopg

from zenni_tui.convert import planner
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.target import ddl
from zenni_tui.target.bookkeeping import Connection

from .run import Run

_AT_ONCE = 100
"""Tables in one transaction: each new relation holds a lock to its end, and the server's room for locks is bounded."""

_THERE = ("42P07", "42710", "42P16")
"""Duplicate table or index, duplicate object, a second primary key: what an adopted table has already."""

_MISMATCH = "42804"

_OPTIONAL = {"check": "check_not_carried", "index": "index_not_carried", "view": "view_not_carried"}


def attempt(run: Run, plan: Plan) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan without what the server refuses, and a finding for each refusal."""
    findings: list[Finding] = []
    with run.to.connect() as connection:
        for part in _parts(plan):
            for statement, error in _refused(connection, part):
                findings.append(_finding(plan, statement, error))
                plan = _without(plan, statement)
    return plan, tuple(findings)


def _parts(plan: Plan) -> Iterable[Plan]:
    """Yield the plan in parts that one transaction can hold; references and views are tried when one part is all."""
    possible = [t for t in plan.tables if len(t.columns) <= planner.MOST_COLUMNS]
    if len(possible) == len(plan.tables) <= _AT_ONCE:
        yield plan
        return
    for start in range(0, len(possible), _AT_ONCE):
        tables = tuple(possible[start : start + _AT_ONCE])
        names = {t.name for t in tables}
        indexes = tuple(i for i in plan.indexes if i.table in names)
        yield msgspec.structs.replace(plan, tables=tables, indexes=indexes, foreign_keys=(), views=())


def _refused(connection: Connection, plan: Plan) -> list[tuple[ddl.Statement, psycopg.Error]]:
    there = connection.execute("SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", (plan.schema,)).fetchone()
    statements = (*ddl.create_tables(plan, schema_there=there == (True,)), *ddl.rules(plan))
    if not plan.adopted and _all_taken(connection, statements):
        return []
    refused: list[tuple[ddl.Statement, psycopg.Error]] = []
    with connection.transaction(force_rollback=True):
        for statement in statements:
            try:
                with connection.transaction():
                    connection.execute(statement.sql.encode())
            except psycopg.Error as error:
                if error.sqlstate in _THERE and statement.table in plan.adopted:
                    continue
                refused.append((statement, error))
    return refused


def _all_taken(connection: Connection, statements: Iterable[ddl.Statement]) -> bool:
    """Return whether the server takes all statements in one go; if not, each has to be tried to find the culprit."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(ddl.together(statements))
    except psycopg.Error:
        return False
    return True


def _finding(plan: Plan, statement: ddl.Statement, error: psycopg.Error) -> Finding:
    why = " ".join(str(error.diag.message_primary or error).split())
    code = _OPTIONAL.get(statement.kind)
    if code is not None:
        return Finding(
            code,
            Severity.WARNING,
            f'The {statement.kind} "{statement.name}" is not carried: the server says: {why}.',
            f"Write its PostgreSQL form by hand after the migration, if it is needed: {statement.sql[:300]}",
            statement.table or statement.name,
            None,
            1,
        )
    drop = (Repair("fk_drop", lossless=False, text="leave this foreign key out"),)
    key = next((k for k in plan.foreign_keys if k.name == statement.name), None)
    mismatch = key is not None and error.sqlstate == _MISMATCH
    return Finding(
        "foreign_key_types" if mismatch else f"{statement.kind.replace(' ', '_')}_refused",
        Severity.ERROR,
        f'The server refuses the {statement.kind} "{statement.name}": {why}.',
        "Change the types ([schema.casts]), exclude what is in the way, or mend it in a copy of the source.",
        _source_of(plan, statement.table or statement.name),
        _source_column(plan.table(key.table), key.columns[0]) if key else None,
        1,
        (),
        drop if key is not None else (),
    )


def _source_of(plan: Plan, target: str) -> str:
    return next((t.source for t in plan.tables if t.name == target), target)


def _source_column(table: TablePlan, column: str) -> str | None:
    return table.column(column).source


def _without(plan: Plan, statement: ddl.Statement) -> Plan:
    if statement.kind == "index":
        return msgspec.structs.replace(plan, indexes=tuple(i for i in plan.indexes if i.name != statement.name))
    if statement.kind == "view":
        return msgspec.structs.replace(plan, views=tuple(v for v in plan.views if v.name != statement.name))
    if statement.kind == "check":
        tables = tuple(
            msgspec.structs.replace(t, checks=tuple(c for c in t.checks if c.name != statement.name))
            if t.name == statement.table
            else t
            for t in plan.tables
        )
        return msgspec.structs.replace(plan, tables=tables)
    return plan
