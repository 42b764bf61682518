"""Which columns and keys of a plan a profile alone can't clear: they are tried value by value."""

from collections.abc import Iterable, Mapping

from zenni_tui.model.plan import ColumnPlan, Kind, Plan, TablePlan
from zenni_tui.model.schema import ColumnProfile, TableProfile

from . import instants, types

Profiles = Mapping[str, TableProfile]
"""What the audit learned of each table, by source name."""


def doubtful(plan: Plan, profiles: Profiles) -> Iterable[tuple[TablePlan, list[ColumnPlan]]]:
    """Yield tables with those of their columns whose values may have no faithful form in the target."""
    for table in plan.tables:
        known = profiles[table.source].columns
        columns = [c for c in table.loaded if not _proven(c, known[c.source or ""])]
        if columns:
            yield table, columns


def _proven(column: ColumnPlan, profile: ColumnProfile) -> bool:
    return types.conclusive(column.type, profile) or instants.proven(column, profile)


def risky_keys(plan: Plan, profiles: Profiles) -> Iterable[tuple[TablePlan, list[ColumnPlan]]]:
    """Yield unique keys whose different stored values may become equal ones."""
    keys = [(t.name, t.key.columns) for t in plan.tables if t.key]
    keys += [(i.table, i.columns) for i in plan.indexes if i.unique and all(i.columns) and i.where is None]
    for name, columns in keys:
        table = plan.table(name)
        parts = [table.column(c) for c in columns]
        known = profiles[table.source].columns
        if all(p.generated is None for p in parts) and any(_merges(p, known[p.source or ""]) for p in parts):
            yield table, parts


def _merges(column: ColumnPlan, profile: ColumnProfile) -> bool:
    if column.repairs or column.zone:
        return True
    classes = (profile.integers > 0) + (profile.reals > 0) + (profile.texts > 0)
    if column.type.kind in (Kind.TEXT, Kind.VARCHAR, Kind.BYTEA, Kind.ENUM):
        return classes > 1
    return classes > 1 or profile.texts > 0
