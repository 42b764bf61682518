"""The first screen: from where to where, what can be done, and the runs of the past."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from zenni_tui.engine import client
from zenni_tui.model.runbook import RunKind, Verdict
from zenni_tui.ui.offer import Offer
from zenni_tui.ui.situation import Situation, shown_step, state_word
from zenni_tui.ui.stories import DRILL_STORY, KIND_STORIES, LEARN_STORY, START_KEYS, WHAT_THIS_IS
from zenni_tui.ui.widgets.bars import KeyBar, Notice
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, ago, elide, fit, paragraph

from .base import Base

_SHOWN_RUNS = 200
_FOOT = (("Enter", "do it"), ("Up/Down", "choose"), ("F1", "help"), ("q", "leave"), ("^p", "commands"), ("F2", "save"))


class Deed(NamedTuple):
    """Something that can be done from here; `folder` is the run it is about."""

    name: str
    story: str
    kind: RunKind | None = None
    folder: Path | None = None
    screen: Callable[[Offer], Screen[None]] | None = None


def _tasks(offer: Offer) -> Screen[None]:
    from .tasks import TasksScreen  # noqa: PLC0415 - the first screen shows sooner without it

    return TasksScreen(offer)


def _tools(run: Path) -> Deed:
    def open_tools(offer: Offer) -> Screen[None]:
        from .run import RunScreen  # noqa: PLC0415 - as above
        from .tools import ToolsScreen  # noqa: PLC0415 - as above

        screen = ToolsScreen(offer.tools, run, lambda: screen.app.push_screen(RunScreen(run, offer)))
        return screen

    return Deed("tools", "the application's own changes, queries, backup, documents, codes", screen=open_tools)


def _rooms(offer: Offer, last: Path | None) -> list[Deed]:
    found = [Deed("tasks", "every task of the plan, its weeks and risks; sign off", screen=_tasks)]
    found += [_tools(last)] if last else []
    post = offer.post
    if post is None:
        return found
    from .watch import WatchScreen  # noqa: PLC0415 - as above

    story = "the target after go-live: what is slow, full or locked"
    return [*found, Deed("watch", story, screen=lambda _: WatchScreen(post()))]


def _training(offer: Offer) -> list[Deed]:
    training = offer.training
    if training is None:
        return []
    from .drills import DrillsScreen  # noqa: PLC0415 - as above
    from .lessons import LessonsScreen  # noqa: PLC0415 - as above

    return [
        Deed("learn", LEARN_STORY, screen=lambda _: LessonsScreen(training)),
        Deed("drill", DRILL_STORY, screen=lambda _: DrillsScreen(training)),
    ]


def _deed_cells(deed: Deed, _: Sequence[int]) -> Sequence[Line]:
    tone = Tone.WARN if deed.folder else Tone.STRONG
    return (((deed.name, tone),), ((deed.story, Tone.DIM),))


def _run_cells(now: Situation, _: Sequence[int]) -> Sequence[Line]:
    step = shown_step(now.state)
    return (
        ((now.folder.name, Tone.PLAIN),),
        (state_word(now),),
        ((step or "", Tone.DIM),),
        (("LIVE" if now.state.live else "", Tone.BAD),),
        ((ago(now.now - now.state.started) if now.state.started else "", Tone.DIM),),
    )


def situation_of(folder: Path) -> Situation:
    """Return how a run stands."""
    follower = client.Follower(folder)
    alive = follower.alive
    follower.poll()
    return Situation(folder, follower.state, alive, time.time())


def _unfinished(last: Situation) -> list[Deed]:
    state, name = last.state, last.folder.name
    at = f"{state_word(last)[0].lower()} at {shown_step(state) or 'the start'}"
    if last.alive:
        return [Deed("attach", f"{name} is at work", folder=last.folder)]
    if not last.can_resume or not (last.written or last.interrupted or state.verdict is Verdict.STOPPED):
        return []
    resume = Deed("resume", f"{name}: {at}", folder=last.folder)
    return [resume, Deed("roll back", f"{name}: {at}", folder=last.folder)] if last.written else [resume]


class StartScreen(Base):
    """What can be done, the default first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Do it", show=False)]
    KEYS = START_KEYS

    def __init__(self, offer: Offer) -> None:
        super().__init__()
        self.offer = offer
        self._busy = False

    def compose(self) -> ComposeResult:
        """Return the parts of the screen."""
        yield Text(id="hello")
        yield Text(id="what", classes="title")
        yield Rows((Column("", 9), Column("", 20, most=160)), _deed_cells, spill=True, id="deeds")
        yield Text(id="past", classes="title")
        columns = (
            Column("", 26, most=32),
            Column("", 15),
            Column("", 8, need=66),
            Column("", 4, need=74),
            Column("", 10, right=True),
        )
        yield Rows(columns, _run_cells, spill=True, empty="No run yet.", id="runs")
        yield Notice()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show what is known at once."""
        self.query_one("#hello", Text).show(self._hello)
        self.query_one("#what", Text).show(lambda _: [(("What to do", Tone.STRONG),)])
        self.query_one("#past", Text).show(lambda _: [(("Past runs", Tone.STRONG),)])
        self.query_one(KeyBar).show(_FOOT)
        self.query_one(Notice).tell("")
        self.query_one("#deeds", Rows).focus()

    def on_screen_resume(self) -> None:
        """Look again what can be done; what stands first never changes under the operator's hand."""
        if not self.query("#deeds"):
            return
        last = client.last_run()
        deeds = _unfinished(situation_of(last)) if last else []
        kinds = sorted(self.offer.kinds, key=lambda kind: kind is not RunKind.REHEARSE)
        deeds += [Deed(kind, KIND_STORIES[kind], kind) for kind in kinds]
        deeds += (_rooms(self.offer, last) if kinds else []) + _training(self.offer)
        if self.offer.setup and not kinds:
            deeds.insert(0, Deed("set up", "name the SQLite file and the PostgreSQL, test both", screen=self._set_up))
        self.query_one("#deeds", Rows).show(deeds)
        self._list_runs()

    # In a group of its own: it must not break off a start that is under way.
    @work(exclusive=True, group="runs")
    async def _list_runs(self) -> None:
        runs = await asyncio.to_thread(_past_runs)
        if not self.gone:
            self.query_one("#runs", Rows).show(runs)

    def _set_up(self, offer: Offer) -> Screen[None]:
        from .setup import SetupScreen  # noqa: PLC0415 - the first screen shows sooner without it

        assert offer.setup is not None  # noqa: S101 - only then it is on offer
        return SetupScreen(offer.setup, self._take_offer)

    def _take_offer(self, offer: Offer) -> None:
        self.offer = offer
        self.query_one("#hello", Text).show(self._hello)
        self.on_screen_resume()
        self.tell("Written: config.toml, which only you can read.", Tone.GOOD)

    def _hello(self, width: int) -> list[Line]:
        offer, glyphs = self.offer, self.query_one(Text).glyphs
        room = width - 6
        live: Line = ((" LIVE ", Tone.LIVE), (" ", Tone.PLAIN)) if offer.live else ()
        return [
            (("zenni-tui  ", Tone.STRONG), (elide(WHAT_THIS_IS, width - 11, glyphs), Tone.DIM)),
            (),
            ((fit("from", 6), Tone.DIM), (elide(offer.source, room, glyphs, left=True), Tone.PLAIN)),
            ((fit("to", 6), Tone.DIM), *live, (elide(offer.target, room - 7 * offer.live, glyphs), Tone.PLAIN)),
            *(line for hint in offer.hints for line in paragraph(hint, width, Tone.DIM)),
        ]

    def tell(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show one line that stays until the next."""
        self.query_one(Notice).tell(text, tone)

    def help_lines(self, width: int) -> list[Line]:
        """Return what the choices mean."""
        intro = (
            "Nothing here writes to the source. A rehearsal runs the whole migration into the target shown above, "
            "compares every value, and takes everything back. Every run waits for your word before its first write."
        )
        lines = paragraph(intro, width)
        for kind in self.offer.kinds:
            lines += paragraph(KIND_STORIES[kind], width, head=(fit(kind, 11), Tone.STRONG))
        return lines

    def action_leave(self) -> None:
        """Leave; nothing runs because of this screen."""
        self.app.exit()

    def action_choose(self) -> None:
        """Do what the cursor stands on."""
        rows = self.focused
        item = rows.current if isinstance(rows, Rows) else None
        if isinstance(item, Situation):
            self._open(item.folder)
        elif isinstance(item, Deed) and not self._busy:
            self._do(item)

    @work
    async def _do(self, deed: Deed) -> None:
        self._busy = True
        try:
            if deed.screen is not None:
                self.app.push_screen(deed.screen(self.offer))
            elif deed.kind is not None:
                await self._start(deed.kind)
            elif deed.folder is not None:
                self._open(deed.folder, deed.name)
        finally:
            self._busy = False

    async def _start(self, kind: RunKind) -> None:
        self.tell(f"Starting: {kind}", Tone.DIM)
        started = await self.ask_engine_room(lambda: self.offer.start(kind))
        self.tell("")
        if started:
            self._open(started[0])

    def _open(self, folder: Path, deed: str = "") -> None:
        from .run import RunScreen  # noqa: PLC0415 - the first screen shows sooner without it

        screen = RunScreen(folder, self.offer, known=deed in {"resume", "roll back"})
        self.app.push_screen(screen)
        if deed == "resume":
            self.app.call_later(screen.action_resume)
        elif deed == "roll back":
            self.app.call_later(screen.action_roll_back)


def _past_runs() -> list[Situation]:
    found: list[Situation] = []
    for run in client.runs():
        found.append(Situation(Path(run.folder), run.state, run.alive, time.time()))
        if len(found) >= _SHOWN_RUNS:
            break
    return found
