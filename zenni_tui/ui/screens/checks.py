"""The panels of reach, snapshot, inspect, prepare and index: checks, and how far the step is."""

from collections.abc import Iterable

from textual.widget import Widget

from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.ui.situation import Ratchet, Situation
from zenni_tui.ui.widgets.canvas import Scroll
from zenni_tui.ui.words import Line, Tone

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
        self.query_one(Scroll).show(lambda width: self.lines(now, width))

    def lines(self, now: Situation, width: int) -> list[Line]:
        """Return progress and checks."""
        step = now.state.step(self.step_id)
        lines: list[Line] = []
        if step.state in {StepState.RUNNING, StepState.STOPPED, StepState.FAILED} and step.total:
            fraction = self._ratchet.at(step.unit, step.done / step.total)
            lines += [*progress_lines(step, fraction, width, self.glyphs, proven=False), ()]
        for check in step.checks:
            lines += check_lines(check, width, self.glyphs)
        nothing = "Nothing looked at yet." if step.state is StepState.PENDING else "No checks in this step."
        return lines or [((nothing, Tone.DIM),)]
