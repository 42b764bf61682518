"""A step's panel: its name, what it is for, how it goes; the body is each step's own."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.model.state import StepView
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.stories import STEP_STORIES
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.widgets.rail import step_word, waits
from zenni_tui.ui.widgets.rows import Rows
from zenni_tui.ui.words import Glyphs, Line, Tone, bar, clock, count, fit, paragraph, percent, size

_NAME_CELLS = 20
_NAME_FROM = 52
_LABEL_CELLS = 10
_MOST_BAR = 60


def title_lines(step: StepView, now: Situation, width: int) -> list[Line]:
    """Return the panel's first lines: the step, its state, how long, what for, and how it ended."""
    word, tone = step_word(step, now)
    seconds = step.seconds
    if step.state is StepState.RUNNING and now.alive:
        seconds += max(0.0, now.now - step.started)
    time = f"  {clock(seconds)}" if seconds else ""
    lines: list[Line] = [((step.id, Tone.STRONG), (f"  {word}", tone), (time, Tone.DIM))]
    # While the engine waits its question takes the room.
    if width >= _NAME_FROM and now.state.waiting is None:
        lines += paragraph(STEP_STORIES[step.id], width, Tone.DIM)
    if step.problem and not waits(step, now):
        lines += paragraph(step.problem.what, width, Tone.BAD)
    elif step.state is StepState.UNDONE and step.note:
        lines += paragraph(step.note, width, Tone.WARN)
    elif step.summary and now.state.waiting is None:
        lines += paragraph(step.summary, width, Tone.GOOD)
    return lines


def bar_line(label: str, fraction: float, width: int, glyphs: Glyphs, *, proven: bool, tail: str = "") -> Line:
    """Return a labelled bar; `tail` stands behind it."""
    cells = min(_MOST_BAR, width - _LABEL_CELLS - len(tail) - 1)
    full, empty = bar(fraction, max(cells, 4), glyphs, proven=proven)
    return (
        (fit(label, _LABEL_CELLS), Tone.DIM),
        (full, Tone.GOOD if proven else Tone.BUSY),
        (empty, Tone.DIM),
        (f" {tail}", Tone.STRONG),
    )


def figure(number: int, unit: str) -> str:
    """Return a figure of a step's progress in its unit."""
    return size(number) if unit == "bytes" else f"{count(number)} {unit}"


def progress_lines(step: StepView, fraction: float, width: int, glyphs: Glyphs, *, proven: bool) -> list[Line]:
    """Return a step's own bar, and how much is done, in its unit."""
    if not step.total:
        return []
    done = figure(step.done, step.unit).removesuffix(f" {step.unit}")
    text = f"{done} of {figure(step.total, step.unit)}"
    tail = percent(fraction if proven else min(fraction, 0.99))
    lines = [bar_line("this step", fraction, width, glyphs, proven=proven, tail=tail)]
    lines += paragraph(f"{text}, {step.note}" if step.note else text, width - _LABEL_CELLS)
    return [lines[0], *(((" " * _LABEL_CELLS, Tone.PLAIN), *line) for line in lines[1:])]


def check_lines(check: e.CheckMade, width: int, glyphs: Glyphs) -> list[Line]:
    """Return a check: how it went, what was looked at, what was found, what to do."""
    sign, word, tone = {
        True: (glyphs.done, "ok", Tone.GOOD),
        False: (glyphs.failed, "FAILED", Tone.BAD),
        None: (glyphs.pending, "note", Tone.WARN),
    }[check.ok]
    head = (f"{sign} {word:<7}", tone)
    indent = len(head[0])
    if width >= _NAME_FROM and cell_len(check.name) < _NAME_CELLS:
        found = paragraph(check.found, width - indent - _NAME_CELLS)
        name = (fit(check.name, _NAME_CELLS - 1, glyphs) + " ", Tone.STRONG)
        blank = " " * (indent + _NAME_CELLS)
        lines: list[Line] = [(head, name, *found[0]), *(((blank, Tone.PLAIN), *line) for line in found[1:])]
    else:
        lines = [*paragraph(check.name, width, Tone.STRONG, head=head)]
        lines += paragraph(check.found, width, head=(" " * (indent if width >= _NAME_FROM else 2), Tone.PLAIN))
    if check.tried:
        lines += paragraph(f"looked at: {check.tried}", width, Tone.DIM, head=(" " * indent, Tone.PLAIN))
    if check.advice and check.ok is not True:
        lines += paragraph(check.advice, width, Tone.WARN, head=(" " * indent + f"{glyphs.arrow} ", Tone.WARN))
    return lines


class Panel(Vertical):
    """The base: a head that every panel has."""

    def __init__(self, step: StepId) -> None:
        super().__init__(id=f"panel-{step}")
        self.step_id = step
        self.now: Situation | None = None

    def compose(self) -> ComposeResult:
        """Return head and body."""
        yield Text(classes="head")
        yield from self.body()

    def body(self) -> Iterable[Widget]:
        """Return the parts below the head."""
        return ()

    @property
    def keys_go_to(self) -> Widget | None:
        """Return the part that takes the arrow keys."""
        return None

    @property
    def glyphs(self) -> Glyphs:
        """Return the signs this terminal gets."""
        return self.query_one(".head", Text).glyphs

    def show(self, now: Situation) -> None:
        """Show a moment of the run."""
        before, self.now = self.now, now
        self.query_one(".head", Text).show(self.head)
        if before is None or before.state is not now.state or before.interrupted != now.interrupted:
            self.fill(now)

    def head(self, width: int) -> list[Line]:
        """Return the lines of the head."""
        if self.now is None:
            return []
        return title_lines(self.now.state.step(self.step_id), self.now, width)

    def fill(self, now: Situation) -> None:
        """Fill the body."""

    def help_lines(self, width: int) -> list[Line]:  # noqa: ARG002 - panels that have something to tell use it
        """Return help on what the panel shows now."""
        return []


class Filter(Input):
    """One line to type a part of a name into."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Clear", show=False),
        Binding("down", "leave", "To the list", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(placeholder="part of a name; Enter keeps it, Esc clears it", compact=True)
        self.cursor_blink = False
        self.display = False

    def action_close(self) -> None:
        """Show everything again."""
        self.value = ""
        self.display = False
        self.action_leave()

    def action_leave(self) -> None:
        """Give the keys back to the list."""
        if isinstance(self.parent, ListPanel):
            self.parent.rows.focus()

    def open(self) -> None:
        """Show the line and take the keys."""
        self.display = True
        self.focus()


class ListPanel(Panel):
    """A panel with a list that can be filtered, and the whole of what the cursor stands on below it."""

    def body(self) -> Iterable[Widget]:
        """Return filter, list and detail."""
        yield Filter()
        yield self.make_rows()
        yield Text(classes="detail")

    @abstractmethod
    def make_rows(self) -> Rows:
        """Return the list."""

    @abstractmethod
    def items(self, now: Situation) -> Sequence[Any]:
        """Return what the list holds."""

    @abstractmethod
    def words_of(self, item: Any) -> str:
        """Return the text the filter looks through."""

    @abstractmethod
    def detail(self, item: Any, width: int) -> list[Line]:
        """Return the lines below the list."""

    @property
    def rows(self) -> Rows:
        """Return the list."""
        return self.query_one(Rows)

    @property
    def keys_go_to(self) -> Widget | None:
        """Return the list."""
        return self.rows

    def fill(self, now: Situation) -> None:
        """Fill the list and the detail."""
        needle = self.query_one(Filter).value.casefold()
        items = self.items(now)
        if needle:
            items = [item for item in items if needle in self.words_of(item).casefold()]
        self.rows.show(items)
        self._detail()

    def _detail(self) -> None:
        item = self.rows.current
        self.query_one(".detail", Text).show(lambda width: self.detail(item, width) if item is not None else [])

    @on(Rows.Moved)
    def moved(self) -> None:
        """Show the whole of what the cursor stands on."""
        self._detail()

    @on(Input.Changed)
    def narrowed(self) -> None:
        """Show only what fits the filter."""
        if self.now:
            self.fill(self.now)

    @on(Input.Submitted)
    def kept(self) -> None:
        """Keep the filter and give the keys to the list."""
        self.rows.focus()
