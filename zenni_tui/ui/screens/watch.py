"""The target after go-live: its vitals, what is raised, and what would help, done at a key and a word."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from zenni_tui.errors import ZenniError
from zenni_tui.model.vitals import Advised, Look, State, Vital
from zenni_tui.ui.post import Post
from zenni_tui.ui.stories import WATCH_KEYS
from zenni_tui.ui.widgets.bars import KeyBar, Notice
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, apart, elide, paragraph, spark

from .base import Base
from .form import Field, Form, mistyped
from .modals import Choice, Question
from .vital import Deed, VitalScreen

TONES = {State.WELL: Tone.GOOD, State.ALERT: Tone.BAD, State.UNSEEN: Tone.WARN}
_FOOT = (
    ("Enter", "closer"),
    ("n", "next alarm"),
    ("r", "look now"),
    ("F1", "help"),
    ("b", "back"),
    ("q", "leave"),
)
_COLUMNS = (
    Column("state", 6),
    Column("vital", 13),
    Column("now", 30, most=56),
    Column("history", 12, most=60, need=66),
)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")


class WatchScreen(Base):
    """The vitals in a list; Enter opens one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Look closer", show=False),
        Binding("n", "next", "Next alarm", show=False),
        Binding("r", "look", "Look now", show=False),
        Binding("b,escape", "back", "First screen", show=False),
    ]
    KEYS = WATCH_KEYS

    def __init__(self, post: Post) -> None:
        super().__init__()
        self.post = post
        self.seen: Look | None = None
        self._wake = asyncio.Event()
        self._busy = ""

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        yield Rows(_COLUMNS, self._cells, empty="Looking ...", id="vitals")
        yield Text(classes="detail", id="about")
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show what is known, and begin to look."""
        self.query_one("#hello", Text).show(self._hello)
        self.query_one("#about", Text).show(self._about)
        self.query_one(KeyBar).show(_FOOT)
        self.query_one(Notice).tell("")
        self.query_one(Rows).focus()
        self._watch()

    def on_unmount(self) -> None:
        """Let go of the target."""
        self.post.close()

    @work
    async def _watch(self) -> None:
        while True:
            # Before the look: who asks for one while it is under way wants to see what is so after that.
            self._wake.clear()
            await self._look()
            try:
                await asyncio.wait_for(self._wake.wait(), self.post.pause)
            except TimeoutError:
                continue

    async def _look(self) -> None:
        try:
            look = await asyncio.wrap_future(self.post.look())
        except ZenniError as error:
            told = filter(None, (error.what, error.why, error.next_step, "It is tried again by itself."))
            self.tell(" ".join(told), Tone.BAD)
            return
        except OSError as error:
            self.tell(f"This look could not be remembered: {error}", Tone.BAD)
            return
        first, self.seen = self.seen is None, look
        if look.notes:
            self.tell("; ".join(look.notes), Tone.BAD)
        with self.app.batch_update():
            self.query_one(Rows).show(look.vitals)
            self.query_one("#hello", Text).repaint()
            self.query_one("#about", Text).repaint()
        if first:
            self.action_next()

    def _hello(self, width: int) -> list[Line]:
        look, glyphs = self.seen, self.query_one("#hello", Text).glyphs
        head: Line = ((" LIVE ", Tone.LIVE), (" watch  ", Tone.STRONG))
        when = f"at {_time(look.at)}" if look else ""
        label = elide(self.post.target, max(width - 16 - len(when), 12), glyphs)
        return [apart((*head, (label, Tone.PLAIN)), ((when, Tone.DIM),), width), self._summary(width)]

    def _summary(self, width: int) -> Line:
        if self.seen is None:
            return (("Looking for the first time ...", Tone.DIM),)
        alerts = self.seen.alerts
        if not alerts:
            return (("ok ", Tone.GOOD), ("Nothing is raised.", Tone.PLAIN))
        codes = ", ".join(dict.fromkeys(a.alert.code.removeprefix("watch_") for a in alerts))
        return ((f"{len(alerts)} RAISED ", Tone.BAD), (elide(codes, width - 12), Tone.PLAIN))

    def _cells(self, vital: Vital, widths: Sequence[int]) -> Sequence[Line]:
        look = self.seen
        state = look.state(vital) if look else State.UNSEEN
        graph = look.history.get(vital.id, ()) if look else ()
        strong = Tone.STRONG if state is State.ALERT else Tone.PLAIN
        return (
            ((state, TONES[state]),),
            ((vital.title, strong),),
            ((vital.words, strong),),
            ((spark(graph, widths[3], self.query_one(Rows).glyphs), Tone.BUSY),),
        )

    def _about(self, width: int) -> list[Line]:
        vital = self.query_one(Rows).current
        if self.seen is None or vital is None:
            return []
        lines = [line for a in self._of(vital) for line in paragraph(a.alert.text, width, Tone.STRONG)]
        lines += paragraph(vital.unseen, width, Tone.DIM) if vital.unseen else []
        return lines or [((vital.words, Tone.DIM),)]

    def _of(self, vital: Vital) -> tuple[Advised, ...]:
        return tuple(a for a in self.seen.alerts if a.alert.vital == vital.id) if self.seen else ()

    def on_rows_moved(self, _: Rows.Moved) -> None:
        """Tell about what the cursor stands on."""
        self.query_one("#about", Text).repaint()

    def action_open(self) -> None:
        """Show one vital whole, and what would help."""
        vital = self.query_one(Rows).current
        if vital is not None and self.seen is not None:
            self.app.push_screen(VitalScreen(vital, self._of(vital), _time(self.seen.at)), self._chosen)

    def _chosen(self, deed: Deed | None) -> None:
        if deed is None:
            return
        if self._busy:
            self.tell(f"One thing at a time: {self._busy} is not done yet.", Tone.WARN)
            return
        story = f"{'; '.join(deed.remedy.sql)}\n\n{deed.remedy.effect} It is recorded."
        title = f"{deed.remedy.title.capitalize()}?"
        if deed.remedy.word:
            field = Field("word", f"type {deed.remedy.word} to do it")
            form = Form(title, story, [field], judge=partial(mistyped, deed.remedy.word), deed="do it")
            self.app.push_screen(form, lambda found: self._begin(deed, yes=found is not None))
        else:
            choices = (Choice("n", "Leave it as it is"), Choice("y", "Do it"))
            self.app.push_screen(Question(title, story, choices), lambda key: self._begin(deed, yes=key == "y"))

    def _begin(self, deed: Deed, *, yes: bool) -> None:
        if yes:
            self._do(deed)

    @work
    async def _do(self, deed: Deed) -> None:
        self._busy = deed.remedy.title
        self.tell(f"Doing it: {deed.remedy.title} ...", Tone.BUSY)
        try:
            await asyncio.wrap_future(self.post.apply(deed.alert, deed.remedy))
        except ZenniError as error:
            self.tell(f"Not done: {deed.remedy.title}.", Tone.BAD)
            self.problem(error.problem)
        else:
            self.tell(f"Done and recorded: {deed.remedy.title}.", Tone.GOOD)
        finally:
            self._busy = ""
        self._wake.set()

    def action_next(self) -> None:
        """Put the cursor on the next vital with an alarm."""
        rows = self.query_one(Rows)
        if self.seen is None or not self.seen.vitals:
            return
        count = len(self.seen.vitals)
        places = [(rows.cursor + n) % count for n in range(1, count + 1)]
        found = next((p for p in places if self.seen.state(self.seen.vitals[p]) is State.ALERT), None)
        if found is not None:
            rows.cursor = found

    def action_look(self) -> None:
        """Look now."""
        self._wake.set()

    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show one line that stays until the next."""
        self.query_one(Notice).tell(text, tone)

    def help_lines(self, width: int) -> list[Line]:
        """Return what this screen is for."""
        story = (
            "How the target fares after go-live. The program looks at short intervals, with queries that wait for no "
            "lock, and raises what is beyond the limits under [watch]; whoever is named under [notify] is told once. "
            "`zenni-tui watch --once` does the same under cron, with the same memory. Nothing is changed by looking; "
            "what would help is offered with its exact SQL, done at your word, and recorded in zenni_tui.deed."
        )
        return paragraph(story, width)

    def action_back(self) -> None:
        """Go back to the first screen, if there is one."""
        if len(self.app.screen_stack) > 2:  # noqa: PLR2004 - Textual's own, and this one
            self.dismiss()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Leave; nothing runs because of this screen, but for a remedy under way."""
        if self._busy:
            story = f"{self._busy}: leaving now breaks it off; an index that is being made would be left invalid."
            choices = (Choice("n", "Stay"), Choice("y", "Leave all the same"))
            self.app.push_screen(
                Question("Leave?", story, choices), lambda key: self.app.exit() if key == "y" else None
            )
        else:
            self.app.exit()
