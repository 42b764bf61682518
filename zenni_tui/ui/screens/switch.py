"""The switch, its window and the way back on a run's screen: named actions ticked as they are done; typed words."""

import functools
import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from zenni_tui.engine import client
from zenni_tui.engine.words import refusal
from zenni_tui.model.actions import ActionState, ActionView, of
from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.model.state import RunState
from zenni_tui.model.switching import CONFIRM_FALL_BACK, CONFIRM_FINISH, CONFIRM_SWITCH, downtime, serving
from zenni_tui.ui.offer import Offer
from zenni_tui.ui.safety import rollback_now, rollback_story
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.words import Glyphs, Line, Tone, paragraph

from .checks import ChecksPanel
from .form import Field, Filled, Form, mistyped
from .modals import Choice, Question
from .steer import SteerScreen

_SIGNS = {
    ActionState.RUNNING: ("running", "...", Tone.BUSY),
    ActionState.DONE: ("done", "done", Tone.GOOD),
    ActionState.FAILED: ("failed", "FAILED", Tone.BAD),
    ActionState.REVERTED: ("pending", "undone", Tone.WARN),
}
_WORD_CELLS = 7
_SWITCH_STORY = (
    "The old side stops taking writes, what is left is brought over and compared, and the application goes over to"
    " PostgreSQL. Until its new side is started any failure takes all of it back by itself; afterwards F8 falls back,"
    " and loses nothing."
)
_FINISH_STORY = (
    "Nothing follows the new side any more: the log leaves the target, and our triggers the old file, which keeps all"
    " writes up to now and becomes read-only. After it there is no way back that keeps what is written."
)


class ActionsPanel(ChecksPanel):
    """The actions of a switch or of a fall-back, each with its sign, its seconds and what it did."""

    def lines(self, now: Situation, width: int) -> list[Line]:
        """Return who serves, the actions, and the checks before them."""
        state = now.state
        views = of(state.actions, self.step_id)
        # While it moves the header tells; what to type is for when it stands still.
        moving = state.step(self.step_id).state is StepState.RUNNING and self.step_id is not StepId.WATCH
        stands = state.actions and (now.over or not moving)
        told = paragraph(serving(state).words, width, Tone.STRONG) if stands else []
        whole = downtime(state, self.step_id)
        if whole.seconds:
            text = (
                f"Nobody could write for {whole.seconds:.1f} s: {whole.ours:.1f} s ours, {whole.theirs:.1f} s its own."
            )
            told += paragraph(text, width)
        for trip in state.tripped:
            text = f"{trip.what.criterion}: {trip.what.found}; the limit is {trip.what.limit}. You decide: F8."
            told += paragraph(text, width, Tone.BAD)
        actions = [line for view in views for line in _action_lines(view, width, self.glyphs, now)]
        step = now.state.step(self.step_id)
        checks = super().lines(now, width) if step.checks or not actions else []
        parts = [part for part in (told, actions, checks) if part]
        return [line for place, part in enumerate(parts) for line in (*([()] if place else []), *part)]


def _action_lines(view: ActionView, width: int, glyphs: Glyphs, now: Situation) -> list[Line]:
    sign, word, tone = _SIGNS[view.state]
    if view.state is ActionState.RUNNING and now.over:
        word, tone = "cut off", Tone.BAD
    head = (f"{getattr(glyphs, sign)} {word:<{_WORD_CELLS}} ", tone)
    seconds = f"  {view.ended - view.started:.1f} s" if view.ended else ""
    lines = paragraph(f"{view.words}{seconds}", width, head=head)
    blank = (" " * len(head[0]), Tone.PLAIN)
    if view.summary:
        lines += paragraph(view.summary, width, Tone.DIM, head=blank)
    if view.problem is not None:
        lines += paragraph(f"{view.problem.what} {view.problem.why}", width, Tone.BAD, head=blank)
    return lines


class SwitchScreen(SteerScreen):
    """What a run's screen needs to switch over, to end the window, and to go back at any time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "switch", "Switch over, or end the rollback window", show=False),
        Binding("r,f8", "roll_back", "Roll back, or fall back", show=False),
    ]

    now: Situation
    offer: Offer | None
    folder: Path

    @abstractmethod
    def poll(self) -> None:
        """Read what is new and show what changed."""

    @abstractmethod
    def command(self, name: str, fields: Filled | None = None) -> None:
        """Give the live engine a command."""

    @abstractmethod
    def launch(self, launch: Callable[[Path], None]) -> None:
        """Start an engine on the run."""

    def switch_keys(self) -> list[tuple[str, str]]:
        """Return what the key does now, if anything."""
        if can_finish(self.now.state) and self.now.alive:
            return [("m", "end window")]
        return [("m", "switch over")] if can_switch(self.now) else []

    def action_switch(self) -> None:
        """Ask for the word, then switch over, or end the window."""
        if can_finish(self.now.state) and self.now.alive:
            self._ask("finish", "End the rollback window?", _FINISH_STORY, CONFIRM_FINISH)
        elif can_switch(self.now):
            self._ask("switch", "Switch the application over?", _SWITCH_STORY, CONFIRM_SWITCH)
        else:
            self.tell("Nothing can be switched now: a migration must have been verified first.", Tone.DIM)

    def action_roll_back(self) -> None:
        """Ask, then take back what the run did; once the new side may have writes, for the word of the fall-back."""
        if not self.now.can_roll_back:
            self.tell(f"{rollback_now(self.now).capitalize()}.", Tone.DIM)
            return
        if refusal(self.now.state, "rollback", "") is not None:
            self._ask("rollback", "Fall back to the old side?", rollback_story(self.now), CONFIRM_FALL_BACK)
            return
        choices = (Choice("n", "No, leave everything as it is"), Choice("y", "Yes, roll back"))
        question = Question("Roll back this run?", rollback_story(self.now), choices)
        self.app.push_screen(question, lambda key: self._roll_back() if key == "y" else None)

    def _roll_back(self) -> None:
        # The run may have ended while the question stood there.
        self.poll()
        if not self.now.over:
            self.command("rollback")
        elif self.offer:
            self.launch(self.offer.rollback)
        else:
            self.tell("To roll back, leave and run: zenni-tui rollback", Tone.WARN)

    def _ask(self, name: str, title: str, story: str, word: str) -> None:
        fields = (
            Field("word", f"type {word} to do it"),
            Field("by", "who decides", client.whoami()),
            Field("why", "why, for the report"),
        )
        form = Form(title, story, fields, judge=functools.partial(mistyped, word), deed="do it")
        self.app.push_screen(form, functools.partial(self._said, name))

    def _said(self, name: str, found: Filled | None) -> None:
        offer = self.offer
        if not found:
            return
        if not self.now.over:
            self.command(name, found)
        elif offer is None:
            self.tell(f"To do it, leave and run: zenni-tui {name}", Tone.WARN)
        elif name == "switch":
            self.launch(lambda folder: offer.switch(folder, found))
        else:
            self.launch(lambda folder: offer.rollback(folder, found))


def can_switch(now: Situation) -> bool:
    """Return whether a migration waits for its switch."""
    state = now.state
    free = now.over or (state.waiting is not None and state.waiting.step is StepId.SWITCH)
    ready = state.step(StepId.REPORT).state is StepState.DONE and now.written
    return free and ready and refusal(state, "switch", CONFIRM_SWITCH) is None


def can_finish(state: RunState) -> bool:
    """Return whether a rollback window is open."""
    return refusal(state, "finish", CONFIRM_FINISH) is None


def until(state: RunState, now: float) -> str:
    """Return for how long the window is meant to stay open still, empty when there is none."""
    if state.window is None:
        return ""
    left = state.window.deadline - now
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(state.window.deadline))
    return f"meant until {when}" if left > 0 else f"its time was over at {when}"


class WindowPanel(ActionsPanel):
    """The rollback window: who serves, until when it is meant to be open, how far the old file follows."""

    def lines(self, now: Situation, width: int) -> list[Line]:
        """Return the window's own lines before the rest."""
        step = now.state.step(self.step_id)
        told: list[Line] = []
        if now.state.window is not None and step.state is StepState.RUNNING:
            behind = step.total - step.done
            told += paragraph(f"{step.done:,} writes carried back, {behind:,} wait.", width)
            told += [*paragraph(f"The window is {until(now.state, now.now)}.", width), ()]
        return [*told, *super().lines(now, width)]
