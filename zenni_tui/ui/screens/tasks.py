"""The customer's plan on one screen: its tasks, its timeline, its risks, and a person's signature."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from zenni_tui.engine import client, tasks
from zenni_tui.model.roadmap import PHASES, RISKS
from zenni_tui.model.tasks import Phase, Risk, TaskState, TaskView
from zenni_tui.ui.offer import Offer
from zenni_tui.ui.stories import TASK_KEYS
from zenni_tui.ui.widgets.bars import KeyBar, Notice
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, fit, paragraph

from .base import Base
from .form import Field, Filled, Form

TONES = {
    TaskState.DONE: Tone.GOOD,
    TaskState.FAILED: Tone.BAD,
    TaskState.LATE: Tone.BAD,
    TaskState.OPEN: Tone.PLAIN,
    TaskState.BLOCKED: Tone.DIM,
    TaskState.NOT_NEEDED: Tone.DIM,
}
_FOOT = (("F1", "help"), ("s", "sign off"), ("v", "tasks, timeline, risks"), ("b", "back"), ("q", "leave"))
_MOST_DAYS = 400


class PhaseRow(NamedTuple):
    """A phase with its tasks."""

    phase: Phase
    tasks: tuple[TaskView, ...]


class RiskRow(NamedTuple):
    """One mitigation of a risk, with the tasks that carry it."""

    risk: Risk
    words: str
    tasks: tuple[TaskView, ...]


def _task_cells(view: TaskView, _: Sequence[int]) -> Sequence[Line]:
    return (
        ((view.task.id, Tone.STRONG),),
        ((view.state, TONES[view.state]),),
        ((view.task.words, Tone.PLAIN),),
        ((view.owner or ("you" if view.task.manual else ""), Tone.DIM),),
        ((view.due.isoformat() if view.due else "", Tone.DIM),),
    )


def _worst(views: Sequence[TaskView]) -> TaskState:
    for state in (TaskState.FAILED, TaskState.LATE, TaskState.OPEN, TaskState.BLOCKED, TaskState.DONE):
        if any(v.state is state for v in views):
            return state
    return TaskState.NOT_NEEDED


def _risk_cells(row: RiskRow, _: Sequence[int]) -> Sequence[Line]:
    worst = _worst(row.tasks)
    return (
        ((row.risk.words, Tone.PLAIN),),
        ((f"{row.risk.probability}/{row.risk.impact}", Tone.DIM),),
        ((row.words, Tone.PLAIN),),
        ((worst, TONES[worst]),),
    )


_LISTS: dict[str, tuple[tuple[Column, ...], Any]] = {
    "tasks": (
        (
            Column("", 3),
            Column("state", 10),
            Column("task", 30, most=90),
            Column("owner", 10, need=72),
            Column("due", 10, need=72),
        ),
        _task_cells,
    ),
    "risks": (
        (
            Column("risk", 22, most=40),
            Column("prob./impact", 13),
            Column("mitigation", 16, most=40),
            Column("state", 10),
        ),
        _risk_cells,
    ),
}


class TasksScreen(Base):
    """Every task of the plan; `v` turns to the timeline and the risks, `s` signs off."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "turn", "Tasks, timeline, risks", show=False),
        Binding("s,enter", "sign", "Sign off", show=False),
        Binding("b,escape", "back", "First screen", show=False),
    ]
    KEYS = TASK_KEYS

    def __init__(self, offer: Offer) -> None:
        super().__init__()
        self.offer = offer
        self._views: tuple[TaskView, ...] = ()
        self._page = "tasks"

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        for name, (columns, cells) in _LISTS.items():
            yield Rows(columns, cells, empty="Looking ...", id=name)
        yield Rows((Column("phase", 24), Column("days", 20, most=160)), self._phase_cells, id="timeline")
        yield Text(classes="detail", id="about")
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the tasks."""
        self.query_one(KeyBar).show(_FOOT)
        self.query_one(Notice).tell("")
        self._turn_to("tasks")
        self._look()

    @work(exclusive=True)
    async def _look(self) -> None:
        found = await self.ask_engine_room(lambda: tasks.standing(self.offer.source, self.offer.timeline))
        if found is None:
            return
        (self._views,) = found
        by_id = {v.task.id: v for v in self._views}
        self.query_one("#tasks", Rows).show(self._views)
        phases = [PhaseRow(p, tuple(v for v in self._views if v.task.phase == p.id)) for p in PHASES]
        self.query_one("#timeline", Rows).show(phases)
        risks = [RiskRow(r, w, tuple(by_id[t] for t in ts)) for r in RISKS for w, ts in r.mitigations.items()]
        self.query_one("#risks", Rows).show(risks)
        self.query_one("#hello", Text).show(self._hello)
        self._about()

    def _hello(self, width: int) -> list[Line]:
        count = {state: sum(v.state is state for v in self._views) for state in TaskState}
        parts = [(f"{number} {state}  ", TONES[state]) for state, number in count.items() if number]
        return [(("The plan  ", Tone.STRONG), *parts)] if width else []

    def _phase_cells(self, row: PhaseRow, widths: Sequence[int]) -> Sequence[Line]:
        worst = _worst(row.tasks)
        done = sum(v.state is TaskState.DONE for v in row.tasks)
        room = widths[1] if len(widths) > 1 else 0
        tail = f" {done}/{len(row.tasks)}"
        name = ((f"{row.phase.id} {row.phase.name}", TONES[worst]),)
        return name, (*self._span(row, room - len(tail)), (tail, Tone.STRONG))

    def _span(self, row: PhaseRow, width: int) -> Line:
        """Return a phase's days as a bar between the plan's first and last day, with a mark for today."""
        begins, due = row.tasks[0].begins, row.tasks[0].due
        glyphs = self.query_one("#hello", Text).glyphs
        if begins is None or due is None:
            return ((fit(f"{row.phase.days} days; no date yet: [timeline] start", width, glyphs), Tone.DIM),)
        first = min(v.begins for v in self._views if v.begins)
        last = max(v.due for v in self._views if v.due)
        days = min(_MOST_DAYS, (last - first).days + 1)
        today = datetime.now(UTC).date()
        cells = []
        for cell in range(max(width, 0)):
            at, until = (first + timedelta(days=n * days // width) for n in (cell, cell + 1))
            inside = at <= due and max(until, at + timedelta(days=1)) > begins
            now = at <= today < max(until, at + timedelta(days=1))
            cells.append(glyphs.divider if now else glyphs.full if inside else " ")
        return (("".join(cells), TONES[_worst(row.tasks)]),)

    def _turn_to(self, page: str) -> None:
        self._page = page
        for name in ("tasks", "timeline", "risks"):
            self.query_one(f"#{name}", Rows).display = name == page
        self.query_one(f"#{page}", Rows).focus()
        self._about()

    def action_turn(self) -> None:
        """Turn to the next page."""
        pages = ("tasks", "timeline", "risks")
        self._turn_to(pages[(pages.index(self._page) + 1) % len(pages)])

    def on_rows_moved(self, _: Rows.Moved) -> None:
        """Tell about what the cursor stands on."""
        self._about()

    def _about(self) -> None:
        self.query_one("#about", Text).show(self._lines)

    def _lines(self, width: int) -> list[Line]:
        item = self.query_one(f"#{self._page}", Rows).current
        if isinstance(item, TaskView):
            return task_lines(item, width)
        if isinstance(item, PhaseRow):
            after = f"after {', '.join(item.phase.after)}" if item.phase.after else "first"
            open_ones = ", ".join(v.task.id for v in item.tasks if v.state is not TaskState.DONE)
            begins, due = item.tasks[0].begins, item.tasks[0].due
            when = f"{begins} to {due}, {after}" if begins else f"{item.phase.days} days, {after}"
            return [
                ((item.phase.name, Tone.STRONG), (f"  {when}", Tone.DIM)),
                *paragraph(f"not done: {open_ones}", width),
            ]
        if isinstance(item, RiskRow):
            lines = paragraph(f"{item.risk.words}: {item.words}", width, Tone.STRONG)
            for view in item.tasks:
                lines += paragraph(view.task.words, width, head=(f"{view.task.id} {view.state}: ", TONES[view.state]))
            return lines
        return []

    def action_sign(self) -> None:
        """Ask for name and note, and sign the task under the cursor off."""
        item = self.query_one("#tasks", Rows).current
        if self._page != "tasks" or not isinstance(item, TaskView):
            return
        if not item.task.manual:
            self.tell(f"{item.task.id} needs no signature: {', '.join(item.task.carriers)} carries it.", Tone.DIM)
            return
        fields = (Field("by", "your name", client.whoami().split()[0]), Field("note", "what was done, for the report"))
        form = Form(f"Sign off {item.task.id}?", item.task.words, fields, judge=_nameless, deed="sign", first="note")
        self.app.push_screen(form, lambda found: self._filled(item, found))

    def _filled(self, view: TaskView, found: Filled | None) -> None:
        if found is not None:
            self._sign(view, found)

    @work
    async def _sign(self, view: TaskView, found: Filled) -> None:
        source = self.offer.source
        if await self.ask_engine_room(lambda: tasks.sign(source, view.task.id, found["by"], found["note"])):
            self.tell(f"{view.task.id} is signed by {found['by']}.", Tone.GOOD)
            self._look()

    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show one line that stays until the next."""
        self.query_one(Notice).tell(text, tone)

    def help_lines(self, width: int) -> list[Line]:
        """Return what this screen is for."""
        story = (
            "Every line of the migration plan, from the first week to the last day. What the program does leaves its "
            "evidence by itself; what a person must do is signed off here, with a name and a note for the report."
        )
        return paragraph(story, width)

    def action_back(self) -> None:
        """Go back to the first screen."""
        self.dismiss()

    def action_leave(self) -> None:
        """Leave; nothing runs because of this screen."""
        self.app.exit()


def _nameless(found: Filled) -> str:
    return "" if found["by"] else "A sign-off needs a name."


def task_lines(view: TaskView, width: int) -> list[Line]:
    """Return a task whole: what carries it, and what each has shown."""
    lines: list[Line] = [((view.task.id, Tone.STRONG), (f"  {view.task.group}", Tone.DIM))]
    lines += paragraph(view.task.words, width, Tone.STRONG)
    for carrier, evidence in view.evidence.items():
        moment = datetime.fromtimestamp(evidence.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        tone = Tone.GOOD if evidence.ok else Tone.BAD
        words = " ".join(filter(None, (moment, evidence.where, evidence.found)))
        lines += paragraph(words, width, head=(f"{carrier}: ", tone))
    for carrier in view.missing:
        lines += paragraph("nothing yet", width, Tone.DIM, head=(f"{carrier}: ", Tone.WARN))
    return lines
