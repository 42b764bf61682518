"""The lines at the bottom: the engine's question, its last answer, the rollback, the keys."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from zenni_tui.ui.safety import rollback_now
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.words import Line, Piece, Tone, elide, paragraph, width_of

from .canvas import Lines

Keys = Sequence[tuple[str, str]]


def keys_line(keys: Keys, width: int) -> Line:
    """Return as many whole keys with their labels as fit."""
    pieces: list[Piece] = []
    for key, label in keys:
        more: list[Piece] = [(("  " if pieces else "") + key, Tone.STRONG), (f" {label}", Tone.DIM)]
        if width_of([*pieces, *more]) > width:
            break
        pieces += more
    return tuple(pieces)


class KeyBar(Lines):
    """The keys that matter now, the most important first."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._keys: Keys = ()

    def show(self, keys: Keys) -> None:
        """Show keys."""
        self._keys = keys
        self.repaint()

    def paint(self, width: int) -> Iterable[Line]:
        """Return one line."""
        return [keys_line(self._keys, width)]


class RollbackBar(Lines, can_focus=True):
    """The way back, on every screen of a run, with what it would do now."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.roll_back", "Roll back", show=False)]

    def __init__(self) -> None:
        super().__init__(id="rollback")
        self._now: Situation | None = None

    def show(self, now: Situation) -> None:
        """Show what a rollback would do."""
        self._now = now
        self.repaint()

    def paint(self, width: int) -> Iterable[Line]:
        """Return one line."""
        if self._now is None:
            return []
        able = self._now.can_roll_back
        button: Piece = ("[F8 Roll back]", Tone.STRONG if able else Tone.DIM)
        story = rollback_now(self._now)
        lost = ". Lost: nothing." if able else "."
        text = story + lost if len(story + lost) + len(button[0]) + 1 <= width else story
        return [(button, (" " + elide(text, width - len(button[0]) - 1, self.glyphs), Tone.DIM))]


class Notice(Lines):
    """The engine's last answer, or what a key did; it stays until the next one."""

    def __init__(self) -> None:
        super().__init__(id="notice")
        self._said = ""
        self._meaning = Tone.PLAIN

    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a line; an empty one hides the widget."""
        self._said, self._meaning = text, tone
        self.display = bool(text)
        self.repaint()

    def paint(self, width: int) -> Iterable[Line]:
        """Return the lines of the text."""
        return paragraph(self._said, width, self._meaning) if self._said else []


class Gate(Lines):
    """The engine's question, when it waits for the operator."""

    KEYS: ClassVar[Keys] = (("Enter, g", "go on"), ("s", "stop here"), ("r", "roll back"))

    def __init__(self) -> None:
        super().__init__(id="gate")
        self._now: Situation | None = None

    def show(self, now: Situation) -> None:
        """Show the question, or nothing when the engine doesn't wait."""
        self._now = now
        self.display = now.state.waiting is not None and now.alive and not now.asked
        self.repaint()

    def paint(self, width: int) -> Iterable[Line]:
        """Return the question and the keys that answer it."""
        waiting = self._now.state.waiting if self._now else None
        if waiting is None:
            return []
        head: Piece = (f"YOUR WORD before {waiting.step}: ", Tone.WARN)
        question = paragraph(waiting.question, width, Tone.STRONG)
        return [(head,), *question, keys_line(self.KEYS, width)]
