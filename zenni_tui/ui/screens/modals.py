"""What stands before a screen until it is answered: a question, a problem, the help."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from zenni_tui.engine import folders
from zenni_tui.model.events import Problem
from zenni_tui.ui import keep
from zenni_tui.ui.widgets.bars import Keys, keys_line
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Piece, Tone, fit, paragraph

from .box import Box


class Choice(NamedTuple):
    """One answer: its key and what it means."""

    key: str
    label: str


def _choice_cells(choice: Choice, _: Sequence[int]) -> Sequence[Line]:
    return (((f"[{choice.key}]", Tone.STRONG),), ((choice.label, Tone.PLAIN),))


class Question(Box[str]):
    """A question; the answer is a choice's key. The cursor stands on the first choice; Esc answers `safe`, or that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "keep", "Keep things as they are", show=False),
        Binding("enter", "take", "Choose", show=False),
    ]
    ABOUT = "A question: nothing happens until it is answered, and Esc gives the answer that changes nothing."
    KEYS = (
        ("Up, Down", "choose an answer"),
        ("Enter", "give it"),
        ("a letter in [ ]", "give that answer at once"),
        ("Esc", "change nothing"),
    )

    def __init__(self, title: str, story: str, choices: Sequence[Choice], *, safe: str = "") -> None:
        super().__init__()
        self._title = title
        self._story = story
        self.choices = choices
        self._safe = next((c for c in choices if c.key == safe), choices[0])

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box"):
            yield Text(id="story")
            yield Rows((Column("", 3), Column("", 10, most=90)), _choice_cells, id="choices")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the question with the cursor on the safe choice."""
        self.query_one("#story", Text).show(self._lines)
        rows = self.query_one(Rows)
        rows.show(self.choices)
        rows.focus()
        keys: Keys = (("Up/Down", "choose"), ("Enter", "do it"), ("Esc", self._safe.label.lower()))
        self.query_one("#how", Text).show(lambda width: [(), keys_line(keys, width)])

    def _lines(self, width: int) -> Iterable[Line]:
        story = [(), *paragraph(self._story, width)] if self._story else []
        return [*paragraph(self._title, width, Tone.STRONG), *story, ()]

    def on_key(self, event: events.Key) -> None:
        """Take a choice by its key."""
        if event.character in {c.key for c in self.choices}:
            event.stop()
            self.dismiss(event.character)

    def action_keep(self) -> None:
        """Answer with the safe choice."""
        self.dismiss(self._safe.key)

    def action_take(self) -> None:
        """Answer with the choice under the cursor."""
        choice = self.query_one(Rows).current
        if isinstance(choice, Choice):
            self.dismiss(choice.key)


def problem_lines(problem: Problem, folder: Path | None, width: int) -> list[Line]:
    """Return what, where, why, the next step, and the log's path."""
    parts = [
        ("what", problem.what, Tone.BAD),
        ("where", problem.where, Tone.PLAIN),
        ("why", problem.why, Tone.PLAIN),
        ("next step", problem.next_step, Tone.STRONG),
        ("log", str(folder / folders.ENGINE_LOG) if folder else "", Tone.PLAIN),
    ]
    lines: list[Line] = []
    for label, text, tone in parts:
        if text:
            lines += paragraph(text, width, tone, head=(fit(label, 11), Tone.DIM))
    return lines


def problem_text(problem: Problem, folder: Path | None) -> str:
    """Return a problem as plain text, to be copied and kept."""
    return "".join("".join(text for text, _ in line) + "\n" for line in problem_lines(problem, folder, 200))


class ProblemScreen(Box[None]):
    """A problem, on the screen until it is acknowledged."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,a", "acknowledge", "Understood", show=False),
        Binding("c", "copy", "Copy", show=False),
    ]
    ABOUT = "What went wrong, where, why, and what to do next. It is kept in the journal and the log as well."
    KEYS = (
        ("Enter, a", "understood: take it away; e on the run's screen brings it back"),
        ("c", "copy it, and write it to a file whose path is shown"),
        ("Up, Down", "read on"),
    )

    def __init__(self, problem: Problem, folder: Path | None, safe: str = "") -> None:
        super().__init__()
        self.problem = problem
        self._folder = folder
        self._safe = safe
        self._kept = ""

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box problem"):
            yield Scroll(id="story")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the problem."""
        self.query_one("#story", Scroll).show(self._lines)
        self.query_one("#story").focus()
        self._show_keys()

    def _lines(self, width: int) -> Iterable[Line]:
        head: Piece = (" PROBLEM ", Tone.LIVE)
        safe = [(), *paragraph(self._safe, width, Tone.GOOD)] if self._safe else []
        return [(head,), (), *problem_lines(self.problem, self._folder, width), *safe]

    def _show_keys(self) -> None:
        keys: Keys = (("Enter", "understood"), ("c", "copy and keep"))
        kept = self._kept
        self.query_one("#how", Text).show(
            lambda width: [(), *(paragraph(kept, width, Tone.DIM) if kept else []), keys_line(keys, width)]
        )

    def action_acknowledge(self) -> None:
        """Take the panel away; `e` brings it back."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copy the text through the terminal (OSC 52) and write it to a file, since terminals may ignore that."""
        text = problem_text(self.problem, self._folder)
        self.app.copy_to_clipboard(text)
        try:
            self._kept = f"Copied, and written to {keep.text(self._folder, 'problem', text)}"
        except OSError as error:
            self._kept = f"Copied; writing it to a file failed: {error}"
        self._show_keys()


class HelpScreen(ModalScreen[None]):
    """Help on what has the focus, then keys and words."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,f1,question_mark", "close", "Close", show=False)]

    def __init__(self, lines: Callable[[int], list[Line]]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box help"):
            yield Scroll(id="story")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the help."""
        self.query_one("#story", Scroll).show(self._lines)
        self.query_one("#story").focus()
        keys: Keys = (("Esc", "close"), ("Up/Down", "read on"))
        self.query_one("#how", Text).show(lambda width: [(), keys_line(keys, width)])

    def action_close(self) -> None:
        """Take the help away."""
        self.dismiss(None)
