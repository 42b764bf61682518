"""What the two full screens share: help, saving, problems, breakpoints."""

import asyncio
import functools
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from zenni_tui.errors import ZenniError
from zenni_tui.model.events import Problem
from zenni_tui.ui import keep
from zenni_tui.ui.stories import FOCUS_STORIES
from zenni_tui.ui.widgets.bars import Notice
from zenni_tui.ui.words import Line, Tone, paragraph

from .box import keys_and_words
from .modals import HelpScreen, ProblemScreen

T = TypeVar("T")


class Base(Screen[None]):
    """A full screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", show=False),
        Binding("f2,ctrl+s", "save", "Save this screen", show=False),
        Binding("q", "leave", "Leave", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-normal"), (104, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-middle"), (34, "-tall")]  # noqa: RUF012 - as above
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()

    folder: Path | None = None

    @functools.cached_property
    def _in_turn(self) -> asyncio.Lock:
        return asyncio.Lock()

    def _compositor_refresh(self) -> None:
        super()._compositor_refresh()
        if self is not self.app.screen:
            # Textual would draw all of a screen below a box again, once for every change of a line.
            self._repaint_required = False

    @abstractmethod
    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show one line that stays until the next."""

    @abstractmethod
    def help_lines(self, width: int) -> list[Line]:
        """Return help on the screen's own matter, before the keys."""

    @abstractmethod
    def action_leave(self) -> None:
        """Leave the screen."""

    def deeds(self) -> list[Binding]:
        """Return what keys of this screen do, for the list of commands."""
        declared = [b for kind in type(self).__mro__ if issubclass(kind, Base) for b in kind.__dict__["BINDINGS"]]
        return [b for b in declared if isinstance(b, Binding)]

    def action_help(self) -> None:
        """Show help on what has the focus."""
        focused = type(self.focused).__name__ if self.focused else ""
        own = FOCUS_STORIES.get(focused, "")

        def lines(width: int) -> list[Line]:
            head = paragraph(own, width, Tone.STRONG) if own else []
            return [*head, *self.help_lines(width), *keys_and_words(self.KEYS, width)]

        self.app.push_screen(HelpScreen(lines))

    def action_save(self) -> None:
        """Save the screen as SVG and text."""
        try:
            path = keep.screen(self.app, self.folder)
        except OSError as error:
            self.tell(f"The screen could not be saved: {error}", Tone.BAD)
        else:
            self.tell(f"Saved: {path} and .txt")

    def problem(self, problem: Problem, safe: str = "") -> None:
        """Show a problem until it is acknowledged."""
        self.app.push_screen(ProblemScreen(problem, self.folder, safe))

    async def ask_engine_room(self, work: Callable[[], T]) -> tuple[T] | None:
        """Do something that blocks for a moment in a thread; its error is shown as a problem, and None returned.

        None, too, for a screen that was left meanwhile.
        """
        try:
            # One after the other: of two commands the one given first must come first.
            async with self._in_turn:
                done = await asyncio.to_thread(work)
        except ZenniError as error:
            self.problem(error.problem)
        except OSError as error:
            self.problem(Problem("The engine could not be started.", why=str(error), next_step="Try again."))
        else:
            return None if self.gone else (done,)
        return None

    @property
    def gone(self) -> bool:
        """Return whether the screen was left meanwhile, so that it has no line left to tell anything in."""
        return not self.is_attached or not self.query(Notice)
