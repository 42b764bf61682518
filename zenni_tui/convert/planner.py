"""Makes the plan: from what Prisma's schema says where there is one, and from the file's own declarations elsewhere."""

import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import (
    ColumnPlan,
    Counter,
    ForeignKeyPlan,
    IndexPlan,
    KeyPlan,
    NotMigrated,
    Plan,
    Span,
    TablePlan,
)
from zenni_tui.model.record import Record
from zenni_tui.model.schema import ColumnProfile, SourceColumn, SourceSchema, SourceTable, TableProfile

from . import types

PRISMA_HISTORY = "_prisma_migrations"
_HISTORY_RULE = "Prisma's migration history of SQLite; kept in the evidence, replaced by a baseline for PostgreSQL"


class Facts(Record, frozen=True):
    """What the plan is made from; `spans` are by source table name."""

    schema: SourceSchema
    profiles: dict[str, TableProfile]
    spans: dict[str, tuple[Span, ...]]
    exclude: tuple[str, ...] = ()


def make(facts: Facts, prisma: Plan | None, namespace: str) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan, and findings about rules of the file that it doesn't carry."""
    findings: list[Finding] = []
    declared = {t.name: t for t in facts.schema.tables}
    chosen = [t for t in prisma.tables if t.source in declared] if prisma else []
    known = {t.source for t in chosen}
    left_out = tuple(_left_out(facts))
    skipped = known | {n.name for n in left_out}
    others = [t for t in facts.schema.tables if t.name not in skipped]
    tables = [_filled(t, declared[t.source], facts) for t in chosen]
    tables += [_table(t, facts, findings.append) for t in others]
    indexes = [i for t in others for i in _indexes(t, findings.append)]
    keys = [k for t in others for k in _foreign_keys(t, facts.schema, findings.append)]
    findings += _uncarried(facts.schema, others)
    if prisma is None:
        return Plan(namespace, tuple(tables), (), tuple(indexes), tuple(keys), left_out), tuple(findings)
    carried = {t.name for t in tables}
    plan = msgspec.structs.replace(
        prisma,
        schema=namespace,
        tables=tuple(tables),
        indexes=tuple(i for i in prisma.indexes if i.table in carried) + tuple(indexes),
        foreign_keys=tuple(k for k in prisma.foreign_keys if {k.table, k.parent} <= carried) + tuple(keys),
        not_migrated=left_out,
    )
    return plan, tuple(findings)


def _left_out(facts: Facts) -> Iterable[NotMigrated]:
    for table in facts.schema.tables:
        if table.name == PRISMA_HISTORY:
            yield NotMigrated(table.name, table.rows, _HISTORY_RULE)
        elif table.name in facts.exclude:
            yield NotMigrated(table.name, table.rows, "excluded by the operator")


def _filled(plan: TablePlan, table: SourceTable, facts: Facts) -> TablePlan:
    names = {c.name for c in table.columns}
    columns = tuple(c if c.source in names else msgspec.structs.replace(c, source=None) for c in plan.columns)
    return msgspec.structs.replace(
        plan, columns=columns, rows=table.rows, spans=facts.spans.get(table.name, ()), counter=table.counter
    )


def _table(table: SourceTable, facts: Facts, found: Callable[[Finding], None]) -> TablePlan:
    profiles: Mapping[str, ColumnProfile] = facts.profiles[table.name].columns
    columns = [_column(table, c, profiles[c.name], found) for c in table.columns if c.generated is None]
    return TablePlan(
        table.name,
        table.name,
        tuple(columns),
        KeyPlan(f"{table.name}_pkey", table.key) if table.key else None,
        table.rows,
        facts.spans.get(table.name, ()),
        table.counter,
    )


def _column(
    table: SourceTable, column: SourceColumn, profile: ColumnProfile, found: Callable[[Finding], None]
) -> ColumnPlan:
    kind = types.choose(column, profile)
    counts = table.rowid_alias == column.name
    default = None
    try:
        # SQLite gives a rowid where none is named, whatever default its column declares.
        default = None if counts else types.default_of(column.default, kind.kind)
    except ValueError:
        found(_default_lost(table, column))
    return ColumnPlan(
        column.name,
        column.name,
        kind,
        column.not_null or bool(column.key_position),
        default,
        Counter.IDENTITY if counts else None,
        types.epoch_of(profile),
    )


def _default_lost(table: SourceTable, column: SourceColumn) -> Finding:
    return Finding(
        "default_not_carried",
        Severity.WARNING,
        f'The default {column.default} of "{table.name}"."{column.name}" is not carried: it is an SQLite expression.',
        "Set a default in PostgreSQL after the migration, or let the application give the value.",
        table.name,
        column.name,
        1,
    )


def _indexes(table: SourceTable, found: Callable[[Finding], None]) -> Iterable[IndexPlan]:
    for index in table.indexes:
        if index.origin == "pk":
            continue
        columns = tuple(c for c in index.columns if c is not None)
        if index.partial or len(columns) < len(index.columns):
            found(_index_lost(table, index.name, index.sql or ""))
            continue
        name = index.name if index.origin == "c" else f"{table.name}_{'_'.join(columns)}_key"
        descending = index.descending if any(index.descending) else ()
        yield IndexPlan(name, table.name, columns, index.unique, descending)


def _index_lost(table: SourceTable, name: str, sql: str) -> Finding:
    return Finding(
        "index_not_carried",
        Severity.ERROR,
        f'Index "{name}" of "{table.name}" has a WHERE or an expression, which has no form here: {sql}',
        f'Drop it in a copy of the source, or leave the table out with [source] exclude = ["{table.name}"].',
        table.name,
        None,
        1,
    )


def _foreign_keys(
    table: SourceTable, schema: SourceSchema, found: Callable[[Finding], None]
) -> Iterable[ForeignKeyPlan]:
    for key in table.foreign_keys:
        parent = schema.table(key.parent)
        if parent is None:
            found(_parent_lost(table, key.parent, key.columns))
            continue
        columns = key.parent_columns or parent.key
        yield ForeignKeyPlan(
            f"{table.name}_{'_'.join(key.columns)}_fkey",
            table.name,
            tuple(_exact(table, c) for c in key.columns),
            parent.name,
            tuple(_exact(parent, c) for c in columns),
            key.on_delete,
            key.on_update,
        )


def _exact(table: SourceTable, name: str) -> str:
    column = table.column(name)
    return column.name if column else name


def _parent_lost(table: SourceTable, parent: str, columns: tuple[str, ...]) -> Finding:
    return Finding(
        "foreign_key_parent_missing",
        Severity.ERROR,
        f'"{table.name}" ({", ".join(columns)}) references the table "{parent}", which is not in the file.',
        "Restore that table or drop the reference in a copy of the source.",
        table.name,
        columns[0],
        1,
    )


def _uncarried(schema: SourceSchema, declared: list[SourceTable]) -> Iterable[Finding]:
    for thing in schema.others:
        severity = Severity.ERROR if thing.kind == "virtual" else Severity.WARNING
        yield Finding(
            f"{thing.kind}_not_carried",
            severity,
            f'The {thing.kind} "{thing.name}" is not carried: {" ".join(thing.sql.split())[:200]}',
            "Its whole text is in the evidence (schema.json); write its PostgreSQL form by hand after the migration.",
            thing.name,
            None,
            1,
        )
    for table in declared:
        yield from _rules_lost(table)
        for column in table.columns:
            if column.generated:
                yield Finding(
                    "generated_not_carried",
                    Severity.ERROR,
                    f'"{table.name}"."{column.name}" is a generated column, which has no form here.',
                    f'Make it an ordinary column in a copy of the source, or exclude "{table.name}".',
                    table.name,
                    column.name,
                    1,
                )


_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
_RULES = {"check": re.compile(r"\bCHECK\s*\(", re.IGNORECASE), "collation": re.compile(r"\bCOLLATE\b", re.IGNORECASE)}


def _rules_lost(table: SourceTable) -> Iterable[Finding]:
    bare = _QUOTED.sub(" ", table.sql)
    for rule, pattern in _RULES.items():
        if pattern.search(bare):
            yield Finding(
                f"{rule}_not_carried",
                Severity.ERROR,
                f'"{table.name}" declares a {rule} rule, which has no form here: {" ".join(table.sql.split())[:200]}',
                f'Drop the rule in a copy of the source, or exclude the table: [source] exclude = ["{table.name}"].',
                table.name,
                None,
                1,
            )
