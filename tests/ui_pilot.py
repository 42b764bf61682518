"""How screens are tried out: by keys, by the words in their cells, with real journals and a real control socket."""

import asyncio
import contextlib
import itertools
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import ui_stories as stories
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from ui_stories import Story

from zenni_tui.engine import control
from zenni_tui.errors import NotReady, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding
from zenni_tui.model.request import Command, Reply
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.tasks import Timeline
from zenni_tui.ui.keep import rendered
from zenni_tui.ui.offer import Setup
from zenni_tui.ui.post import Post
from zenni_tui.ui.screens.run import RunScreen
from zenni_tui.ui.tools import Paper, Tool
from zenni_tui.ui.training import Training
from zenni_tui.ui.widgets.canvas import Canvas, Lines
from zenni_tui.ui.widgets.rows import Rows
from zenni_tui.ui.words import width_of


class Runs:
    """Makes runs in a folder; their engines are alive unless said otherwise."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._made: list[Story] = []
        self._numbers = itertools.count(10)

    def __call__(self, *what: e.AnyEvent, alive: bool = True, live: bool = False) -> Story:
        """Make a run that has come this far."""
        story = Story(self.home / f"20261122T1015{next(self._numbers)}Z-rehearse-7f3a", alive=alive)
        self._made.append(story)
        story.tell(stories.began(live=live), *what)
        return story

    def close(self) -> None:
        """Put all away."""
        for story in self._made:
            story.close()


PATCH = Paper(
    """\
# shop: what changes for PostgreSQL (Prisma 6)

- `prisma/schema.prisma`: the provider, and types that PostgreSQL has
- `prisma/migrations/20261122101500_baseline/migration.sql` (new): makes an empty database
- `.env.example`: how the settings look

## What is left to you

- Set `DATABASE_URL` and `DIRECT_URL` where the new build runs; then `npx prisma generate`.
- Try it: `npx prisma validate`; against the filled database `npx prisma migrate status`.""",
    next_step="In the project's folder: git apply updates.patch. Nothing is applied yet.",
)


def _refused(run: Path) -> Paper:
    raise NotReady("No run has read the application's code yet.", where=str(run), next_step="Rehearse first.")


class Desk:
    """An offer that writes a real journal instead of starting an engine, and remembers what it was asked."""

    source = stories.SOURCE
    target = "embedded PostgreSQL"
    live = False
    setup: Setup | None = None
    post: Callable[[], Post] | None = None
    training: Training | None = None
    timeline = Timeline()
    kinds = (RunKind.REHEARSE, RunKind.CHECK, RunKind.AUDIT, RunKind.PLAN, RunKind.MIGRATE)
    tools = (
        Tool(
            "updates",
            "the application's own changes for PostgreSQL, as a patch",
            lambda run: PATCH._replace(where=str(run)),
        ),
        Tool("queries", "the SQL in the application's code", _refused),
        Tool("verify", "compare every row once more", lambda _: None, "An engine compares all rows again."),
    )
    hints = ("demo application: http://127.0.0.1:40411",)

    def __init__(self, home: Path) -> None:
        self.home = home
        self.asked: list[str] = []
        self.refuse: ZenniError | None = None
        self.stories: list[Story] = []

    def start(self, kind: RunKind) -> Path:
        """Begin a run."""
        self._note(f"start {kind}")
        story = Story(self.home / "started")
        story.tell(stories.began(kind=kind))
        self.stories.append(story)
        return story.folder

    def resume(self, folder: Path) -> None:
        """Go on."""
        self._note(f"resume {folder.name}")

    def keep(self, findings: Sequence[Finding]) -> str:
        """Keep what was chosen."""
        self._note(f"keep {', '.join(f.chosen for f in findings if f.chosen)}")
        return "kept for the next run"

    def check_again(self, folder: Path) -> None:
        """Look again at what stood in the way."""
        self._note(f"check again {folder.name}")

    def rollback(self, folder: Path, said: Mapping[str, str] | None = None) -> None:
        """Take back."""
        self._note(f"rollback {folder.name} {said['word']}" if said else f"rollback {folder.name}")

    def switch(self, folder: Path, said: Mapping[str, str]) -> None:
        """Switch over."""
        self._note(f"switch {folder.name} {said['word']}")

    def _note(self, what: str) -> None:
        if self.refuse:
            raise self.refuse
        self.asked.append(what)


class Effort:
    """Counts the calls that are made within it: what work costs, whatever the machine and its load."""

    def __enter__(self) -> Self:
        self.calls = 0
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _called(self, _: object, event: str, __: object) -> None:
        self.calls += event in ("call", "c_call")


@contextlib.asynccontextmanager
async def hearing(story: Story, *, ok: bool = True) -> AsyncIterator[list[Command]]:
    """Serve a run's control socket; yield the commands that come in."""
    heard: list[Command] = []

    def answer(command: Command) -> Reply:
        heard.append(command)
        return Reply(ok, f"{command.name}: heard" if ok else "not now")

    server = await control.serve(story.folder, answer)
    yield heard
    server.close()
    await server.wait_closed()


@contextlib.asynccontextmanager
async def choosing(story: Story) -> AsyncIterator[list[Command]]:
    """Serve a run's control socket as an engine does that takes choices: heeds those on offer, refuses the others."""
    heard: list[Command] = []

    def answer(command: Command) -> Reply:
        heard.append(command)
        if command.name != "choose":
            return Reply(ok=True, message=f"{command.name}: heard")
        finding = next(f for f in story.journal.state.findings if f.id == command.finding)
        if command.repair and Choices({finding.id: command.repair}).chosen(finding) is None:
            return Reply(ok=False, message=f"{command.repair} is not on offer for {finding.id}")
        if command.repair.endswith("refuse me"):
            return Reply(ok=False, message="the engine would rather not")
        story.tell(e.Chosen(finding.id, command.repair, command.by))
        return Reply(ok=True, message=f"{finding.id}: {command.repair or 'no choice'}")

    server = await control.serve(story.folder, answer)
    yield heard
    server.close()
    await server.wait_closed()


def text(pilot: Pilot[None]) -> str:
    """Return the screen as one text."""
    return "\n".join(rendered(pilot.app.screen))


async def wait_for(pilot: Pilot[None], word: str, seconds: float = 60.0) -> None:
    """Wait until a word stands on the screen, and whatever comes with it."""
    await wait_until(pilot, lambda: word in text(pilot), seconds, repr(word))
    await pilot.pause()


async def wait_without(pilot: Pilot[None], word: str) -> None:
    """Wait until a word stands on the screen no longer."""
    await wait_until(pilot, lambda: word not in text(pilot), what=f"a screen without {word!r}")


async def wait_until(pilot: Pilot[None], holds: Callable[[], object], seconds: float = 60.0, what: str = "it") -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what} never came:\n{text(pilot)}"
        await pilot.pause(0.05)


async def front(pilot: Pilot[None], kind: type[Screen[Any]]) -> None:
    """Wait until a screen of a kind stands in front, and is drawn."""
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, kind), what=kind.__name__)
    await pilot.pause()


async def look(pilot: Pilot[None]) -> None:
    """Wait until the screens of runs have looked at their journals once more, and have shown what they saw."""
    await pilot.pause()
    before = [(s, s.now) for s in pilot.app.screen_stack if isinstance(s, RunScreen)]
    await wait_until(
        pilot, lambda: all(s.now is not now or not s.is_attached for s, now in before), what="another look"
    )
    await pilot.pause()


async def leaves(pilot: Pilot[None], seconds: float = 60.0) -> None:
    """Wait until the program ends."""
    end = time.monotonic() + seconds
    while not pilot.app._exit:
        assert time.monotonic() < end, f"The program is still there:\n{text(pilot)}"
        await asyncio.sleep(0.05)


def stands_whole(pilot: Pilot[None]) -> None:
    """Check by the cells of the screen in front that no text is cut off and no part lies over another."""
    screen = pilot.app.screen
    assert _cut_off(screen) == []
    assert _overlapping(screen) == []


def _cut_off(screen: Screen[object]) -> list[str]:
    """Return which texts of a screen have lines that are wider than their place, or lines without a place."""
    found = []
    for widget in screen.query(Canvas):
        region = widget.scrollable_content_region
        if not widget.is_on_screen or not region.area:
            continue
        lines = widget.lines if isinstance(widget, Lines) else ()
        found += [f"{widget}: {line}" for line in lines if width_of(line) > region.width]
        hidden = widget.virtual_size.height > region.height and not widget.focusable
        found += [f"{widget}: {widget.virtual_size.height} lines"] if hidden and "detail" not in widget.classes else []
    for rows in screen.query(Rows):
        found += _beyond_the_edge(rows) if rows.is_on_screen and rows.region.area else []
    return found


def _beyond_the_edge(rows: Rows) -> list[str]:
    """Return which lines of a list are wider than it is."""
    width = rows.scrollable_content_region.width
    lines = [rows._head_line(), *(rows._line(n) for n in range(len(rows.items)))]
    texts = ("".join(text for text, _ in line).rstrip() for line in lines)
    return [f"{rows}: {text}" for text in texts if cell_len(text) > width]


def _overlapping(screen: Screen[object]) -> list[str]:
    """Return which parts of a screen share cells though neither holds the other."""
    leaves: list[Widget] = [w for w in screen.query(Canvas) if w.is_on_screen and w.region.area]
    pairs = ((a, b) for n, a in enumerate(leaves) for b in leaves[n + 1 :])
    return [f"{a} and {b}" for a, b in pairs if a.region.overlaps(b.region)]
