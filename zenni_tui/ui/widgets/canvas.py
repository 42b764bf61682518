"""Text drawn line by line: only lines that changed are sent to the terminal."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from zenni_tui.ui.theme import tones
from zenni_tui.ui.words import UNICODE, Glyphs, Line

Builder = Callable[[int], Iterable[Line]]


class Canvas(ScrollView, can_focus=False, inherit_bindings=False):
    """The base: turns lines of toned pieces into strips; it has no keys, so that arrows reach the screen."""

    DEFAULT_CSS = "Canvas { overflow-x: hidden; overflow-y: auto; height: auto; }"

    @property
    def glyphs(self) -> Glyphs:
        """Return the signs this terminal gets."""
        chosen = getattr(self.app, "glyphs", UNICODE)
        return chosen if isinstance(chosen, Glyphs) else UNICODE

    def strip(self, line: Line, width: int, base: Style | None = None) -> Strip:
        """Return one line of exactly `width` cells in this widget's colours, or upon those of `base`."""
        base = base or self.rich_style
        looks = tones(self.app.theme)
        segments = [Segment(text, base + looks[tone]) for text, tone in line if text]
        return Strip(segments).adjust_cell_length(width, base)


class Lines(Canvas):
    """Lines made by `paint` for the width at hand; call `repaint` when there may be something new."""

    lines: reactive[tuple[Line, ...]] = reactive((), repaint=False, init=False)

    @abstractmethod
    def paint(self, width: int) -> Iterable[Line]:
        """Return the lines for a width in cells."""

    def repaint(self) -> None:
        """Paint anew and refresh what changed."""
        width = self.scrollable_content_region.width
        if width > 0:
            self._take(tuple(self.paint(width)), width)

    def _take(self, new: tuple[Line, ...], width: int) -> None:
        old = self.lines
        if new == old and self.virtual_size == Size(width, len(new)):
            return
        self.lines = new
        if len(new) != len(old) or self.virtual_size.width != width:
            self.virtual_size = Size(width, len(new))
            self.refresh(layout=len(new) != len(old))
            return
        for number, line in enumerate(new):
            if line != old[number]:
                self.refresh_line(number)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        """Return how many lines the text takes at a width."""
        return sum(1 for _ in self.paint(width))

    def on_resize(self) -> None:
        """Lay the text out for the new width."""
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """Return the strip of a line on the screen."""
        number = y + self.scroll_offset.y
        line = self.lines[number] if number < len(self.lines) else ()
        return self.strip(line, self.scrollable_content_region.width)


class Text(Lines):
    """Lines handed over from outside, by a function of the width."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._build: Builder = lambda _: ()

    def paint(self, width: int) -> Iterable[Line]:
        """Return the lines of the function last given."""
        return self._build(width)

    def show(self, build: Builder) -> None:
        """Show what a function makes of the width."""
        self._build = build
        self.repaint()


class Scroll(Text, can_focus=True):
    """Text that can be longer than its place; arrows and paging keys move it."""

    DEFAULT_CSS = "Scroll { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False),
        Binding("down", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "First", show=False),
        Binding("end", "scroll_end", "Last", show=False),
    ]
