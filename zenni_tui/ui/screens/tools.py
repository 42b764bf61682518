"""The tools: what else can be done about a run, one line each, and the paper that each returns."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from zenni_tui.errors import ZenniError
from zenni_tui.model.events import Problem
from zenni_tui.ui.stories import TOOL_KEYS
from zenni_tui.ui.tools import Paper, Tool
from zenni_tui.ui.widgets.bars import KeyBar, Keys, Notice, keys_line
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, elide, paragraph, preformatted

from .base import Base
from .box import Box
from .modals import Choice, Question

_FOOT = (("Enter", "do it"), ("Up/Down", "choose"), ("F1", "help"), ("b", "back"), ("q", "leave"), ("F2", "save"))
_COLUMNS = (Column("", 10), Column("", 20, most=160))


def _cells(tool: Tool, _: Sequence[int]) -> Sequence[Line]:
    return ((tool.name, Tone.STRONG),), ((tool.story, Tone.DIM),)


class ToolsScreen(Base):
    """The list; Enter does what the cursor stands on, for the run in `folder`; `started` follows an engine begun."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Do it", show=False),
        Binding("b,escape", "back", "Back", show=False),
    ]
    KEYS = TOOL_KEYS

    def __init__(self, tools: Sequence[Tool], folder: Path, started: Callable[[], object]) -> None:
        super().__init__()
        self.folder: Path = folder
        self._tools = tools
        self._started = started
        self._busy = ""

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        yield Rows(_COLUMNS, _cells, id="list")
        yield Text(classes="detail", id="about")
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the list."""
        self.query_one("#hello", Text).show(self._hello)
        self.query_one("#about", Text).show(self._about)
        rows = self.query_one(Rows)
        rows.show(self._tools)
        rows.focus()
        self.query_one(KeyBar).show(_FOOT)
        self.tell("")

    def _hello(self, width: int) -> list[Line]:
        glyphs = self.query_one(KeyBar).glyphs
        return [(("Tools", Tone.STRONG), (elide(f"  for {self.folder.name}", width - 5, glyphs), Tone.DIM))]

    def _about(self, width: int) -> list[Line]:
        tool = self.query_one(Rows).current
        return paragraph(f"{tool.story}. {tool.asks}", width) if isinstance(tool, Tool) else []

    def on_rows_moved(self, _: Rows.Moved) -> None:
        """Tell about what the cursor stands on."""
        self.query_one("#about", Text).repaint()

    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show one line that stays until the next."""
        self.query_one(Notice).tell(text, tone)

    def help_lines(self, width: int) -> list[Line]:
        """Return what the tools are."""
        story = (
            "Each does one thing for the run that is named above, and shows what came of it; what it writes lies in "
            "the run's folder, unless it says otherwise. On the command line each is a verb of the same name."
        )
        return paragraph(story, width)

    def action_take(self) -> None:
        """Do what the cursor stands on; what takes long or writes to the target is asked for."""
        tool = self.query_one(Rows).current
        if self._busy:
            self.tell(f"One thing at a time: {self._busy} is not done yet.", Tone.WARN)
        elif isinstance(tool, Tool) and tool.asks:
            choices = (Choice("n", "Not now"), Choice("y", "Do it"))
            question = Question(f"{tool.name.capitalize()}?", tool.asks, choices)
            self._ask(question, lambda: self._begin(tool))
        elif isinstance(tool, Tool):
            self._begin(tool)

    @work
    async def _begin(self, tool: Tool) -> None:
        self._busy = tool.name
        self.tell(f"{tool.name}: at work ...", Tone.BUSY)
        try:
            paper = await asyncio.wrap_future(beside(lambda: tool.does(self.folder)))
        except (ZenniError, OSError) as error:
            if not self.gone:
                self.tell(f"Not done: {tool.name}.", Tone.BAD)
                self.problem(_problem(tool, error))
            return
        finally:
            self._busy = ""
        if self.gone:
            return
        self.tell("")
        if paper is None:
            self._to_the_run()
        else:
            self.app.push_screen(PaperScreen(tool.name, paper))

    def _to_the_run(self) -> None:
        if self.is_current:
            self.dismiss()
            self._started()

    def action_back(self) -> None:
        """Go back to where this was opened from."""
        self._unless_busy(self.dismiss)

    def action_leave(self) -> None:
        """Leave; only a tool at work needs a question."""
        self._unless_busy(self.app.exit)

    def _unless_busy(self, deed: Callable[[], object]) -> None:
        if not self._busy:
            deed()
            return
        story = f"{self._busy} is still at work; what it has done so far would be of no use."
        choices = (Choice("n", "Stay until it is done"), Choice("y", "Leave all the same"))
        self._ask(Question("Leave?", story, choices), deed)

    def _ask(self, question: Question, deed: Callable[[], object]) -> None:
        def answered(key: str | None) -> None:
            if key == "y":
                deed()

        self.app.push_screen(question, answered)


def beside(work: Callable[[], Paper | None]) -> Future[Paper | None]:
    """Begin something in a thread that the program's end does not wait for."""
    future: Future[Paper | None] = Future()
    # From now on whoever stops waiting for it leaves it as it is.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="tool").start()
    return future


def _problem(tool: Tool, error: ZenniError | OSError) -> Problem:
    if isinstance(error, ZenniError):
        return error.problem
    return Problem(f"{tool.name} could not be done.", why=str(error), next_step="Mend that, then try again.")


class PaperScreen(Box[None]):
    """What a tool found, to be read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,b,q", "close", "Close", show=False)]
    ABOUT = "What a tool found. The lines at its top tell where it was written, and what comes next."
    KEYS = (("Up, Down, PgUp, PgDn", "read; Home and End jump"), ("Esc, Enter", "back to the tools"))

    def __init__(self, name: str, paper: Paper) -> None:
        super().__init__()
        self._title = name
        self._paper = paper

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box full"):
            yield Text(id="story")
            yield Scroll(id="paper")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the paper."""
        self.query_one("#story", Text).show(self._head)
        self.query_one("#paper", Scroll).show(lambda width: preformatted(self._paper.text, width))
        self.query_one("#paper").focus()
        keys: Keys = (("Up/Down, PgUp/PgDn", "read"), ("Home/End", "jump"), ("Esc", "close"))
        self.query_one("#how", Text).show(lambda width: [keys_line(keys, width)])

    def _head(self, width: int) -> list[Line]:
        paper = self._paper
        lines: list[Line] = [((self._title.capitalize(), Tone.STRONG),)]
        lines += paragraph(paper.where, width, head=("written to ", Tone.DIM)) if paper.where else []
        return [*lines, *(paragraph(paper.next_step, width, head=("next ", Tone.DIM)) if paper.next_step else [])]

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
