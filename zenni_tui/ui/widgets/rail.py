"""The step rail: where the run is, each step with a sign and a word."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.model.state import StepView
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.words import Glyphs, Line, Tone, took

from .canvas import Lines

WORDS: dict[StepState, tuple[str, Tone]] = {
    StepState.PENDING: ("to do", Tone.DIM),
    StepState.RUNNING: ("running", Tone.BUSY),
    StepState.DONE: ("done", Tone.GOOD),
    StepState.FAILED: ("FAILED", Tone.BAD),
    StepState.STOPPED: ("stopped", Tone.WARN),
    StepState.UNDOING: ("undoing", Tone.WARN),
    StepState.UNDONE: ("undone", Tone.WARN),
}
_NAME, _WORD, _SECONDS = 8, 7, 9
_SIGN = 2


def waits(step: StepView, now: Situation) -> bool:
    """Return whether the engine waits for the operator at a step: before it, or for choices it needs."""
    waiting = now.state.waiting
    return bool(waiting and waiting.step is step.id and now.alive) and step.state in {
        StepState.PENDING,
        StepState.FAILED,
    }


def step_word(step: StepView, now: Situation) -> tuple[str, Tone]:
    """Return a step's state in a word: an engine that is gone runs nothing."""
    if waits(step, now):
        return "waits", Tone.WARN
    if step.state in {StepState.RUNNING, StepState.UNDOING} and now.interrupted:
        return "cut off", Tone.BAD
    return WORDS[StepState.PENDING if _comes_again(step, now) else step.state]


def _comes_again(step: StepView, now: Situation) -> bool:
    """Return whether a step that failed is still to come, since the engine works on one before it once more."""
    if step.state is not StepState.FAILED or not now.alive:
        return False
    before = now.state.steps[: now.state.steps.index(step)] if step in now.state.steps else ()
    return any(s.state is StepState.RUNNING for s in before)


def glyph(state: StepState, glyphs: Glyphs) -> str:
    """Return a state's sign."""
    signs = {
        StepState.PENDING: glyphs.pending,
        StepState.RUNNING: glyphs.running,
        StepState.DONE: glyphs.done,
        StepState.FAILED: glyphs.failed,
        StepState.STOPPED: glyphs.stopped,
    }
    return signs.get(state, glyphs.undone)


class Rail(Lines, can_focus=True):
    """The steps from top to bottom; a mark shows the one on display."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "pick(-1)", "Step before", show=False),
        Binding("down", "pick(1)", "Step after", show=False),
    ]

    @dataclass
    class Picked(Message):
        """The operator wants another step, so many places away."""

        by: int

    def __init__(self) -> None:
        super().__init__(id="rail")
        self._now: Situation | None = None
        self._chosen: StepId | None = None

    def show(self, now: Situation, chosen: StepId | None) -> None:
        """Show the steps of a run."""
        self._now, self._chosen = now, chosen
        self.repaint()

    def paint(self, width: int) -> Iterable[Line]:
        """Return a line for each step."""
        now = self._now
        if now is None:
            return []
        name = max([_NAME, *(len(step.id) for step in now.state.steps)])
        return [self._line(step, now, width - name, name) for step in now.state.steps]

    def _line(self, step: StepView, now: Situation, room: int, cells: int) -> Line:
        word, tone = step_word(step, now)
        chosen = step.id is self._chosen
        mark = self.glyphs.cursor if chosen else " "
        state = StepState.PENDING if waits(step, now) or _comes_again(step, now) else step.state
        needed = len(mark) + 1 + _WORD
        sign = f"{glyph(state, self.glyphs)} " if room >= needed + _SIGN else ""
        name = (f"{step.id:<{cells}} ", Tone.STRONG if chosen else Tone.PLAIN)
        line: Line = ((mark, Tone.BUSY), (sign, tone), name, (f"{word:<{_WORD}}", tone))
        if room >= needed + _SIGN + _SECONDS and step.seconds:
            line = (*line, (f"{took(step.seconds):>{_SECONDS}}", Tone.DIM))
        return line

    def action_pick(self, by: int) -> None:
        """Ask for the step before or after."""
        self.post_message(self.Picked(by))
