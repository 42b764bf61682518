"""Orphans that keep their row and lose their reference: the operator's `to_null` for a foreign key."""

from collections.abc import Iterable

import msgspec

from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Repair
from zenni_tui.model.plan import Clearing, Reference, TablePlan
from zenni_tui.model.schema import SourceForeignKey, SourceSchema, SourceTable


def reference(key: SourceForeignKey, schema: SourceSchema) -> Reference | None:
    """Return what a foreign key refers to, None when that can't be asked for: no such table, columns or rows."""
    parent = schema.table(key.parent)
    if parent is None or parent.problem:
        return None
    named = [parent.column(c) for c in key.parent_columns or parent.key]
    columns = tuple(c.name for c in named if c is not None)
    if len(columns) != len(named) or len(columns) != len(key.columns):
        return None
    return Reference(key.columns, parent.name, columns)


def with_null(finding: Finding, plan: TablePlan, key: SourceForeignKey) -> Finding:
    """Offer to make the reference NULL, where one of its columns may be."""
    column = _optional(plan, key)
    if column is None:
        return finding
    way = Repair("to_null", lossless=False, text=f'make "{column}" NULL in these rows, and keep the rest of them')
    return msgspec.structs.replace(finding, repairs=(*finding.repairs, way))


def clearings(table: SourceTable, plan: TablePlan, schema: SourceSchema, choices: Choices) -> Iterable[Clearing]:
    """Return the clearings that the operator chose for a table's foreign keys."""
    for key in table.foreign_keys:
        chosen = choices.repairs.get(f"foreign_key_orphans/{table.name}/{key.columns[0]}")
        column, refers = _optional(plan, key), reference(key, schema)
        if chosen == "to_null" and column is not None and refers is not None:
            yield Clearing(column, refers)


def _optional(plan: TablePlan, key: SourceForeignKey) -> str | None:
    optional = {c.source for c in plan.loaded if not c.not_null}
    return next((name for name in key.columns if name in optional), None)
