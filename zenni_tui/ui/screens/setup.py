"""The first run without a config: which file, which database, do both answer, and a config file for them."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from zenni_tui.errors import ZenniError
from zenni_tui.model.events import CheckMade
from zenni_tui.ui.offer import Offer, Setup
from zenni_tui.ui.stories import SETUP_KEYS
from zenni_tui.ui.widgets.bars import KeyBar, Notice
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, paragraph

from .base import Base
from .form import Field, Filled, Form
from .modals import Choice, Question
from .panel import check_lines

_FOOT = (("Enter", "take this file"), ("Up/Down", "choose"), ("F1", "help"), ("b", "back"), ("q", "leave"))
_OTHER = ("", "another file: write its path")


def _cells(item: tuple[str, str], widths: Sequence[int]) -> Sequence[Line]:
    path, story = item
    room = widths[0] if widths else 0
    shown = path if len(path) <= room else f"..{path[2 - room :]}"
    return (((shown or story, Tone.STRONG),), ((story if path else "", Tone.DIM),))


class SetupScreen(Base):
    """Offers the SQLite files nearby, asks for the target, tests both, and writes config.toml."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take this file", show=False),
        Binding("b,escape", "back", "First screen", show=False),
    ]
    KEYS = SETUP_KEYS

    def __init__(self, setup: Setup, done: Callable[[Offer], None]) -> None:
        super().__init__()
        self._setup = setup
        self._done = done
        self._targets: tuple[str, ...] = ()
        self._checks: tuple[CheckMade, ...] = ()
        self._filled: Filled = {}

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        yield Rows((Column("SQLite files near here", 28, most=110), Column("", 26, most=40)), _cells, id="files")
        yield Scroll(id="checks")
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Look around."""
        self.query_one("#hello", Text).show(self._hello)
        self.query_one(KeyBar).show(_FOOT)
        self.tell("Looking around ...", Tone.DIM)
        self.query_one("#checks", Scroll).show(self._lines)
        self.query_one("#files", Rows).focus()
        self._look()

    @work
    async def _look(self) -> None:
        found = await self.ask_engine_room(self._setup.look_around)
        files, self._targets = found[0] if found else ((), ())
        self.query_one("#files", Rows).show([*files, _OTHER])
        self.tell("" if files else "No SQLite file lies in this folder or below.", Tone.WARN)

    def _hello(self, width: int) -> list[Line]:
        story = (
            "Which database moves, and where to? Both are tested before anything is kept; nothing is written to them."
        )
        return [(("zenni-tui  ", Tone.STRONG), ("the first run", Tone.DIM)), *paragraph(story, width, Tone.DIM)]

    def _lines(self, width: int) -> list[Line]:
        glyphs = self.query_one("#hello", Text).glyphs
        return [line for check in self._checks for line in check_lines(check, width, glyphs)]

    def action_take(self) -> None:
        """Ask for what else is needed."""
        item = self.query_one("#files", Rows).current
        if item is None:
            return
        before = self._filled
        url = before.get("target") or (self._targets[0] if self._targets else "")
        password = before.get("password") or self._setup.password_of(url)
        fields = (
            Field("source", "the SQLite file", item[0] or before.get("source", "")),
            Field("target", "postgresql://user@host:5432/database; empty: only rehearse", url),
            Field("password", "its password; empty: PGPASSWORD or ~/.pgpass", password, secret=True),
        )
        story = f"Settings files here name {len(self._targets)} target(s)." if self._targets else ""
        form = Form("From where, where to?", story, fields, judge=self._wrong, deed="test both", first="target")
        self.app.push_screen(form, self._answered)

    def _answered(self, found: Filled | None) -> None:
        if found is not None:
            url, inside = self._setup.parted(found["target"]) if found["target"] else ("", "")
            self._filled = {**found, "target": url, "password": found["password"] or inside}
            self._test(self._filled)

    def _wrong(self, found: Filled) -> str:
        if not found["source"]:
            return "A file is needed: its path."
        if not found["target"]:
            return "A password needs a target: write it above, or take the password out." if found["password"] else ""
        if "://" not in found["target"]:
            return "Write the target as postgresql://user@host:5432/database."
        try:
            self._setup.parted(found["target"])
        except ZenniError as error:
            return " ".join(filter(None, (error.what, error.why, error.next_step)))
        return ""

    @work(exclusive=True)
    async def _test(self, found: Filled) -> None:
        self.tell("Testing both; each wait is bounded, at most some seconds ...", Tone.BUSY)
        args = (found["source"], found["target"], found["password"])
        done = await self.ask_engine_room(lambda: self._setup.test(*args))
        self.tell("")
        if done is None:
            return
        (self._checks,) = done
        self.query_one("#checks", Scroll).repaint()
        self._judge(found)

    def _judge(self, found: Filled) -> None:
        bad = [check for check in self._checks if check.ok is False]
        if any(check.name == "source" for check in bad):
            self.tell("The source can't be used: see above. Enter tries again.", Tone.BAD)
            return
        yes, no = Choice("y", "Yes, write config.toml (only you can read it)"), Choice("n", "No, not yet")
        if bad:
            title = f"The target has trouble at: {', '.join(c.name for c in bad)}. Keep both all the same?"
            story, choices = f"{bad[0].found} {bad[0].advice}", (no, yes)
        else:
            title = "Both answer. Keep them?" if found["target"] else "The file can be read. Keep it?"
            story = "" if found["target"] else "Without a target rehearsals go into an embedded PostgreSQL."
            choices = (yes, no)
        question = Question(title, story, choices, safe="n")
        self.app.push_screen(question, lambda key: self._keep(key, found))

    def _keep(self, key: str | None, found: Filled) -> None:
        if key == "y":
            self._write(found)

    @work
    async def _write(self, found: Filled) -> None:
        args = (found["source"], found["target"], found["password"])
        offer = await self.ask_engine_room(lambda: self._setup.write(*args))
        if offer:
            self.dismiss()
            self._done(offer[0])

    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show one line that stays until the next."""
        self.query_one(Notice).tell(text, tone)

    def help_lines(self, width: int) -> list[Line]:
        """Return what this screen is for."""
        story = (
            "The files are those in and below the folder in which zenni-tui was started; the one that the "
            "application's settings name comes first. The answers are kept in config.toml of that folder, "
            "which only you can read."
        )
        return paragraph(story, width)

    def action_back(self) -> None:
        """Go back to the first screen."""
        self.dismiss()

    def action_leave(self) -> None:
        """Leave; nothing was kept."""
        self.app.exit()
