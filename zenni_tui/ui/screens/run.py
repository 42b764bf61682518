"""The screen of one run: follows its journal, shows what the operator needs, sends the engine commands."""

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import ContentSwitcher

from zenni_tui.engine import client, folders
from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId
from zenni_tui.model.state import LogLine
from zenni_tui.ui.choosing import Changes
from zenni_tui.ui.offer import Offer
from zenni_tui.ui.safety import is_my_data_safe
from zenni_tui.ui.situation import Situation, problems, shown_step
from zenni_tui.ui.stories import RUN_KEYS, STEP_STORIES
from zenni_tui.ui.widgets.bars import Gate, KeyBar, Notice, RollbackBar, asked_for, go_word
from zenni_tui.ui.widgets.canvas import Scroll
from zenni_tui.ui.widgets.masthead import Masthead
from zenni_tui.ui.widgets.rail import Rail
from zenni_tui.ui.words import Line, Tone, hour, paragraph

from .audit import AuditPanel
from .checks import ChecksPanel
from .copy import CopyPanel
from .form import Field, Filled, Form, mistyped
from .modals import Choice, Question
from .panel import Filter, ListPanel, Panel
from .plan import PlanPanel
from .report import ReportPanel
from .switch import ActionsPanel, SwitchScreen, WindowPanel
from .verify import VerifyPanel

POLL_SECONDS = 0.4
Launch = Callable[[Path], None]
_START_SECONDS = 15.0
_ANSWERS: dict[str, type[e.Event] | tuple[type[e.Event], ...]] = {
    "start": e.RunStarted,
    "go": e.StepStarted,
    "rollback": (e.UndoStarted, e.Decided),
    "stop": e.StepStopped,
    "switch": e.Decided,
    "finish": e.StepDone,
}
_LOG_TONES = {"warning": Tone.WARN, "error": Tone.BAD}
_OWN_PANELS: dict[StepId, type[Panel]] = {
    StepId.AUDIT: AuditPanel,
    StepId.PLAN: PlanPanel,
    StepId.COPY: CopyPanel,
    StepId.VERIFY: VerifyPanel,
    StepId.REPORT: ReportPanel,
    StepId.SWITCH: ActionsPanel,
    StepId.WATCH: WindowPanel,
    StepId.FALL_BACK: ActionsPanel,
}


def panel_of(step: StepId) -> Panel:
    """Return a new panel for a step."""
    return _OWN_PANELS.get(step, ChecksPanel)(step)


class RunScreen(SwitchScreen):
    """Header, gate, rail and panel, log, the way back, keys; what is `known` at the start isn't told as a problem."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,g", "go", "Go on", show=False),
        Binding("left", "step(-1)", "Step before", show=False),
        Binding("right", "step(1)", "Step after", show=False),
        Binding("f", "follow", "Follow", show=False),
        Binding("s", "stop", "Stop", show=False),
        Binding("u,R", "resume", "Resume", show=False),
        Binding("k", "check_again", "Check again", show=False),
        Binding("l", "log", "Log", show=False),
        Binding("e", "last_problem", "Last problem", show=False),
        Binding("slash", "filter", "Filter", show=False),
        Binding("b", "back", "First screen", show=False),
    ]
    AUTO_FOCUS = ""
    KEYS = RUN_KEYS

    def __init__(self, folder: Path, offer: Offer | None = None, *, known: bool = False) -> None:
        super().__init__()
        self._known = known
        self.folder: Path = folder
        self.offer = offer
        self.follower = client.Follower(folder)
        self.now = Situation(folder, self.follower.state, alive=True, now=time.time())
        self.chosen: StepId | None = None
        self.last_problem: e.Problem | None = None
        self._seen: list[e.Problem] = []
        self._changes = Changes()
        self._asked = ""
        self._asked_at = 0.0
        self._opened = time.time()
        self._leaving = False

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Masthead()
        yield Gate()
        with Horizontal(id="body"):
            yield Rail()
            with ContentSwitcher(id="panels"):
                for step in StepId:
                    yield panel_of(step)
        yield Scroll(id="log")
        yield Notice()
        yield RollbackBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the run at once and go on looking, some times a second."""
        self.query_one(Notice).tell("")
        self.query_one("#log").display = False
        self.take_hand()
        self.poll()
        self._known = False
        self.set_interval(POLL_SECONDS, self.poll)

    @property
    def panel(self) -> Panel | None:
        """Return the panel on display."""
        return self.query_one(f"#panel-{self.shown}", Panel) if self.shown else None

    @property
    def shown(self) -> StepId | None:
        """Return the step on display."""
        return self.chosen or shown_step(self.now.state)

    def poll(self) -> None:
        """Read what is new and show what changed."""
        # The engine's life is looked at first: what a dead engine wrote has then been read for certain.
        alive = self.follower.alive
        try:
            entries = self.follower.poll()
        except (OSError, msgspec.MsgspecError) as error:
            where = str(self.folder / folders.EVENTS)
            self._raise(e.Problem("The run's journal can't be read.", where, str(error), "Look at the file."))
            return
        self._heard(entries, alive=alive)
        changed = self._changes.hear(entries)
        held = self.look_for_control()
        self.now = Situation(self.folder, self.follower.state, alive, time.time(), self._asked, changed, held)
        with self.app.batch_update():
            self.display_all()
        self._problems(entries)
        if any(isinstance(entry.what, e.PlanMade) for entry in entries):
            self.renew_views()
        if self._leaving and self.now.over:
            self.app.exit()

    def _heard(self, entries: Sequence[e.Entry], *, alive: bool) -> None:
        if any(isinstance(entry.what, e.RunStarted) for entry in entries):
            self._seen.clear()
        if not self._asked:
            return
        answered = any(isinstance(entry.what, _ANSWERS[self._asked]) for entry in entries)
        if answered or (self._asked != "start" and (self.follower.state.ended or not alive)):
            self._asked = ""
            self.tell("")
        elif self._asked == "start" and time.time() - self._asked_at > _START_SECONDS:
            self._asked = ""
            self._raise(self._no_engine())

    def display_all(self) -> None:
        """Hand the moment to every part that is in sight."""
        now, shown = self.now, self.shown
        self.query_one(Masthead).show(now)
        gate = self.query_one(Gate)
        if gate.has_focus and not asked_for(now):
            self.action_to_panel()
        asks = gate.show(now)
        self.set_class(gate.display, "-asked")
        self.query_one(Rail).show(now, shown)
        self.query_one(RollbackBar).show(now)
        self.query_one(KeyBar).show(self._keys())
        self._display_log()
        panel = self.panel
        if panel is None:
            return
        panel.show(now)
        switcher = self.query_one(ContentSwitcher)
        if switcher.current != panel.id:
            switcher.current = panel.id
            if not isinstance(self.focused, Rail | RollbackBar) and panel.keys_go_to:
                panel.keys_go_to.focus()
        if asks and self.chosen is None and not isinstance(self.focused, Filter):
            self.call_after_refresh(self.to_findings)

    def action_to_panel(self) -> None:
        """Give the keys to the panel on display."""
        if self.panel and self.panel.keys_go_to:
            self.panel.keys_go_to.focus()

    def _display_log(self) -> None:
        log = self.query_one("#log", Scroll)
        if not log.display:
            return
        said = self.now.state.lines
        at_end = log.is_vertical_scroll_end
        log.show(lambda width: [line for s in said for line in _log_lines(s, width)] or [(("No line yet.", Tone.DIM),)])
        if at_end:
            log.scroll_end(animate=False, immediate=True)

    def _keys(self) -> list[tuple[str, str]]:
        glyphs = self.query_one(KeyBar).glyphs
        now = self.now
        home = [("b", "start")] if self.offer else []
        keys = [("F1", "help"), *(home if now.over else [])]
        if now.state.waiting and now.alive and not now.asked:
            keys.append(("g", go_word(now)))
            keys += [("c", "choose"), ("x", "take back")] if isinstance(self.panel, AuditPanel) else []
        if isinstance(self.panel, PlanPanel):
            keys += [("d", "SQL"), *([("a", "application's changes")] if self.offer else [])]
        keys += self.switch_keys()
        if now.over and self.offer and any(f.chosen for f in now.state.findings):
            keys.append(("i", "keep choices"))
        if now.can_resume:
            keys.append(("u", "resume"))
        if self.chosen:
            keys.append(("f", "follow"))
        keys += [("q", "leave"), (glyphs.left_right, "step"), ("l", "log")]
        keys += [] if now.over else [("s", "stop"), ("p", "go on" if now.state.paused else "pause"), ("t", "speed")]
        keys += [("/", "filter")] if isinstance(self.panel, ListPanel) else []
        keys += [("e", "problem")] if self.last_problem else []
        tools = [("a", "tools")] if self.offer and not isinstance(self.panel, PlanPanel) else []
        return [*keys, *tools, ("^p", "more"), ("F2", "save"), *([] if now.over else home)]

    def _problems(self, entries: Sequence[e.Entry]) -> None:
        for problem in problems(entries, gated=self.now.state.gated):
            self._raise(problem)
        if self.now.interrupted:
            self._raise(self._dead_engine())
        elif not self.now.state.entries and not self.now.alive and time.time() - self._opened > _START_SECONDS:
            self._raise(self._no_engine())

    def _no_engine(self) -> e.Problem:
        why = "It ended before its first word; its log tells more."
        return e.Problem("The engine did not start.", str(self.folder), why, "Read the log, then try again.")

    def _dead_engine(self) -> e.Problem:
        what = f"The engine of this run is gone: it died without a last word at {shown_step(self.now.state)}."
        why = "It was killed, or the machine went down. What it finished is kept in checkpoints."
        way = "Press u to resume, or r to roll back."
        return e.Problem(what, str(self.folder), why, way)

    def _raise(self, problem: e.Problem) -> None:
        if problem in self._seen:
            return
        self._seen.append(problem)
        self.last_problem = problem
        if self._known:
            return
        self.problem(problem, is_my_data_safe(self.now)[0])

    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show one line that stays until the next."""
        self.query_one(Notice).tell(text, tone)

    def help_lines(self, width: int) -> list[Line]:
        """Return what the step on display does."""
        step = self.shown
        story = paragraph(STEP_STORIES[step], width, head=(f"{step}: ", Tone.STRONG)) if step else []
        own = self.panel.help_lines(width) if self.panel else []
        return [*story, *own, *paragraph(is_my_data_safe(self.now)[0], width, Tone.GOOD)]

    @on(Rail.Picked)
    def picked(self, message: Rail.Picked) -> None:
        """Look at another step."""
        self.action_step(message.by)

    def action_step(self, by: int) -> None:
        """Look at the step before or after."""
        steps = [s.id for s in self.now.state.steps]
        if self.shown in steps:
            self.chosen = steps[max(0, min(steps.index(self.shown) + by, len(steps) - 1))]
            self.display_all()

    def action_follow(self) -> None:
        """Show the running step again."""
        self.chosen = None
        panel = self.panel
        if isinstance(panel, ListPanel):
            panel.rows.touched = False
        self.display_all()

    def action_log(self) -> None:
        """Show or hide the log."""
        log = self.query_one("#log", Scroll)
        log.display = not log.display
        self._share_room()
        self._display_log()
        self.call_after_refresh(log.scroll_end, animate=False)

    def on_resize(self) -> None:
        """Give panels and log their room anew."""
        self._share_room()

    def _share_room(self) -> None:
        """Let the log take the panels' place where both have no room; a class would have every part styled anew."""
        tall = self.app.size.height >= self.VERTICAL_BREAKPOINTS[-1][0]
        self.query_one("#body").display = tall or not self.query_one("#log").display

    def action_filter(self) -> None:
        """Filter the list on display."""
        if isinstance(self.panel, ListPanel):
            self.chosen = self.shown
            self.panel.query_one(Filter).open()

    def action_last_problem(self) -> None:
        """Show the last problem again."""
        if self.last_problem:
            self.problem(self.last_problem, is_my_data_safe(self.now)[0])
        else:
            self.tell("No problem so far.", Tone.DIM)

    def action_go(self) -> None:
        """Let the engine go on past its question; one that wants a typed word asks for it first."""
        waiting = self.now.state.waiting
        if waiting is None or not self.now.alive or self._asked:
            return
        # Who gives the word wants to see what becomes of it.
        self.chosen = None
        if not waiting.word:
            self.command("go")
            return
        fields = (Field("word", f"type {waiting.word} to go on"), Field("why", "why, for the report"))
        judge = functools.partial(mistyped, waiting.word)
        form = Form(f"Go on with {waiting.step}?", waiting.question, fields, judge=judge, deed="go on")
        self.app.push_screen(form, self._confirmed)

    def _confirmed(self, found: Filled | None) -> None:
        if found:
            self.command("go", found)

    def action_stop(self) -> None:
        """Ask, then stop at a safe point."""
        if self.now.over:
            self.tell("Nothing is running.", Tone.DIM)
            return
        story = "The engine finishes the chunk in hand and ends. What is copied stays; resume goes on from there."
        choices = (Choice("n", "No, let it work"), Choice("y", "Yes, stop at a safe point"))
        question = Question("Stop this run?", story, choices)
        self.app.push_screen(question, lambda key: self._answered(key, lambda: self.command("stop")))

    def _answered(self, key: str | None, deed: Callable[[], object]) -> None:
        if key == "y":
            deed()

    def action_resume(self) -> None:
        """Launch an engine that goes on."""
        if not self.now.can_resume:
            self.tell("There is nothing to resume.", Tone.DIM)
        elif self.offer:
            self.launch(self.offer.resume)
        else:
            self.tell("To resume, leave and run: zenni-tui resume", Tone.WARN)

    def action_check_again(self) -> None:
        """Launch an engine that looks again at what stood in the way to the target."""
        if not self.now.can_resume:
            self.tell("Checks are looked at again when the engine has ended.", Tone.DIM)
        elif self.offer:
            self.launch(self.offer.check_again)
        else:
            self.tell("To check again, leave and run: zenni-tui check", Tone.WARN)

    def launch(self, launch: Launch) -> None:
        """Start an engine on the run."""
        self._launch(launch)

    @work
    async def _launch(self, launch: Launch) -> None:
        self._asked, self._asked_at = "start", time.time()
        if await self.ask_engine_room(lambda: launch(self.folder)):
            self._seen.clear()
        else:
            self._asked = ""

    def command(self, name: str, fields: Filled | None = None) -> None:
        """Give the live engine a command."""
        self._command(name, fields)

    @work
    async def _command(self, name: str, fields: Filled | None = None) -> None:
        before, self._asked = self._asked, name
        answer = await self.ask_engine_room(lambda: self.follower.send(name, **(fields or {})))
        if answer is None or not answer[0].ok:
            self._asked = before
        if answer is not None and (self._asked == name or not answer[0].ok):
            # Else its effect has been seen already, and the promise would stay for good.
            unheard = "The engine does not answer; if it has just ended, do that once more."
            message = answer[0].message if answer[0].heard else unheard
            self.tell(message, Tone.PLAIN if answer[0].ok else Tone.BAD)
        self.poll()

    def action_back(self) -> None:
        """Go to the first screen; the engine works on."""
        if self.offer:
            self.app.pop_screen()

    def action_leave(self) -> None:
        """Ask how to leave; a run that is over needs no question."""
        if self.now.over:
            self.app.exit()
            return
        story = "The engine works on by itself when this screen is closed; zenni-tui finds it again."
        choices = (
            Choice("n", "Stay here"),
            Choice("d", "Detach: leave, the run goes on"),
            Choice("s", "Stop, then leave"),
        )
        self.app.push_screen(Question("Leave?", story, choices), self._left)

    def _left(self, key: str | None) -> None:
        if key == "d":
            self.app.exit()
        elif key == "s":
            self._leaving = True
            self.command("stop")


def _log_lines(said: LogLine, width: int) -> list[Line]:
    tone = _LOG_TONES.get(said.level, Tone.PLAIN)
    head = f"{hour(said.at)} {said.level:<8}"
    return paragraph(said.text, width, tone, head=(head, tone if tone is not Tone.PLAIN else Tone.DIM))
