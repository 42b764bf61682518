"""What every box before a screen shares: F1."""

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from zenni_tui.ui.stories import GLOSSARY
from zenni_tui.ui.words import Line, Tone, fit, paragraph, width_of

T = TypeVar("T")
_KEY_CELLS = 22


def table(rows: tuple[tuple[str, str], ...], width: int) -> list[Line]:
    """Return names with what they mean, in two columns; a name that is too long for its own stands above."""
    key = min(_KEY_CELLS, width // 3)
    lines: list[Line] = []
    for name, text in rows:
        long = width_of([(name, Tone.STRONG)]) >= key
        lines += paragraph(name, width, Tone.STRONG) if long else []
        lines += paragraph(text, width, head=(fit("" if long else name, key), Tone.STRONG))
    return lines


def keys_and_words(keys: tuple[tuple[str, str], ...], width: int) -> list[Line]:
    """Return the end of every help: the keys of a place, and the glossary."""
    head: list[Line] = [(), (("Keys", Tone.STRONG),), *table(keys, width)]
    return [*head, (), (("Words", Tone.STRONG),), *table(GLOSSARY, width)]


class Box(ModalScreen[T]):
    """A box before a screen; `ABOUT` and `KEYS` are what F1 tells of it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "help", "Help", show=False)]
    ABOUT: ClassVar[str] = ""
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()

    def action_help(self) -> None:
        """Show help on this box."""
        from .modals import HelpScreen  # noqa: PLC0415 - the help is made of boxes' parts itself

        def lines(width: int) -> list[Line]:
            return [*paragraph(self.ABOUT, width, Tone.STRONG), *keys_and_words(self.KEYS, width)]

        self.app.push_screen(HelpScreen(lines))
