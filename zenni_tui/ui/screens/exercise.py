"""One exercise: its task, a prompt for SQL, the database's answers, and the look whether it is done."""

import asyncio
from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from zenni_tui.model.lessons import Answer, Exercise, Lesson
from zenni_tui.ui.reading import answer_lines
from zenni_tui.ui.training import Room, Training
from zenni_tui.ui.widgets.bars import KeyBar, Notice
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.words import Line, Tone, paragraph

from .lessons import TrainingScreen

T = TypeVar("T")
_KEPT_ANSWERS = 20
_FOOT = (
    ("Enter", "run"),
    ("F5", "check"),
    ("F3", "hint"),
    ("F4", "solution"),
    ("F6", "anew"),
    ("F7", "psql"),
    ("Esc", "back"),
    ("F1", "help"),
)


class ExerciseScreen(TrainingScreen):
    """The prompt has the keys; everything else is done by function keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "hint", "Hint", show=False),
        Binding("f4", "solution", "Solution", show=False),
        Binding("f5", "check", "Check", show=False),
        Binding("f6", "anew", "Begin anew, with other data", show=False),
        Binding("f7", "way_in", "How to use psql instead", show=False),
        Binding("up", "recall(-1)", "Line before", show=False),
        Binding("down", "recall(1)", "Line after", show=False),
        Binding("pageup", "page(-1)", "Answers before", show=False),
        Binding("pagedown", "page(1)", "Answers after", show=False),
    ]
    KEYS = (
        ("Enter", "run the line: SQL, or pg_restore, pg_dump, psql with arguments"),
        ("F5", "look whether the exercise is done"),
        ("F3", "a hint"),
        ("F4", "a solution; doing it counts only in the next try"),
        ("F6", "begin anew, with other data"),
        ("F7", "the line that opens psql on this database in another terminal"),
        ("Up, Down", "the lines typed before"),
        ("PgUp, PgDn", "move in the answers"),
        ("Esc", "back to the lesson; the database is taken away"),
    )

    def __init__(self, training: Training, lesson: Lesson, exercise: Exercise) -> None:
        super().__init__(training)
        self.lesson = lesson
        self.exercise = exercise
        self.room: Room | None = None
        self._answers: list[tuple[str, Answer]] = []
        self._typed: list[str] = []
        self._place = 0
        self._busy = False

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        yield Text(id="task")
        yield Scroll(id="answers")
        yield Notice()
        yield Input(placeholder="SQL; Enter runs it", compact=True, id="prompt", disabled=True)
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin the first try."""
        number = self.lesson.exercises.index(self.exercise) + 1
        where = f"exercise {number} of {len(self.lesson.exercises)}, {self.lesson.name}"
        title = (f"{self.exercise.title}  ", Tone.STRONG)
        self.query_one("#hello", Text).show(lambda width: paragraph(where, width, Tone.DIM, head=title))
        self.query_one(Input).cursor_blink = False
        # The prompt keeps the keys; PgUp and PgDn move the answers from there.
        self.query_one(Scroll).can_focus = False
        self.query_one(KeyBar).show(_FOOT)
        self.action_anew()

    async def on_unmount(self) -> None:
        """Take the database away."""
        if self.room is not None:
            await asyncio.to_thread(self.room.close)

    def help_lines(self, width: int) -> list[Line]:
        """Return what an exercise is."""
        story = (
            "The database is your own, and you are its owner, but no superuser. A transaction lasts from line to line. "
            "Results are cut after a hundred rows, statements after fifteen seconds."
        )
        return paragraph(story, width)

    @work
    async def action_anew(self) -> None:
        """Begin a try with data of its own."""
        if self._busy:
            return
        self.tell("Preparing a database ...", Tone.DIM)
        self.query_one(Input).disabled = True
        before, self.room = self.room, None
        if before is not None:
            await self._do(before.close)
        entered = await self._do(lambda: self.training.enter(self.lesson.name, self.exercise.name))
        if entered is None:
            self.tell("There is no database; F6 tries again.", Tone.BAD)
            return
        self.room = entered[0]
        self._begin(self.room.exercise.task.strip())

    def _begin(self, task: str) -> None:
        self._answers.clear()
        self.query_one("#task", Text).show(lambda width: [(), *paragraph(task, width), ()])
        self._show_answers()
        self.tell("")
        prompt = self.query_one(Input)
        prompt.disabled = False
        prompt.focus()

    async def _do(self, deed: Callable[[], T]) -> tuple[T] | None:
        self._busy = True
        try:
            return await self.ask_engine_room(deed)
        finally:
            self._busy = False

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        line = message.value.strip()
        if line and self.room is not None and not self._busy:
            message.input.clear()
            self._typed = [*(t for t in self._typed if t != line), line]
            self._place = len(self._typed)
            self._run(self.room, line)

    @work
    async def _run(self, room: Room, line: str) -> None:
        self.tell("Running ...", Tone.DIM)
        answered = await self._do(lambda: room.run(line))
        self.tell("")
        if answered:
            self._answers = [*self._answers, (line, answered[0])][-_KEPT_ANSWERS:]
            self._show_answers()

    def _show_answers(self) -> None:
        answers, view = tuple(self._answers), self.query_one("#answers", Scroll)
        glyphs = view.glyphs
        view.show(lambda width: [piece for line, a in answers for piece in answer_lines(line, a, width, glyphs)])
        self.call_after_refresh(view.scroll_end, animate=False)

    @work
    async def action_check(self) -> None:
        """Look whether the exercise is done."""
        if self.room is None or self._busy:
            return
        self.tell("Looking ...", Tone.DIM)
        checked = await self._do(self.room.check)
        if checked is None:
            self.tell("")
            return
        found = checked[0]
        self.tell(found.story, Tone.GOOD if found.counts else Tone.WARN)

    def action_hint(self) -> None:
        """Show the hint."""
        if self.room is not None:
            self.tell(self.room.exercise.hint)

    def action_solution(self) -> None:
        """Show a solution."""
        if self.room is not None and not self._busy:
            self.tell(self.room.solution().strip())

    def action_way_in(self) -> None:
        """Show the line that opens psql."""
        if self.room is not None:
            self.tell(self.room.way_in)

    def action_recall(self, by: int) -> None:
        """Put a line typed before into the prompt."""
        self._place = max(0, min(self._place + by, len(self._typed)))
        prompt = self.query_one(Input)
        prompt.value = self._typed[self._place] if self._place < len(self._typed) else ""
        prompt.cursor_position = len(prompt.value)

    def action_page(self, by: int) -> None:
        """Move in the answers."""
        view = self.query_one("#answers", Scroll)
        view.scroll_relative(y=by * max(1, view.size.height - 1), animate=False)
