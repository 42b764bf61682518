"""Reviews a plan against PostgreSQL practice: what a careful person would add, with the reason and the DDL.

Each is an offer, off until the operator chooses it; nothing of it is needed for a faithful migration.
"""

from collections.abc import Iterable

import msgspec

from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import ForeignKeyPlan, IndexPlan, Kind, Plan, TablePlan

from . import names

_LONG = frozenset({Kind.TEXT, Kind.BYTEA})
_ADD = Repair("index_add", lossless=True, text="make this index as well")


def review(plan: Plan, choices: Choices) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan with the offers that were chosen, and all offers as findings of severity info."""
    findings: list[Finding] = []
    added: list[IndexPlan] = []
    for key in plan.foreign_keys:
        if not _covered(plan, key):
            index, finding = _missing_index(plan, key)
            findings.append(finding)
            if choices.repairs.get(finding.id) == "index_add":
                added.append(index)
    findings += _wide_keys(plan)
    findings += _local_times(plan)
    return msgspec.structs.replace(plan, indexes=(*plan.indexes, *added)), tuple(findings)


def _covered(plan: Plan, key: ForeignKeyPlan) -> bool:
    table = plan.table(key.table)
    leads = [i.columns for i in plan.indexes_of(key.table) if i.where is None]
    leads += [table.key.columns] if table.key else []
    return any(set(columns[: len(key.columns)]) == set(key.columns) for columns in leads)


def _missing_index(plan: Plan, key: ForeignKeyPlan) -> tuple[IndexPlan, Finding]:
    index = IndexPlan(names.fitted(f"{key.table}_{'_'.join(key.columns)}_idx"), key.table, key.columns)
    columns = ", ".join(f'"{c}"' for c in key.columns)
    table = plan.table(key.table)
    finding = Finding(
        "review_foreign_key_index",
        Severity.INFO,
        f'No index begins with the foreign key ({columns}) of "{key.table}": PostgreSQL, like SQLite, makes none by'
        f' itself, and every delete or key change in "{key.parent}" reads all of "{key.table}".',
        f'Choose index_add, or later: CREATE INDEX CONCURRENTLY "{index.name}" ON "{key.table}" ({columns})',
        table.source,
        table.column(key.columns[0]).source,
        1,
        (),
        (_ADD,),
    )
    return index, finding


def _wide_keys(plan: Plan) -> Iterable[Finding]:
    for table in plan.tables:
        if table.key is None or plan.origin == "prisma":
            continue
        if any(table.column(c).type.kind in _LONG for c in table.key.columns):
            yield Finding(
                "review_text_key",
                Severity.INFO,
                f'The primary key of "{table.name}" is text: each index and reference repeats it.',
                'Nothing needs to be done; UUIDs take 16 bytes as uuid: [schema.casts] "Table.id" = "uuid".',
                table.source,
                None,
                1,
            )


def _local_times(plan: Plan) -> Iterable[Finding]:
    for table in plan.tables:
        columns = [c.name for c in table.columns if c.type.kind is Kind.TIMESTAMP]
        if columns and plan.origin != "prisma":
            yield _local_time(table, columns)


def _local_time(table: TablePlan, columns: list[str]) -> Finding:
    listed = ", ".join(f'"{c}"' for c in columns)
    return Finding(
        "review_time_zone",
        Severity.INFO,
        f'The dates {listed} of "{table.name}" hold UTC without saying so (timestamp without time zone).',
        'If the application reads zones: [schema.casts] "Table.column" = "timestamptz(3)".',
        table.source,
        None,
        len(columns),
    )
