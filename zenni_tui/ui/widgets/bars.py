"""The lines at the bottom: the engine's question, its last answer, the rollback, the keys."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from zenni_tui.model.findings import blocking
from zenni_tui.model.runbook import StepId
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

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001 - Textual's signature
        """Tell by a word that Enter would roll back: the colour alone is not seen everywhere."""
        super().watch_has_focus(has_focus)
        self.repaint()

    def paint(self, width: int) -> Iterable[Line]:
        """Return one line."""
        if self._now is None:
            return []
        able = self._now.can_roll_back
        name = f"{self.glyphs.cursor} Enter: roll back" if self.has_focus else "F8 Roll back"
        button: Piece = (f"[{name}]", Tone.STRONG if able else Tone.DIM)
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


def asked_for(now: Situation) -> bool:
    """Return whether the engine waits for the operator's word."""
    return now.state.waiting is not None and now.alive and not now.asked


class Gate(Lines, can_focus=True):
    """The engine's question, when it waits for the operator; Enter goes on when the box has the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,down", "screen.to_panel", "To the list", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="gate")
        self.display = False
        self._now: Situation | None = None

    def show(self, now: Situation) -> bool:
        """Show the question, or nothing when the engine doesn't wait; returns whether it has just appeared."""
        before, self._now = self.display, now
        self.display = asked_for(now)
        self.repaint()
        return self.display and not before

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001 - Textual's signature
        """Tell by the keys' names where keys go."""
        super().watch_has_focus(has_focus)
        self.repaint()

    def paint(self, width: int) -> Iterable[Line]:
        """Return the question and the keys that answer it."""
        now = self._now
        if now is None or now.state.waiting is None:
            return []
        head: Piece = (f"YOUR WORD before {now.state.waiting.step}: ", Tone.WARN)
        text, keys = _question(now), keys_line(self._keys(now), width)
        if width_of([head]) + len(text) <= width:
            return [(head, (text, Tone.STRONG)), keys]
        return [(head,), *paragraph(text, width, Tone.STRONG), keys]

    def _keys(self, now: Situation) -> Keys:
        left = bool(blocking(now.state.findings))
        keys: Keys = (("Enter, g" if self.has_focus else "g", go_word(now)), ("s", "stop here"), ("r", "roll back"))
        if now.state.waiting is not None and now.state.waiting.step is StepId.SWITCH:
            return (("m", "switch over"), *keys)
        return (("Enter, c", "choose a repair"), *keys) if left and not self.has_focus else keys


def go_word(now: Situation) -> str:
    """Return what `g` does while the engine waits."""
    return "try again" if _asks_for_choices(now) else "audit again" if _audits_again(now) else _go(now)


def _asks_for_choices(now: Situation) -> bool:
    return now.state.waiting is not None and now.state.waiting.step is StepId.PLAN


def _audits_again(now: Situation) -> bool:
    # Once the tables stand, a choice is for what is written meanwhile, and nothing is planned anew.
    return now.changed and now.state.waiting is not None and now.state.waiting.step is not StepId.CATCH_UP


def _go(now: Situation) -> str:
    word = now.state.waiting.word if now.state.waiting else ""
    return f"type {word}" if word else "go on"


def _blocked(left: int, hopeless: int) -> str:
    block = f"{left} findings still block" if left > 1 else "1 finding still blocks"
    if hopeless == left:
        return f"{block}, and no repair is on offer: stop, do what each says, run anew."
    more = f" ({hopeless} {'has' if hopeless == 1 else 'have'} none)" if hopeless else ""
    return f"{block}: choose a repair{' for each' if left > 1 else ''}{more}"


def _question(now: Situation) -> str:
    left = blocking(now.state.findings)
    if left and _asks_for_choices(now):
        return _blocked(len(left), sum(not f.repairs for f in left))
    if _audits_again(now) or _asks_for_choices(now):
        return "Going on audits and plans again; nothing is written before you are asked."
    return now.state.waiting.question if now.state.waiting else ""
