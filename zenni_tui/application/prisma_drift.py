"""Drift: where the Prisma schema and the SQLite file disagree, both ways.

Names are compared without case, as SQLite does. What a finding advises is only what follows from the two: no value and
no meaning is made up.
"""

from collections.abc import Iterator

from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import ColumnPlan, Plan, TablePlan
from zenni_tui.model.schema import SourceColumn, SourceSchema, SourceTable

from . import prisma_drift_rules as rules
from .prisma_advice import add_column, quoted

_MIGRATE = "apply the project's migrations to the SQLite file (`npx prisma migrate deploy`)"
_PULL = "bring it into schema.prisma (`npx prisma db pull` shows how Prisma writes it)"


def drift(plan: Plan, source: SourceSchema) -> tuple[Finding, ...]:
    """Return the differences between a plan made from schema.prisma and what the file declares.

    Only those of severity `error` block: without a decision data would have no place, or a place no data.
    """
    return tuple(_findings(plan, source))


def _findings(plan: Plan, source: SourceSchema) -> Iterator[Finding]:
    for table in plan.tables:
        found = source.table(table.source)
        if found is None:
            yield _table_missing(table, source)
            continue
        yield from _columns(table, found)
        yield from rules.keys(table, found)
        yield from rules.indexes(plan, table, found)
        yield from rules.foreign_keys(plan, table, found, source)
    declared = {t.source.lower() for t in plan.tables}
    for extra in source.tables:
        name = extra.name.lower()
        if name not in declared and name != "_prisma_migrations" and not name.startswith("sqlite_"):
            yield _table_undeclared(extra)


def _table_missing(table: TablePlan, source: SourceSchema) -> Finding:
    other = next((o for o in source.others if o.name.lower() == table.source.lower()), None)
    instead = f" ({quoted(other.name)} is a {other.kind} there)" if other else ""
    return Finding(
        "drift_table_missing",
        Severity.ERROR,
        f"schema.prisma declares the table {quoted(table.source)}, but the SQLite file has no such table{instead}: "
        "the new database would begin with a table the old one never had",
        f"{_MIGRATE}, or remove the model from schema.prisma",
        table.source,
    )


def _table_undeclared(table: SourceTable) -> Finding:
    return Finding(
        "drift_table_undeclared",
        Severity.WARNING,
        f"the SQLite file has the table {quoted(table.name)}, which schema.prisma does not declare: "
        "it is carried as the file declares it, and Prisma would offer to drop it",
        f"{_PULL}, or exclude the table by name if it is not needed",
        table.name,
        count=table.rows,
    )


def _columns(table: TablePlan, found: SourceTable) -> Iterator[Finding]:
    for column in table.columns:
        there = found.column(column.source or column.name)
        if there is None:
            yield _column_missing(table, column, found)
        elif there.generated is None:
            yield from _nullability(table, column, there, found)
    declared = {(c.source or c.name).lower() for c in table.columns}
    for there in found.columns:
        if there.name.lower() not in declared:
            yield _column_undeclared(found, there)


def _column_missing(table: TablePlan, column: ColumnPlan, found: SourceTable) -> Finding:
    name = column.source or column.name
    return Finding(
        "drift_column_missing",
        Severity.ERROR,
        f"schema.prisma declares the column {quoted(name)} of the table {quoted(found.name)}, but the SQLite file does "
        f"not have it: its {found.rows} rows hold no value for it, and PostgreSQL would get a column of made-up ones",
        f"{add_column(table, column)}; or {_MIGRATE}, if one of them adds it; or remove the field from schema.prisma",
        found.name,
        name,
        found.rows,
    )


def _column_undeclared(found: SourceTable, there: SourceColumn) -> Finding:
    where = f"the SQLite file has the column {quoted(there.name)} in the table {quoted(found.name)}"
    if there.generated is not None:
        return Finding(
            "drift_column_undeclared",
            Severity.INFO,
            f"{where}, computed from other columns, which schema.prisma does not declare: it is not carried",
            f"{_PULL}, if the application reads it",
            found.name,
            there.name,
            found.rows,
        )
    return Finding(
        "drift_column_undeclared",
        Severity.ERROR,
        f"{where}, which schema.prisma does not declare: its data would be left behind",
        f"{_PULL}, or exclude the column by name if its data is not needed",
        found.name,
        there.name,
        found.rows,
    )


def _nullability(table: TablePlan, column: ColumnPlan, there: SourceColumn, found: SourceTable) -> Iterator[Finding]:
    # The rowid under its own name is never NULL, whatever the declaration says.
    strict = there.not_null or there.name == found.rowid_alias or (found.without_rowid and there.key_position > 0)
    if strict == column.not_null:
        return
    name = f"the column {quoted(there.name)} of the table {quoted(table.source)}"
    if column.not_null:
        severity = Severity.WARNING
        message = f"schema.prisma requires {name}, but the SQLite file allows NULL in it: rows with NULL cannot go in"
        advice = "look at the audit for NULLs in this column; fill them, or make the field optional (`?`)"
    else:
        severity = Severity.INFO
        message = f"{name} is optional in schema.prisma and NOT NULL in the SQLite file: PostgreSQL will allow NULL"
        advice = "nothing has to be done; make the field required in schema.prisma if NULL must stay forbidden"
    yield Finding("drift_nullability", severity, message, advice, found.name, there.name)
