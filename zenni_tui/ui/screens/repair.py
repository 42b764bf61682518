"""A finding, whole, and the choice of a repair for it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from zenni_tui.model.findings import Finding
from zenni_tui.model.request import Reply
from zenni_tui.ui.choosing import (
    PROMPTS,
    Way,
    action_of,
    argument_of,
    config_line,
    first_way,
    needs_text,
    refusal,
    takes_text,
    ways,
    weight,
)
from zenni_tui.ui.widgets.bars import Keys, keys_line
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Glyphs, Line, Tone, paragraph

from .audit import finding_lines
from .base import Base
from .box import Box

Choose = Callable[[str], Reply]
"""Tells the engine of a choice by the repair's id, empty for none; blocks for a moment."""

_COLUMNS = (Column("", 12), Column("", 10, most=200))
_NONE = "no choice: leave it as it is"
_EMPTY = "Enter once more: an empty text takes their place."


def _cells(way: Way, _: Sequence[int]) -> Sequence[Line]:
    if way.repair is None:
        return ((("-", Tone.DIM),), ((_NONE, Tone.PLAIN),))
    return ((weight(way.repair),), ((way.repair.text, Tone.PLAIN),))


class RepairScreen(Box[bool]):
    """Shows a finding and takes a choice; `barred` says why none is taken now. The result: whether one was made."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("enter", "take", "Choose", show=False),
        Binding("t", "text", "Another text", show=False),
    ]
    ABOUT = (
        "One finding, and the repairs on offer for it. A choice is kept for this run; the line at the bottom, "
        "put into config.toml, keeps it for the next ones. LOSSLESS changes no value; CHANGES DATA is in the report."
    )
    KEYS = (
        ("Up, Down", "look at another repair; what it does stands below"),
        ("Enter", "choose it; where a text is needed, write it first"),
        ("t", "another text than the proposed one"),
        ("Tab", "read the finding, or back to the repairs"),
        ("Esc", "leave everything as it is"),
    )

    VERTICAL_BREAKPOINTS = Base.VERTICAL_BREAKPOINTS

    def __init__(self, finding: Finding, choose: Choose, barred: str = "") -> None:
        super().__init__()
        self.finding = finding
        self._choose = choose
        self._barred = barred
        self._said = barred

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box repair"):
            yield Scroll(id="finding")
            yield Rows(_COLUMNS, _cells, empty="No repair is on offer: do what the arrow says.", id="choices")
            yield Text(id="way")
            yield Input(id="text", compact=True)
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the finding with the cursor on what is chosen, what is lossless, or no choice."""
        self.query_one("#finding", Scroll).show(lambda width: finding_lines(self.finding, width, self._glyphs))
        field = self._field
        field.cursor_blink = False
        field.display = False
        rows = self.query_one(Rows)
        rows.show(ways(self.finding))
        rows.cursor = first_way(self.finding)
        rows.focus()
        self._explain()

    @property
    def _glyphs(self) -> Glyphs:
        return self.query_one("#how", Text).glyphs

    @property
    def _field(self) -> Input:
        return self.query_one("#text", Input)

    @property
    def _way(self) -> Way | None:
        way = self.query_one(Rows).current
        return way if isinstance(way, Way) else None

    @on(Rows.Moved)
    def _explain(self) -> None:
        self.query_one("#way", Text).show(self._way_lines)
        self.query_one("#how", Text).show(self._how_lines)

    def _way_lines(self, width: int) -> list[Line]:
        way = self._way
        if way is None or way.repair is None:
            return [()]
        chosen = self.finding.chosen
        taken = chosen if chosen and action_of(chosen) == action_of(way.repair.id) else way.repair.id
        section, line = config_line(self.finding, taken)
        text = paragraph(way.repair.text, width, Tone.STRONG, head=("", Tone.PLAIN))
        return [(), *text, *paragraph(line, width, Tone.DIM, head=(f"{section} ", Tone.DIM))]

    def _how_lines(self, width: int) -> list[Line]:
        said = paragraph(self._said, width, Tone.WARN if self._said == self._barred else Tone.BAD)
        return [*(said if self._said else [()]), keys_line(self._keys(), width)]

    def _keys(self) -> Keys:
        if self._field.display:
            return (("Enter", "take this text"), ("Esc", "back to the list"))
        way = self._way
        if way is None or self._barred:
            return (("Esc", "close"), ("Tab", "read the finding"))
        take = ("Enter", "write a text") if way.repair and needs_text(way.repair) else ("Enter", "choose")
        other = [("t", "another text")] if way.repair and takes_text(way.repair) and take[1] == "choose" else []
        return (take, ("Esc", "leave as it is"), *other, ("Up/Down", "look"), ("Tab", "read"))

    def action_take(self) -> None:
        """Choose what the cursor stands on; where a text is needed, ask for it."""
        way = self._way
        if way is None or self._barred:
            return
        if way.repair and needs_text(way.repair):
            self._ask(way)
        else:
            self._send(way.repair.id if way.repair else "")

    def action_text(self) -> None:
        """Ask for another text than the proposed one."""
        way = self._way
        if way and way.repair and takes_text(way.repair) and not self._barred:
            self._ask(way)

    def _ask(self, way: Way) -> None:
        repair = way.repair.id if way.repair else ""
        chosen = self.finding.chosen or ""
        field = self._field
        field.placeholder = PROMPTS.get(action_of(repair), "a text")
        field.value = argument_of(chosen if action_of(chosen) == action_of(repair) else repair)
        field.display = True
        field.focus()
        self._say("")

    @on(Input.Submitted)
    def _written(self, message: Input.Submitted) -> None:
        message.stop()
        way = self._way
        if way is None or way.repair is None:
            return
        action = action_of(way.repair.id)
        why = refusal(action, message.value)
        if not why and not message.value and self._said != _EMPTY:
            why = _EMPTY
        if why:
            self._say(why)
        else:
            self._send(f"{action}:{message.value}")

    @work(exclusive=True)
    async def _send(self, repair: str) -> None:
        reply = await asyncio.to_thread(self._choose, repair)
        if reply.ok:
            self.dismiss(True)  # noqa: FBT003 - Textual's signature
        else:
            self._say(f"Refused: {reply.message}")

    def _say(self, text: str) -> None:
        self._said = text
        self._explain()

    def action_leave(self) -> None:
        """Leave the text, or the box; nothing is chosen."""
        if self._field.display:
            self._field.display = False
            self.query_one(Rows).focus()
            self._say("")
        else:
            self.dismiss(False)  # noqa: FBT003 - Textual's signature
