"""Values written after the snapshot that have no faithful form: what can be done about them, and what was chosen.

The tables stand by then, so that no type can be another any more: only a repair of the values themselves helps.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding
from zenni_tui.model.plan import ColumnPlan, Plan, TablePlan, ValueRepair
from zenni_tui.model.schema import ColumnProfile

from .declared import value_repairs
from .offers import value_finding
from .unfit import Unfit


def finding(table: TablePlan, column: ColumnPlan, unfit: Unfit, keys: Iterable[str], *, apart: bool) -> Finding:
    """Return the finding about values of a column, with the repairs that change no type; `apart`: rows can stay out."""
    whole = value_finding(table.source, column, unfit.code, unfit.reason, list(keys), ColumnProfile(), rowids=apart)
    offers = tuple(r for r in whole.repairs if not r.id.startswith("type:") and r.id != "exclude")
    return msgspec.structs.replace(
        whole,
        message=f"Written since the snapshot: {whole.message}",
        advice="Mend them in the application, or choose what all such values become from now on.",
        repairs=offers,
    )


def repaired(plan: Plan, choices: Choices) -> Plan:
    """Return the plan with the repairs of values that were chosen since it was made; the plan itself without any."""
    tables = tuple(_table(t, choices) for t in plan.tables)
    return plan if tables == plan.tables else msgspec.structs.replace(plan, tables=tables)


def _table(table: TablePlan, choices: Choices) -> TablePlan:
    columns = []
    for column in table.columns:
        more = tuple(_more(column, value_repairs(f"{table.source}/{column.source}", choices)))
        columns.append(msgspec.structs.replace(column, repairs=(*column.repairs, *more)) if more else column)
    return msgspec.structs.replace(table, columns=tuple(columns))


def _more(column: ColumnPlan, wanted: Iterable[ValueRepair]) -> Iterator[ValueRepair]:
    known = {r.code for r in column.repairs}
    yield from (r for r in wanted if r.code not in known)


def without(plan: Plan, out: Mapping[str, tuple[int, ...]]) -> Plan:
    """Return the plan with more rows kept out, by the source tables' names and the rows' rowids."""
    tables = (
        msgspec.structs.replace(t, quarantine=tuple(sorted({*t.quarantine, *out[t.source]}))) if t.source in out else t
        for t in plan.tables
    )
    return msgspec.structs.replace(plan, tables=tuple(tables))
