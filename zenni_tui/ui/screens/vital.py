"""One vital whole: what is raised, what would help, and the rows behind the figures."""

import json
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from zenni_tui.model.vitals import Advised, Alert, Remedy, Vital
from zenni_tui.ui.widgets.bars import Keys, keys_line
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Glyphs, Line, Tone, ago, clean, fit, paragraph

from .box import Box

_GAP = 2
_LEAST = 8


class Deed(NamedTuple):
    """A remedy, and the alert it is against."""

    alert: Alert
    remedy: Remedy


def _deed_cells(deed: Deed, _: Sequence[int]) -> Sequence[Line]:
    return (((deed.remedy.title, Tone.STRONG),), (("; ".join(deed.remedy.sql), Tone.PLAIN),))


class VitalScreen(Box[Deed | None]):
    """Shows a vital; the result is the remedy that the operator wants to see done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,b", "close", "Close", show=False),
        Binding("enter", "take", "Do it", show=False),
    ]
    ABOUT = "One vital: what is raised, what would help, the rows behind it."
    KEYS = (
        ("Up, Down", "choose a remedy, or read on"),
        ("Enter", "do the remedy; it asks first"),
        ("Tab", "go to the text, or to the remedies"),
        ("Esc, q, b", "close"),
    )

    def __init__(self, vital: Vital, alerts: Sequence[Advised], at: str) -> None:
        super().__init__()
        self._vital = vital
        self._alerts = alerts
        self._at = at

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box full"):
            yield Scroll(id="story")
            yield Rows((Column("", 20, most=30), Column("", 20, most=160)), _deed_cells, id="choices")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the vital; keys go to the remedies, when there are any."""
        self.query_one("#story", Scroll).show(self._lines)
        deeds = [Deed(a.alert, r) for a in self._alerts for r in a.remedies]
        rows = self.query_one("#choices", Rows)
        rows.show(deeds)
        rows.display = bool(deeds)
        (rows if deeds else self.query_one("#story")).focus()
        keys: Keys = (("Esc", "close"), ("Up/Down", "move"))
        if deeds:
            keys = (("Enter", "do it (asks)"), ("Esc", "close"), ("Up/Down", "choose"), ("Tab", "the text"))
        self.query_one("#how", Text).show(lambda width: [keys_line(keys, width)])

    def _lines(self, width: int) -> list[Line]:
        vital = self._vital
        head: Line = ((vital.title, Tone.STRONG), (f"  {vital.words}  ", Tone.PLAIN), (f"at {self._at}", Tone.DIM))
        lines: list[Line] = [head, ()]
        for one in self._alerts:
            lines += paragraph(one.alert.text, width, Tone.STRONG, head=("ALERT ", Tone.BAD))
            since = f"Raised {ago(one.alert.seen - one.alert.since)}. "
            lines += paragraph(since + one.advice, width)
            for remedy in one.remedies:
                lines += paragraph("; ".join(remedy.sql), width, Tone.BUSY, head=("  ", Tone.PLAIN))
                lines += paragraph(remedy.effect, width, Tone.DIM, head=("    ", Tone.PLAIN))
            lines += paragraph(f"To accept it: [watch] ignore = {_accepting(one.alert)}", width, Tone.DIM)
            lines += [()]
        lines += [*paragraph(vital.unseen, width, Tone.WARN), ()] if vital.unseen else []
        return lines + table(vital.columns, vital.rows, width, self.query_one("#story", Scroll).glyphs)

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    def action_take(self) -> None:
        """Hand the remedy under the cursor to whoever asks for the operator's word."""
        rows = self.query_one("#choices", Rows)
        if rows.has_focus and isinstance(rows.current, Deed):
            self.dismiss(rows.current)


def _accepting(alert: Alert) -> str:
    return json.dumps([f"{alert.code}/{alert.subject}"], ensure_ascii=False)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, glyphs: Glyphs) -> list[Line]:
    """Return rows under their titles; the last column is wrapped below itself where it is long."""
    if not rows:
        return []
    cells = [[clean(c) for c in row] for row in rows]
    widths = [max(len(c) for c in column) for column in zip(columns, *cells, strict=True)]
    room = width - sum(widths[:-1]) - _GAP * (len(widths) - 1)
    # Long names give way before the text at the end gets too narrow to read.
    while room < min(widths[-1], width // 3) and max(widths[:-1], default=0) > _LEAST:
        widest = widths.index(max(widths[:-1]))
        widths[widest] -= 1
        room += 1
    widths[-1] = max(room, _LEAST)
    lines: list[Line] = [(*_row(columns[:-1], widths, Tone.DIM, glyphs), (columns[-1], Tone.DIM))]
    for row in cells:
        parts = [paragraph(row[-1], widths[-1])] if row[-1] else [[]]
        first, *rest = [*parts[0]] or [()]
        lines.append((*_row(row[:-1], widths, Tone.PLAIN, glyphs), *first))
        indent = (" " * (width - widths[-1]), Tone.PLAIN)
        lines += [(indent, *line) for line in rest]
    return lines


def _row(cells: Sequence[str], widths: Sequence[int], tone: Tone, glyphs: Glyphs) -> Line:
    return tuple((fit(c, w, glyphs) + " " * _GAP, tone) for c, w in zip(cells, widths[: len(cells)], strict=True))
