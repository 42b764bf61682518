"""What the panels of copy and verify share: one line a table, and the bars above."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from zenni_tui.model.runbook import StepId, StepState, TableVerdict
from zenni_tui.model.state import StepView, TableView
from zenni_tui.ui.situation import Pace, Ratchet, Situation, overall, verified
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.words import Line, Tone, bar, clock, count, paragraph, percent, short, spark

from .panel import ListPanel, bar_line, check_lines, progress_lines

_SEEN = 12
"""How many of the last seconds' speeds are drawn."""

VERDICTS = {
    TableVerdict.IDENTICAL: ("identical", Tone.GOOD),
    TableVerdict.DIFFERS: ("DIFFERS", Tone.BAD),
    TableVerdict.MISSING: ("MISSING", Tone.BAD),
    TableVerdict.EXCLUDED: ("excluded", Tone.DIM),
    TableVerdict.NOT_MIGRATED: ("left out", Tone.DIM),
}


def number(value: int, width: int) -> str:
    """Return a number whole where it fits, short where not."""
    whole = count(value)
    return whole if len(whole) <= width else short(value)


def _rate(table: TableView) -> float:
    return table.copied / table.copy_seconds if table.copy_seconds else 0.0


ORDERS: dict[str, Callable[[TableView], Any] | None] = {
    "plan": None,
    "name": lambda t: t.target.casefold(),
    "largest": lambda t: -t.rows,
    "slowest": lambda t: (not t.copy_seconds, _rate(t)),
    "least done": lambda t: (t.verdict is not None, t.copied / t.rows if t.rows else 1.0),
}


class TablesPanel(ListPanel):
    """The base: whole run, this step, and one line for each table, in an order that `v` changes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "sort", "Order of the tables", show=False)]

    def __init__(self, step: StepId) -> None:
        super().__init__(step)
        self.ratchet = Ratchet()
        self.pace = Pace()
        self.order = "plan"

    def show(self, now: Situation) -> None:
        """Show a moment of the run; after an undo bars begin anew."""
        if now.undoing:
            self.ratchet.forget()
        super().show(now)

    def items(self, now: Situation) -> Sequence[Any]:
        """Return the tables in the order chosen, at first the plan's."""
        tables = list(now.state.tables.values())
        key = ORDERS[self.order]
        return sorted(tables, key=key) if key else tables

    def action_sort(self) -> None:
        """Put the tables into the next order."""
        names = list(ORDERS)
        self.order = names[(names.index(self.order) + 1) % len(names)]
        if self.now:
            self.fill(self.now)
            self.query_one(".head", Text).repaint()

    def words_of(self, item: Any) -> str:
        """Return a table's names and state."""
        verdict = f" {item.verdict}" if item.verdict else ""
        return f"{item.source} {item.target}{verdict}"

    def fill(self, now: Situation) -> None:
        """Fill the list; the cursor goes with the work until the operator moves it."""
        super().fill(now)
        step = now.state.step(self.step_id)
        if step.state is StepState.RUNNING:
            first = next((i for i, t in enumerate(self.rows.items) if self.unfinished(t)), None)
            if first is not None:
                self.rows.keep_in_sight(first)

    @abstractmethod
    def unfinished(self, table: TableView) -> bool:
        """Return whether this step has more to do on a table."""

    def head(self, width: int) -> list[Line]:
        """Return title and bars; the last cell of a bar is filled when everything is verified."""
        lines = super().head(width)
        now = self.now
        if now is None:
            return lines
        step = now.state.step(self.step_id)
        if step.state not in {StepState.PENDING, StepState.UNDOING, StepState.UNDONE}:
            lines += self._bars(now, step, width)
        for check in step.checks:
            if check.ok is False:
                lines += check_lines(check, width, self.glyphs)
        return lines

    def _bars(self, now: Situation, step: StepView, width: int) -> list[Line]:
        proven = verified(now.state)
        whole = self.ratchet.at("overall", overall(now.state))
        lines = [bar_line("whole run", whole, width, self.glyphs, proven=proven, tail=percent(whole))]
        if step.total:
            part = self.ratchet.at("step", min(1.0, step.done / step.total))
            lines += progress_lines(step, part, width, self.glyphs, proven=proven)
        figures = self._figures(now, step)
        return [*lines, *paragraph(figures, width, Tone.DIM, head=(" " * 10, Tone.PLAIN))] if figures else lines

    def _figures(self, now: Situation, step: StepView) -> str:
        if step.state is not StepState.RUNNING or not now.alive:
            return ""
        rate = self.pace.at(now.state.last, step.done)
        seen = spark(self.pace.history, _SEEN, self.glyphs).strip()
        parts = [f"{count(int(rate))} {step.unit}/s {seen}".rstrip() if rate is not None and step.unit else ""]
        parts += [f"order: {self.order}" if ORDERS[self.order] else ""]
        parts += [self.more_figures(now), f"ETA {clock(now.eta)}" if now.eta is not None else ""]
        return ", ".join(filter(None, parts))

    def more_figures(self, now: Situation) -> str:  # noqa: ARG002 - steps that have some say them
        """Return further figures of the step."""
        return ""

    def table_bar(self, name: str, fraction: float, width: int, *, proven: bool) -> Line:
        """Return a table's bar."""
        full, empty = bar(self.ratchet.at(f"table {name}", fraction), width, self.glyphs, proven=proven)
        return ((full, Tone.GOOD if proven else Tone.BUSY), (empty, Tone.DIM))

    def detail(self, item: Any, width: int) -> list[Line]:
        """Return the table's way and what is to be said of it."""
        names = item.source if item.source == item.target else f"{item.source} {self.glyphs.arrow} {item.target}"
        lines = paragraph(f"{names}: {count(item.rows)} rows in the snapshot", width, Tone.DIM)
        return [*lines, *paragraph(item.why, width, Tone.WARN)] if item.why else lines
