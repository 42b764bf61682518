"""Values that the application wrote meanwhile and that have no faithful form: what is told, and what can be chosen."""

from collections.abc import Callable, Sequence

from zenni_tui.convert import encode, meanwhile
from zenni_tui.convert.unfit import Unfit
from zenni_tui.errors import StepFailed
from zenni_tui.model.findings import Finding
from zenni_tui.model.plan import ColumnPlan, Plan, TablePlan
from zenni_tui.model.schema import Value
from zenni_tui.source.standins import legible


class Uncarried(StepFailed):
    """A value that the application wrote meanwhile has no faithful form; `finding` says what can be chosen."""

    def __init__(self, finding: Finding, table: TablePlan, column: ColumnPlan) -> None:
        first = next((r.id for r in finding.repairs), "")
        choose = f" Or choose what such values become: zenni-tui resume --repair '{finding.id}={first}'."
        super().__init__(
            "A value written since the snapshot can't be carried.",
            where=f'table "{table.name}", column "{column.name}", key {"; ".join(finding.keys)}',
            why=finding.message,
            next_step=f"Mend it in the application, then: zenni-tui resume.{choose if first else ''}",
        )
        self.finding = finding


def of(plan: Plan, table: TablePlan, rows: Sequence[tuple[Value, ...]], unfit: Unfit, *, apart: bool) -> StepFailed:
    """Return the error that names the values of a batch which a type of the plan can't hold, and what can be done."""
    for place, column in enumerate(table.loaded):
        held = holder(column, plan)
        trouble = [(row, why) for row in rows if (why := held(row[place])) is not None]
        if trouble:
            keys = [_shown(plan, table, row) for row, _ in trouble]
            return Uncarried(meanwhile.finding(table, column, trouble[0][1], keys, apart=apart), table, column)
    return StepFailed("A row written since the snapshot can't be carried.", where=table.name, why=unfit.reason)


def holder(column: ColumnPlan, plan: Plan) -> Callable[[Value], Unfit | None]:
    """Return the function that tells why a column's type can't hold a value, None when it can."""
    field = encode.field_encoder(column, plan.enums)

    def held(value: Value) -> Unfit | None:
        try:
            field(value)
        except Unfit as unfit:
            return unfit
        return None

    return held


def _shown(plan: Plan, table: TablePlan, row: tuple[Value, ...]) -> str:
    names = dict(zip((c.name for c in table.loaded), row, strict=True))
    return legible(", ".join(str(names[n]) for n in plan.row_key(table))) or "none"
