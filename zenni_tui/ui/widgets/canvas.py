"""Text drawn line by line: only lines that changed are sent to the terminal."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
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

    def measure(self, size: Size) -> None:
        """Take the size of all there is; where all is in sight, before and after, nothing is laid out anew."""
        if size.height <= self.scrollable_content_region.height and not self.show_vertical_scrollbar:
            self.set_reactive(Canvas.virtual_size, size)
        else:
            self.virtual_size = size


class Lines(Canvas):
    """Lines made by `paint` for the width at hand; call `repaint` when there may be something new."""

    lines: reactive[tuple[Line, ...]] = reactive((), repaint=False, init=False)
    _painted_for = 0
    _laid_out_for = -1

    @abstractmethod
    def paint(self, width: int) -> Iterable[Line]:
        """Return the lines for a width in cells."""

    def repaint(self) -> None:
        """Paint anew and refresh what changed."""
        self._painted_for = self.scrollable_content_region.width
        if self._painted_for:
            self._take(tuple(self.paint(self._painted_for)))

    def _take(self, new: tuple[Line, ...]) -> None:
        old, self.lines = self.lines, new
        self.measure(Size(self._painted_for, len(new)))
        if len(new) != len(old):
            self.refresh(layout=len(new) != self._laid_out_for)
            return
        for number, line in enumerate(new):
            if line != old[number]:
                self.refresh_line(number)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        """Return how many lines the text takes at a width."""
        self._laid_out_for = len(self.lines) if width == self._painted_for else sum(1 for _ in self.paint(width))
        return self._laid_out_for

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return strips, painted for a new width at once: the first frame has the words already."""
        width = self.scrollable_content_region.width
        if width != self._painted_for:
            self._painted_for, self.lines = width, tuple(self.paint(width))
        return super().render_lines(crop)

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
