"""The panels of reach, snapshot, inspect, plan, prepare and index: checks, and how far the step is."""

from collections.abc import Iterable

from textual.widget import Widget

from zenni_tui.model.runbook import StepId, StepState, TableVerdict
from zenni_tui.model.state import RunState, TableView
from zenni_tui.ui.situation import Ratchet, Situation
from zenni_tui.ui.widgets.canvas import Scroll
from zenni_tui.ui.words import Glyphs, Line, Tone, count, fit

from .panel import Panel, check_lines, progress_lines


class ChecksPanel(Panel):
    """Every check with what it looked at, what it found, and what to do."""

    def __init__(self, step: StepId) -> None:
        super().__init__(step)
        self._ratchet = Ratchet()

    def body(self) -> Iterable[Widget]:
        """Return the text."""
        yield Scroll(classes="checks")

    @property
    def keys_go_to(self) -> Widget | None:
        """Return the text, which may be longer than the screen."""
        return self.query_one(Scroll)

    def fill(self, now: Situation) -> None:
        """Show checks and progress."""
        self.query_one(Scroll).show(lambda width: self._lines(now, width))

    def _lines(self, now: Situation, width: int) -> list[Line]:
        step = now.state.step(self.step_id)
        lines: list[Line] = []
        if step.state in {StepState.RUNNING, StepState.STOPPED, StepState.FAILED} and step.total:
            fraction = self._ratchet.at(step.unit, step.done / step.total)
            lines += [*progress_lines(step, fraction, width, self.glyphs, proven=False), ()]
        for check in step.checks:
            lines += check_lines(check, width, self.glyphs)
        if self.step_id is StepId.PLAN:
            lines += plan_lines(now.state, width, self.glyphs)
        return lines or [(("Nothing looked at yet.", Tone.DIM),)]


def plan_lines(state: RunState, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the plan: which table becomes what, with its rows."""
    if not state.tables:
        return []
    name = max(8, min(40, (width - 18) // 2))
    head = f"{fit('source', name)}   {fit('target', name)} {'rows':>11}"
    return [(), ((head, Tone.DIM),), *(_plan_line(t, name, glyphs) for t in state.tables.values())]


def _plan_line(table: TableView, name: int, glyphs: Glyphs) -> Line:
    left_out = table.verdict in {TableVerdict.NOT_MIGRATED, TableVerdict.EXCLUDED}
    target = "not migrated" if left_out else table.target
    tone = Tone.DIM if left_out else Tone.PLAIN
    return (
        (fit(table.source, name, glyphs), tone),
        (f" {fit(glyphs.arrow, 2)}", Tone.DIM),
        (f"{fit(target, name, glyphs)} {count(table.rows):>11}", tone),
    )
