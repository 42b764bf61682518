"""What a run's plan looks like on the screen: its tables in lines, read from the run directory when it changes."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from zenni_tui.engine import client
from zenni_tui.model.plan import Default, DefaultKind, Plan, TablePlan
from zenni_tui.model.runbook import TableVerdict
from zenni_tui.model.schema import SourceTable
from zenni_tui.model.state import RunState

from .words import things

_LEFT_OUT = frozenset({TableVerdict.NOT_MIGRATED, TableVerdict.EXCLUDED})


class PlanRow(NamedTuple):
    """One table's way; `rule` says why it is left out; `table` is None while the plan's file isn't there."""

    source: str
    target: str
    rows: int
    rule: str = ""
    table: TablePlan | None = None


class Book:
    """The plan of a run as last read; `problem` says why it couldn't be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan: Plan | None = None
        self.problem = ""
        self._hash = ""
        self._rows: tuple[PlanRow, ...] = ()

    def rows(self, state: RunState) -> tuple[PlanRow, ...]:
        """Return a row for each table; the file is read again when the journal tells of another plan."""
        if state.plan_hash and state.plan_hash != self._hash:
            self._hash = state.plan_hash
            self._read()
            self._rows = _rows(self.plan) if self.plan else _told(state)
        return self._rows

    def _read(self) -> None:
        self.plan, self.problem = None, ""
        try:
            self.plan = client.plan_of(self.folder)
        except (OSError, msgspec.MsgspecError) as error:
            self.problem = f"The plan's file can't be read: {error}"

    def declared(self, table: str) -> SourceTable | None:
        """Return what the source declares of a table, None when that isn't known."""
        try:
            schema = client.schema_of(self.folder)
        except (OSError, msgspec.MsgspecError):
            return None
        return schema.table(table) if schema else None

    def others(self, table: str, column: str) -> tuple[str, ...]:
        """Return the types that would hold every value of a column as well."""
        try:
            return client.types_of(self.folder).of(table, column)
        except (OSError, msgspec.MsgspecError):
            return ()


def _rows(plan: Plan) -> tuple[PlanRow, ...]:
    tables = (PlanRow(t.source, t.name, t.rows, "", t) for t in plan.tables)
    return (*tables, *(PlanRow(n.name, "", n.rows, n.rule) for n in plan.not_migrated))


def _told(state: RunState) -> tuple[PlanRow, ...]:
    return tuple(
        PlanRow(t.source, "", t.rows, t.why or "left out")
        if t.verdict in _LEFT_OUT
        else PlanRow(t.source, t.target, t.rows)
        for t in state.tables.values()
    )


def default_words(default: Default | None) -> str:
    """Return a default as it would stand in SQL."""
    if default is None:
        return ""
    if default.kind is DefaultKind.NOW:
        return "CURRENT_TIMESTAMP"
    return f"'{default.text}'" if default.kind is DefaultKind.LITERAL else default.text


def sums(plan: Plan) -> str:
    """Return how much a plan makes beside its tables."""
    parts = [(len(plan.indexes), "index"), (len(plan.foreign_keys), "foreign key"), (len(plan.views), "view")]
    parts += [(len(plan.enums), "enum type"), (sum(len(t.checks) for t in plan.tables), "check")]
    return ", ".join(things(number, name) for number, name in parts if number)


def first_line_of(ddl: list[str], schema: str, table: str) -> int:
    """Return the number of the line that makes a table; 0 when there is none."""
    quoted = table.replace('"', '""')
    names = (f'CREATE TABLE "{schema}"."{quoted}"', f'CREATE TABLE "{quoted}"')
    return next((number for number, line in enumerate(ddl) if line.startswith(names)), 0)
