"""A drill under way: the screen of a run, with the operator's job above it; then the score."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from zenni_tui.errors import ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.drills import Score
from zenni_tui.report.drills import facts
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.training import Session
from zenni_tui.ui.widgets.bars import keys_line
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.words import Line, Tone, fit, paragraph

from .box import Box
from .modals import Choice, Question
from .run import RunScreen

_LOOK_SECONDS = 0.25
_LABEL = 27
_HEAD = " DRILL  "


class DrillScreen(RunScreen):
    """Everything as in a rehearsal; F9 asks others for what this program can't do."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "ask_others", "Ask others for something", show=False)]
    KEYS = (("F9", "ask others to do something outside of this program"), *RunScreen.KEYS)

    def __init__(self, session: Session) -> None:
        super().__init__(session.folder, session.offer)
        self.session = session
        self._scored = False

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="drill")
        yield from super().compose()

    def on_mount(self) -> None:
        """Show the job, and hear all keys."""
        self.query_one("#drill", Text).show(self._job)
        if isinstance(self.app, ZenniApp):
            self.app.pressed = self.session.key
        self.set_interval(_LOOK_SECONDS, self._look_for_score)

    def on_unmount(self) -> None:
        """Take the drill's range away, however this ends."""
        if isinstance(self.app, ZenniApp):
            self.app.pressed = None
        self.session.close()

    def _job(self, width: int) -> Iterable[Line]:
        message = self.session.message
        text, tone = (message, Tone.WARN) if message else (self.session.facts.job, Tone.PLAIN)
        first, *others = paragraph(text, width, tone, head=(" " * len(_HEAD), Tone.PLAIN))
        return [((_HEAD.rstrip() + " ", Tone.REHEARSAL), (" ", Tone.PLAIN), *first[1:]), *others]

    def _keys(self) -> list[tuple[str, str]]:
        first, *others = super()._keys()
        return [first, ("F9", "ask others"), *others]

    def _look_for_score(self) -> None:
        self.query_one("#drill", Text).repaint()
        if self._scored:
            return
        try:
            score = self.session.score
        except ZenniError as error:
            self._scored = True
            self.problem(error.problem)
            return
        if score is not None:
            self._scored = True
            self.app.push_screen(ScoreScreen(score, str(self.session.sheet_path)), self._done)

    def _problems(self, entries: Sequence[e.Entry]) -> None:
        # What the drill's end did to its run is no trouble of the operator's, who reads the score.
        if not self._scored:
            super()._problems(entries)

    def _done(self, _: bool | None) -> None:  # noqa: FBT001 - Textual's signature
        self._go_away()

    @work
    async def _go_away(self) -> None:
        self.tell("Taking the range away ...", Tone.DIM)
        await asyncio.to_thread(self.session.close)
        # A problem that nobody has acknowledged yet goes, too.
        while self in self.app.screen_stack:
            self.app.pop_screen()

    def action_ask_others(self) -> None:
        """Ask what others shall do."""
        choices = [Choice("n", "Nothing"), *(Choice(str(i), a.label) for i, a in enumerate(self.session.acts, 1))]
        story = "They do it at once. What isn't needed costs them time, and you a wrong command."
        self.app.push_screen(Question("Ask others for something?", story, choices), self._asked_others)

    def _asked_others(self, key: str | None) -> None:
        if key and key.isdecimal():
            act = self.session.acts[int(key) - 1]
            self._act(act.id, act.label)

    @work
    async def _act(self, name: str, label: str) -> None:
        if await self.ask_engine_room(lambda: self.session.act(name)):
            self.tell(f"Done. {label}.")

    def action_back(self) -> None:
        """Ask as the leave key does."""
        self.action_leave()

    def action_leave(self) -> None:
        """Ask, then end the drill where it is."""
        if self._scored:
            self._go_away()
            return
        choices = (Choice("n", "No, go on"), Choice("y", "Yes, end it: not passed"))
        story = "What it made is taken away; your own data have nothing to do with it."
        self.app.push_screen(Question("End this drill?", story, choices), self._ended)

    def _ended(self, key: str | None) -> None:
        if key == "y":
            self.session.leave()
            self.tell("Ending ...", Tone.DIM)


class ScoreScreen(Box[bool]):
    """The score of a drill, until it is read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "close", "Close", show=False)]
    ABOUT = "How the drill went: when the trouble was noticed, what was done about it, whether the data were safe."
    KEYS = (("Up, Down", "read on"), ("Esc, Enter, q", "close it, and the drill with it"))

    def __init__(self, score: Score, path: str) -> None:
        super().__init__()
        self.score = score
        self._path = path

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box"):
            yield Scroll(id="story")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the score."""
        self.query_one("#story", Scroll).show(self._lines)
        self.query_one("#story").focus()
        self.query_one("#how", Text).show(lambda width: [(), keys_line((("Enter", "close the drill"),), width)])

    def _lines(self, width: int) -> Iterable[Line]:
        score = self.score
        word = (" PASSED ", Tone.REHEARSAL) if score.passed else (" NOT PASSED ", Tone.LIVE)
        lines: list[Line] = [((f"Drill {score.drill}  ", Tone.STRONG), word), ()]
        for name, value in facts(score):
            lines += paragraph(value, width, head=(fit(name, _LABEL), Tone.DIM))
        lines.append(())
        for given in score.given:
            tone = {"right": Tone.GOOD, "wrong": Tone.BAD}.get(given.worth, Tone.DIM)
            lines.append(((f"{given.at:7.1f} s  {fit(given.name, 14)}", Tone.PLAIN), (given.worth, tone)))
        return [*lines, (), *paragraph(f"Score sheet: {self._path}", width, Tone.DIM)]

    def action_close(self) -> None:
        """Close the score and the drill."""
        self.dismiss(True)  # noqa: FBT003 - Textual's signature
