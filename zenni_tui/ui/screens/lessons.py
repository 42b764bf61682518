"""The lessons: which there are, their pages, their exercises."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from zenni_tui.model.lessons import Exercise, Lesson
from zenni_tui.ui.reading import page_lines
from zenni_tui.ui.training import Training
from zenni_tui.ui.widgets.bars import KeyBar, Notice
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, paragraph

from .base import Base

_FOOT = (("Enter", "open"), ("Up/Down", "choose"), ("Esc", "back"), ("F1", "help"), ("q", "leave"), ("F2", "save"))
_PAGE_FOOT = (("Right", "next page"), ("Left", "page before"), ("e", "exercises"), ("Esc", "back"), ("F1", "help"))
_INTRO = "Short pages, then exercises on a database of this machine that is made for you and taken away again."


class TrainingScreen(Base):
    """What the screens of training share: a head, one line that stays, keys, and the way back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", show=False)]

    def __init__(self, training: Training) -> None:
        super().__init__()
        self.training = training

    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show one line that stays until the next."""
        self.query_one(Notice).tell(text, tone)

    def head(self, *lines: Line) -> None:
        """Show what stands above everything."""
        self.query_one("#hello", Text).show(lambda _: lines)

    def action_back(self) -> None:
        """Go back to where this was opened from; where there is nothing, leave."""
        if len(self.app.screen_stack) > 2:  # noqa: PLR2004 - Textual's own blank screen, and this one
            self.app.pop_screen()
        else:
            self.app.exit()

    def action_leave(self) -> None:
        """Leave the program; nothing runs because of this screen."""
        self.app.exit()


def state_of(lesson: Lesson, done: frozenset[str]) -> tuple[str, Tone]:
    """Return how far a lesson is, in words."""
    count = sum(f"{lesson.name}/{e.name}" in done for e in lesson.exercises)
    if count == len(lesson.exercises):
        return "passed", Tone.GOOD
    return f"{count} of {len(lesson.exercises)} done", Tone.WARN if count else Tone.DIM


class LessonsScreen(TrainingScreen):
    """All lessons, with what was done of each."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open", show=False)]
    KEYS = (
        ("Up, Down", "choose a lesson"),
        ("Enter", "open it"),
        ("Esc", "back to where you came from"),
        ("q", "leave the program"),
    )

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        yield Text(id="what", classes="title")
        yield Rows(
            (Column("lesson", 10), Column("about", 30, most=60), Column("exercises", 12)), self._cells, id="list"
        )
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the list."""
        self._done: frozenset[str] = frozenset()
        self.head((("Lessons", Tone.STRONG),))
        self.query_one("#what", Text).show(lambda width: paragraph(_INTRO, width))
        self.query_one(Rows).show(self.training.lessons)
        self.query_one(Rows).focus()
        self.query_one(KeyBar).show(_FOOT)
        self.tell("")

    def on_screen_resume(self) -> None:
        """Look again what was done."""
        self._look()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        self._done = await asyncio.to_thread(self.training.done)
        if not self.gone:
            self.query_one(Rows).repaint()

    def _cells(self, lesson: Lesson, _: Sequence[int]) -> Sequence[Line]:
        return ((lesson.name, Tone.STRONG),), ((lesson.title, Tone.PLAIN),), (state_of(lesson, self._done),)

    def help_lines(self, width: int) -> list[Line]:
        """Return how lessons go."""
        return paragraph("A lesson is passed when each of its exercises was done without its solution shown.", width)

    def action_open(self) -> None:
        """Open the lesson under the cursor."""
        lesson = self.query_one(Rows).current
        if isinstance(lesson, Lesson):
            self.app.push_screen(LessonScreen(self.training, lesson))


class LessonScreen(TrainingScreen):
    """One lesson: a page at a time, its exercises after the last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next page", show=False),
        Binding("left", "turn(-1)", "Page before", show=False),
        Binding("e", "exercises", "Exercises", show=False),
        Binding("enter", "enter", "Next page, or begin the exercise", show=False),
    ]
    KEYS = (
        ("Right, Space", "the next page; after the last one come the exercises"),
        ("Left", "the page before"),
        ("Up, Down, PgUp, PgDn", "move a page that is longer than the screen"),
        ("e", "the exercises at once"),
        ("Enter", "the next page; in the list of exercises: begin"),
        ("Esc", "back to the lessons"),
    )

    def __init__(self, training: Training, lesson: Lesson) -> None:
        super().__init__(training)
        self.lesson = lesson
        self.page = 0
        self._done: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        yield Scroll(id="page")
        yield Rows((Column("exercise", 12), Column("about", 30, most=60), Column("", 8)), self._cells, id="exercises")
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the first page."""
        self.query_one(Rows).show(self.lesson.exercises)
        self.tell("")
        self._show()

    def on_screen_resume(self) -> None:
        """Look again what was done."""
        self._look()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        self._done = await asyncio.to_thread(self.training.done)
        if not self.gone:
            self.query_one(Rows).repaint()

    def _cells(self, exercise: Exercise, _: Sequence[int]) -> Sequence[Line]:
        done = f"{self.lesson.name}/{exercise.name}" in self._done
        word = ("done", Tone.GOOD) if done else ("to do", Tone.DIM)
        return ((exercise.name, Tone.STRONG),), ((exercise.title, Tone.PLAIN),), (word,)

    def _show(self) -> None:
        pages = self.lesson.pages
        reading = self.page < len(pages)
        where = f"page {self.page + 1} of {len(pages)}" if reading else "exercises"
        self.head(((self.lesson.title, Tone.STRONG), (f"  {where}", Tone.DIM)))
        text, rows = self.query_one("#page", Scroll), self.query_one(Rows)
        text.display, rows.display = reading, not reading
        if reading:
            page = pages[self.page]
            text.show(lambda width: [((page.title, Tone.STRONG),), (), *page_lines(page, width)])
            text.scroll_home(animate=False, immediate=True)
            text.focus()
        else:
            rows.focus()
        self.query_one(KeyBar).show(_PAGE_FOOT if reading else (("Enter", "begin"), ("Left", "pages"), *_FOOT[1:]))

    def help_lines(self, width: int) -> list[Line]:
        """Return how a lesson goes."""
        return paragraph("Read the pages, then do the exercises: they are looked at in the database itself.", width)

    def action_turn(self, by: int) -> None:
        """Go a page on or back."""
        self.page = max(0, min(self.page + by, len(self.lesson.pages)))
        self._show()

    def action_exercises(self) -> None:
        """Go to the exercises."""
        self.page = len(self.lesson.pages)
        self._show()

    def action_enter(self) -> None:
        """Go a page on, or begin the exercise under the cursor."""
        exercise = self.query_one(Rows).current
        if self.page < len(self.lesson.pages):
            self.action_turn(1)
        elif isinstance(exercise, Exercise):
            from .exercise import ExerciseScreen  # noqa: PLC0415 - it imports what stands here

            self.app.push_screen(ExerciseScreen(self.training, self.lesson, exercise))
