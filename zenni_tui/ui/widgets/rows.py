"""A list of records with columns; thousands of them cost no more than those in sight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from zenni_tui.ui.words import Line, Piece, Tone, elide, fit

from .canvas import Canvas

_LEAST = 4


class Column(NamedTuple):
    """One column: `width` cells, grown up to `most` where there is room; left out of lists narrower than `need`."""

    title: str
    width: int
    most: int = 0
    right: bool = False
    need: int = 0


Cell = tuple[str, Tone] | tuple[Piece, ...]
Cells = Callable[[Any, Sequence[int]], Sequence[Line]]
"""Returns a line for each column of an item; the columns' widths are given, 0 for one that is left out."""


class Rows(Canvas, can_focus=True):
    """A virtual list with a cursor, a head line when columns have titles, and a word for emptiness."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--cursor"}
    DEFAULT_CSS = "Rows { height: 1fr; & > .rows--cursor { background: $primary 20%; } }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "jump(0)", "First", show=False),
        Binding("end", "jump(-1)", "Last", show=False),
    ]
    cursor: reactive[int] = reactive(0, repaint=False, init=False)

    @dataclass
    class Moved(Message):
        """The cursor stands on another item."""

        rows: "Rows"

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Cells,
        *,
        empty: str = "",
        spill: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.columns = columns
        self.items: Sequence[Any] = ()
        self.touched = False
        self._cells = cells
        self._empty = empty
        self._spill = spill
        self._head = int(any(c.title for c in columns))

    @property
    def current(self) -> Any | None:
        """Return the item under the cursor."""
        return self.items[self.cursor] if self.cursor < len(self.items) else None

    def show(self, items: Sequence[Any]) -> None:
        """Show items; those that are the same object as before are not drawn again."""
        old, self.items = self.items, items
        if len(old) != len(items):
            self._measure()
            self.cursor = max(0, min(self.cursor, len(items) - 1))
            self.refresh(layout=self.styles.height is not None and self.styles.height.is_auto)
            return
        top = self.scroll_offset.y
        for index in range(top, min(top + self.size.height, len(items))):
            if items[index] is not old[index]:
                self._refresh_item(index)

    def repaint(self) -> None:
        """Draw all lines again."""
        self.refresh()

    def keep_in_sight(self, index: int) -> None:
        """Move the cursor to an item unless the operator moved it before."""
        if not self.touched and index != self.cursor and index < len(self.items):
            self.cursor = index

    def widths(self) -> list[int]:
        """Return each column's width; 0 for one that is left out."""
        room = self.scrollable_content_region.width - 2
        widths = [c.width if room >= c.need else 0 for c in self.columns]
        left = room - sum(w + 1 for w in widths if w) + 1
        # Where not all have room, the widest give way: what is cut then is marked, and nothing runs off the edge.
        while left < 0 and max(widths) > _LEAST:
            widths[widths.index(max(widths))] -= 1
            left += 1
        # Figures are written whole before names and bars grow.
        for index, column in sorted(enumerate(self.columns), key=lambda pair: not pair[1].right):
            if widths[index] and column.most and left > 0:
                more = min(left, column.most - column.width)
                widths[index] += more
                left -= more
        return widths

    def render_line(self, y: int) -> Strip:
        """Return the strip of a line on the screen."""
        width = self.scrollable_content_region.width
        if not self.items:
            return self.strip(((f"  {self._empty}", Tone.DIM),) if y == 0 else (), width)
        if self._head and y == 0:
            return self.strip(self._head_line(), width)
        index = y + self.scroll_offset.y - self._head
        if index >= len(self.items):
            return self.strip((), width)
        marked = index == self.cursor and self.has_focus
        base = self.rich_style + self.get_component_rich_style("rows--cursor") if marked else None
        return self.strip(self._line(index), width, base)

    def _head_line(self) -> Line:
        titles = [fit(c.title, w, right=c.right) for c, w in zip(self.columns, self.widths(), strict=True) if w]
        return (("  " + " ".join(titles), Tone.DIM),)

    def _line(self, index: int) -> Line:
        widths = self.widths()
        marked = index == self.cursor and (self.has_focus or not self._spill)
        mark = self.glyphs.cursor if marked else " "
        pieces: list[Piece] = [(f"{mark} ", Tone.BUSY if self.has_focus else Tone.DIM)]
        for column, width, cell in zip(self.columns, widths, self._cells(self.items[index], widths), strict=True):
            if width:
                pieces += [*self._fitted(cell, width, right=column.right), (" ", Tone.PLAIN)]
        return tuple(pieces)

    def _fitted(self, cell: Line, width: int, *, right: bool) -> Line:
        if len(cell) == 1:
            return ((fit(cell[0][0], width, self.glyphs, right=right), cell[0][1]),)
        return tuple((elide(text, width, self.glyphs), tone) for text, tone in cell)

    def _measure(self) -> None:
        self.measure(Size(self.scrollable_content_region.width, len(self.items) + self._head))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        """Return how many lines all items take."""
        return max(1, len(self.items) + self._head * bool(self.items))

    def on_resize(self) -> None:
        """Lay the columns out anew."""
        self._measure()
        self._into_sight()

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw the cursor at its new place."""
        self._refresh_item(old)
        self._refresh_item(new)
        self._into_sight()
        self.post_message(self.Moved(self))

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001 - Textual's signature
        """Show by the cursor's colour where keys go."""
        super().watch_has_focus(has_focus)
        self._refresh_item(self.cursor)

    def _refresh_item(self, index: int) -> None:
        self.refresh_line(index + self._head)

    def _into_sight(self) -> None:
        room = self.size.height - self._head
        top = self.scroll_offset.y
        if room <= 0:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=False, immediate=True)

    def action_move(self, by: int) -> None:
        """Move the cursor; beyond the end the next part of the screen gets the focus, where that is wanted."""
        target = self.cursor + by
        if self._spill and target >= len(self.items):
            self.screen.focus_next()
        elif self._spill and target < 0:
            self.screen.focus_previous()
        else:
            self._go(target)

    def action_page(self, by: int) -> None:
        """Move the cursor by a page."""
        self._go(self.cursor + by * max(1, self.size.height - self._head - 1))

    def action_jump(self, to: int) -> None:
        """Move the cursor to the first or last item."""
        self._go(to if to >= 0 else len(self.items) - 1)

    def _go(self, to: int) -> None:
        self.touched = True
        self.cursor = max(0, min(to, len(self.items) - 1))
