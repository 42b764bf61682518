"""A box with a few lines to fill in."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text as Shown
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from zenni_tui.ui.widgets.bars import Keys, keys_line
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.words import Line, Tone, paragraph

from .box import Box

Filled = Mapping[str, str]
Judge = Callable[[Filled], str]


class Field(NamedTuple):
    """One line to fill in: its name, what it means, what stands there at first; a `secret` one is not shown."""

    name: str
    meaning: str
    before: str = ""
    secret: bool = False


class Hidden(Input):
    """A line whose text is not shown; its sign is one that every terminal has."""

    @property
    def _value(self) -> Shown:
        return Shown("*" * len(self.value), no_wrap=True, overflow="ignore", end="")


class Form(Box[Filled | None]):
    """Asks for some lines at once; the result holds them by name, None when nothing is to be done.

    `judge` returns what is wrong with them, empty when nothing is. `deed` is what Enter does. The keys start in the
    field `first`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]
    ABOUT = "Lines to fill in; what is typed goes into the one that is marked. Nothing happens before Enter."
    KEYS = (
        ("Up, Down, Tab", "another line"),
        ("Ctrl+U", "empty the line left of the cursor"),
        ("Enter", "do what the last line of the box says"),
        ("Esc", "leave everything as it is"),
    )

    def __init__(
        self, title: str, story: str, fields: Sequence[Field], *, judge: Judge, deed: str, first: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._story = story
        self._fields = fields
        self._judge = judge
        self._deed = deed
        self._first = first or fields[0].name
        self._said = ""

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box"):
            yield Text(id="story")
            for field in self._fields:
                yield Text(id=f"about-{field.name}")
                kind = Hidden if field.secret else Input
                yield kind(
                    field.before,
                    id=f"field-{field.name}",
                    password=field.secret,
                    compact=True,
                )
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show what is asked for."""
        self.query_one("#story", Text).show(self._head)
        for field in self._fields:
            self.query_one(f"#about-{field.name}", Text).show(functools.partial(self._about, field))
            self.query_one(f"#field-{field.name}", Input).cursor_blink = False
        self.query_one(f"#field-{self._first}").focus()
        self._explain()

    @on(events.DescendantFocus)
    def _mark(self) -> None:
        for field in self._fields:
            self.query_one(f"#about-{field.name}", Text).repaint()

    def _about(self, field: Field, width: int) -> Iterable[Line]:
        marked = self.query_one(f"#field-{field.name}").has_focus
        cursor = self.query_one("#story", Text).glyphs.cursor
        head = (f"{cursor} " if marked else "  ", Tone.STRONG)
        return paragraph(field.meaning, width, Tone.STRONG if marked else Tone.DIM, head=head)

    def _head(self, width: int) -> Iterable[Line]:
        story = paragraph(self._story, width) if self._story else []
        return [((self._title, Tone.STRONG),), (), *story, *([()] if story else [])]

    def _explain(self) -> None:
        self.query_one("#how", Text).show(self._how)

    def _how(self, width: int) -> Iterable[Line]:
        keys: Keys = (("Enter", self._deed), ("Esc", "leave as it is"), ("Up/Down", "next field"))
        return [(), *(paragraph(self._said, width, Tone.BAD) if self._said else []), keys_line(keys, width)]

    @on(Input.Submitted)
    def _written(self, message: Input.Submitted) -> None:
        message.stop()
        found = {f.name: self.query_one(f"#field-{f.name}", Input).value.strip() for f in self._fields}
        self._said = self._judge(found)
        if self._said:
            self._explain()
        else:
            self.dismiss(found)

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)


def mistyped(word: str, found: Filled) -> str:
    """Return what is wrong with the field `word`, in which that word is wanted, alone or as WORD+WAIVER."""
    return "" if word in found["word"].split("+") else f"That is not {word}; Esc leaves everything as it is."
