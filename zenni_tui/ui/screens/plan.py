"""The panel of the plan: which table becomes what; Enter opens its columns, d the SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from zenni_tui.model.findings import Finding
from zenni_tui.model.runbook import StepState
from zenni_tui.ui.choosing import blocks
from zenni_tui.ui.planning import Book, PlanRow, sums
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, count, paragraph, things

from .panel import ListPanel, check_lines, progress_lines

_COLUMNS = (
    Column("source", 12, most=34),
    Column("target", 12, most=34),
    Column("rows", 9, most=13, right=True),
    Column("cols", 4, right=True, need=40),
    Column("key", 10, most=30, need=50),
)
_MOST_CHECKS = 3


def _cells(row: PlanRow, _: Sequence[int]) -> Sequence[Line]:
    tone = Tone.DIM if row.rule else Tone.PLAIN
    table = row.table
    key = ", ".join(table.key.columns) if table and table.key else "none" if table else ""
    return (
        ((row.source, tone),),
        (("not migrated" if row.rule else row.target, tone),),
        ((count(row.rows), tone),),
        ((str(len(table.columns)) if table else "", Tone.DIM),),
        ((key, Tone.DIM),),
    )


class PlanPanel(ListPanel):
    """The tables of the plan; what else it makes is told below them, and in the SQL."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Columns", show=False)]

    @dataclass
    class Opened(Message):
        """The operator wants to see a table's columns."""

        row: PlanRow

    def __init__(self, step: Any) -> None:
        super().__init__(step)
        self.book = Book(Path())

    def make_rows(self) -> Rows:
        """Return the list of tables."""
        return Rows(_COLUMNS, _cells, empty="No table yet: the plan is not made.")

    def items(self, now: Situation) -> Sequence[Any]:
        """Return the tables of the plan."""
        if self.book.folder != now.folder:
            self.book = Book(now.folder)
        return self.book.rows(now.state)

    def words_of(self, item: Any) -> str:
        """Return the names of a table, and of its columns."""
        columns = " ".join(c.name for c in item.table.columns) if item.table else ""
        return f"{item.source} {item.target} {columns} {'not migrated' if item.rule else ''}"

    def head(self, width: int) -> list[Line]:
        """Return title, progress, and the checks that are more than a note on a table."""
        lines = super().head(width)
        now = self.now
        if now is None:
            return lines
        step = now.state.step(self.step_id)
        if step.total and step.state is StepState.RUNNING:
            lines += progress_lines(step, step.done / step.total, width, self.glyphs, proven=False)
        shown = [c for c in step.checks if c.ok is False]
        shown += [c for c in step.checks if c.ok and now.state.waiting is None][:_MOST_CHECKS]
        for check in shown:
            lines += check_lines(check, width, self.glyphs)
        left = sum(blocks(f) for f in now.state.findings)
        if left:
            way = "." if now.over else ": press c."
            lines += paragraph(f"{things(left, 'finding')} still in the way{way}", width, Tone.BAD)
        return lines + paragraph(self.book.problem, width, Tone.BAD) if self.book.problem else lines

    def detail(self, item: Any, width: int) -> list[Line]:
        """Return a table's way, why it is left out, and what the whole plan makes."""
        names = item.source if item.source == item.target else f"{item.source} {self.glyphs.arrow} {item.target}"
        lines = paragraph(f"{item.source}: {item.rule}", width, Tone.WARN) if item.rule else []
        if item.table:
            lines += paragraph(f"{names}: Enter shows its columns, d the SQL.", width)
            lines += paragraph(_about(item, self._findings(item)), width, Tone.DIM)
        plan = self.book.plan
        return [*lines, *paragraph(f"whole plan: {sums(plan)}", width, Tone.DIM)] if plan and sums(plan) else lines

    def _findings(self, row: PlanRow) -> list[Finding]:
        return [f for f in self.now.state.findings if f.table == row.source] if self.now else []

    def action_open(self) -> None:
        """Ask for the columns of the table under the cursor."""
        if self.rows.current is not None:
            self.post_message(self.Opened(self.rows.current))


def _about(row: PlanRow, findings: Sequence[Finding]) -> str:
    table = row.table
    if table is None:
        return ""
    repaired = sum(len(c.repairs) for c in table.columns)
    parts = [(len(table.checks), "check"), (repaired, "repair"), (len(findings), "finding")]
    words = [things(number, name) for number, name in parts if number]
    words += [f"{things(len(table.quarantine), 'row')} kept out"] if table.quarantine else []
    return ", ".join([f"key {', '.join(table.key.columns)}" if table.key else "no key", *words])
