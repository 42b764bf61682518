"""The drills: which there are, how the last one went, and what the operator's job is before one begins."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from zenni_tui.model.drills import Drill
from zenni_tui.ui.training import Session, Training
from zenni_tui.ui.widgets.bars import KeyBar, Notice
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, paragraph

from .lessons import TrainingScreen
from .modals import Choice, Question

_FOOT = (("Enter", "begin"), ("Up/Down", "choose"), ("Esc", "back"), ("F1", "help"), ("q", "leave"), ("F2", "save"))
_INTRO = (
    "Each drill is a rehearsal on data of its own, into which something breaks. It ends with a score sheet. "
    "Nothing of yours is touched."
)
_RULES = (
    "Use the keys of every rehearsal. What others have to do, outside of this program, you ask for with F9. "
    "It is measured when you notice and what you do; more than one wrong command, and it is not passed."
)


class DrillsScreen(TrainingScreen):
    """All drills; `first` is begun at once."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "begin", "Begin", show=False)]
    KEYS = (
        ("Up, Down", "choose a drill"),
        ("Enter", "read what your job is, then begin"),
        ("Esc", "back to where you came from"),
        ("q", "leave the program"),
    )

    def __init__(self, training: Training, first: str = "") -> None:
        super().__init__(training)
        self._first = first
        self._held: dict[str, bool] = {}
        self._busy = False

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        yield Text(id="what", classes="title")
        yield Rows(
            (Column("drill", 16), Column("called", 20, most=50), Column("last time", 12)), self._cells, id="list"
        )
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the list."""
        self.head((("Drills", Tone.STRONG),))
        self.query_one("#what", Text).show(lambda width: paragraph(_INTRO, width))
        rows = self.query_one(Rows)
        rows.show(self.training.drills)
        rows.focus()
        self.query_one(KeyBar).show(_FOOT)
        self.tell("")
        for number, drill in enumerate(self.training.drills):
            if drill.name == self._first:
                rows.cursor = number
                self.call_after_refresh(self.action_begin)

    def on_screen_resume(self) -> None:
        """Look again how the drills went."""
        self._look()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        self._held = await asyncio.to_thread(self.training.held)
        if not self.gone:
            self.query_one(Rows).repaint()

    def _cells(self, drill: Drill, _: Sequence[int]) -> Sequence[Line]:
        word = {None: ("not yet", Tone.DIM), True: ("passed", Tone.GOOD), False: ("not passed", Tone.WARN)}
        return ((drill.name, Tone.STRONG),), ((drill.title, Tone.PLAIN),), (word[self._held.get(drill.name)],)

    def help_lines(self, width: int) -> list[Line]:
        """Return how a drill goes."""
        return paragraph(_RULES, width)

    def action_begin(self) -> None:
        """Tell the job of the drill under the cursor, then begin it."""
        drill = self.query_one(Rows).current
        if not isinstance(drill, Drill) or self._busy:
            return
        story = f"Your job: {drill.job}\n{drill.watch}\n\n{_RULES}"
        choices = (Choice("n", "Not now"), Choice("b", "Begin"))
        question = Question(f"Drill {drill.name}: {drill.title}", story, choices)
        self.app.push_screen(question, lambda key: self._answered(key, drill))

    def _answered(self, key: str | None, drill: Drill) -> None:
        if key == "b" and not self._busy:
            self._begin(drill)

    @work
    async def _begin(self, drill: Drill) -> None:
        self._busy = True
        self.tell("Making the range: a sample application and a PostgreSQL of its own ...", Tone.DIM)
        begun = await self.ask_engine_room(lambda: self.training.begin(drill.name))
        self._busy = False
        self.tell("")
        if begun:
            self._open(begun[0])

    def _open(self, session: Session) -> None:
        from .drill import DrillScreen  # noqa: PLC0415 - brings the whole screen of a run

        self.app.push_screen(DrillScreen(session))
