"""What keys do: nothing that can't be undone, always answered, with a real control socket at the other end."""

import asyncio
import contextlib
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import ui_stories as stories
from textual.pilot import Pilot
from ui_stories import UP_TO_COPY, UP_TO_PLAN, UP_TO_VERIFIED, Story, told

from zenni_tui.engine import control, folders
from zenni_tui.errors import Occupied, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.request import Command, Reply
from zenni_tui.model.runbook import RunKind, StepId, Verdict
from zenni_tui.ui import terminal
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.keep import rendered
from zenni_tui.ui.screens.modals import Question
from zenni_tui.ui.screens.run import RunScreen
from zenni_tui.ui.screens.start import StartScreen
from zenni_tui.ui.widgets.rows import Rows

LOOK = 0.35


class Desk:
    """An offer that writes a real journal instead of starting an engine, and remembers what it was asked."""

    source = stories.SOURCE
    target = "embedded PostgreSQL"
    live = False
    kinds = (RunKind.REHEARSE, RunKind.CHECK, RunKind.AUDIT, RunKind.PLAN, RunKind.MIGRATE)
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

    def rollback(self, folder: Path) -> None:
        """Take back."""
        self._note(f"rollback {folder.name}")

    def _note(self, what: str) -> None:
        if self.refuse:
            raise self.refuse
        self.asked.append(what)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of this test's own runs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return folders.runs_home()


@pytest.fixture
def make(home: Path) -> Iterator[Callable[..., Story]]:
    """Return a maker of runs in the usual place."""
    made: list[Story] = []
    numbers = itertools.count(10)

    def build(*what: e.AnyEvent, alive: bool = True) -> Story:
        story = Story(home / f"20261122T1015{next(numbers)}Z-rehearse-7f3a", alive=alive)
        made.append(story)
        story.tell(stories.began(), *what)
        return story

    yield build
    for story in made:
        story.close()


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    """Return an offer."""
    desk = Desk(home)
    yield desk
    for story in desk.stories:
        story.close()


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


def text(pilot: Pilot[None]) -> str:
    """Return the screen as one text."""
    return "\n".join(rendered(pilot.app.screen))


async def wait_for(pilot: Pilot[None], word: str, seconds: float = 5.0) -> None:
    """Wait until a word stands on the screen."""
    end = time.monotonic() + seconds
    while word not in text(pilot):
        assert time.monotonic() < end, f"{word!r} never came:\n{text(pilot)}"
        await pilot.pause(0.05)


@pytest.mark.parametrize("key", ["g", "enter"])
async def test_go_is_sent_at_the_gate_and_only_there(make: Callable[..., Story], key: str) -> None:
    """Enter and g go on when the engine waits; otherwise they do nothing."""
    story = make(*told(UP_TO_PLAN))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await pilot.pause(LOOK)
        assert heard == []
        story.tell(stories.gate())
        await wait_for(pilot, "YOUR WORD")
        await pilot.press(key)
        await wait_for(pilot, "go: heard")
        assert [command.name for command in heard] == ["go"]
        assert heard[0].by
        await pilot.pause(0.1)
        assert "YOUR WORD" not in text(pilot)
        await pilot.press(key)
        story.tell(*stories.copying())
        await wait_for(pilot, "copying")
        assert len(heard) == 1


async def test_rollback_asks_and_the_safe_answer_is_first(make: Callable[..., Story]) -> None:
    """F8 asks; Enter and Esc keep everything; only y, or choosing Yes, rolls back."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(LOOK)
        for keys in (("f8", "enter"), ("r", "escape"), ("r", "n"), ("r", "x", "enter")):
            await pilot.press(*keys)
            await pilot.pause()
            assert isinstance(app.screen, RunScreen)
        await pilot.pause(LOOK)
        assert heard == []
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(app.screen, Question)
        assert app.screen.query_one(Rows).current == app.screen.choices[0]
        assert "Lost: nothing" in text(pilot)
        await pilot.press("y")
        await wait_for(pilot, "rollback: heard")
        assert [command.name for command in heard] == ["rollback"]
        await wait_for(pilot, "ROLLING BACK")


async def test_the_rollback_line_takes_focus_and_enter(make: Callable[..., Story]) -> None:
    """Tab reaches the way back, Enter on it asks, Down and Enter say yes."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(LOOK)
        app.screen.query_one("#rollback").focus()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("down", "enter")
        await wait_for(pilot, "rollback: heard")
        assert len(heard) == 1


async def test_stop_asks(make: Callable[..., Story]) -> None:
    """S asks before the engine stops at a safe point, and the header says that it is stopping."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(LOOK)
        await pilot.press("s", "enter", "s", "y")
        await wait_for(pilot, "STOPPING")
        assert [command.name for command in heard] == ["stop"]
        story.tell(e.StepStopped(StepId.COPY, 9.0), e.RunEnded(Verdict.STOPPED, 4, 20.0, 90.0))
        await wait_for(pilot, "STOPPED")
        assert "u resume" in text(pilot)


async def test_a_refused_command_says_so(make: Callable[..., Story]) -> None:
    """The engine's refusal stands on the screen, and the state stays what it was."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story, ok=False), app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(LOOK)
        await pilot.press("s", "y")
        await wait_for(pilot, "not now")
        await wait_for(pilot, "RUNNING")


async def test_a_silent_engine_says_so(make: Callable[..., Story]) -> None:
    """Without a socket the command's failure is told, not swallowed."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(LOOK)
        await pilot.press("s", "y")
        await wait_for(pilot, "the engine does not answer")


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_asks(make: Callable[..., Story], key: str) -> None:
    """Every way out asks while the engine works; Enter stays, d detaches and sends nothing."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(LOOK)
        await pilot.press(key)
        await pilot.pause()
        for word in ("Leave?", "Stay here", "Detach", "Stop, then leave"):
            assert word in text(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)
        await pilot.press(key, "d")
        await pilot.pause()
    assert heard == []
    assert not app.is_running


async def test_stop_then_leave_waits_for_the_safe_point(make: Callable[..., Story]) -> None:
    """Leaving by stop sends it, stays until the engine has ended, and only then goes."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(LOOK)
        await pilot.press("q", "s")
        await wait_for(pilot, "STOPPING")
        assert [command.name for command in heard] == ["stop"]
        assert app.is_running
        story.tell(e.StepStopped(StepId.COPY, 9.0), e.RunEnded(Verdict.STOPPED, 4, 20.0, 90.0))
        for _ in range(40):
            await asyncio.sleep(0.05)
            if app._exit:
                break
        assert app._exit


async def test_a_finished_run_is_left_at_once(make: Callable[..., Story]) -> None:
    """There is nothing to ask about a run that is over."""
    story = make(*told(UP_TO_VERIFIED), *stories.passed())
    story.die()
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "PASSED")
        await pilot.press("q")
        await pilot.pause()
        assert app._exit


async def test_another_step_stays_on_display_until_f(make: Callable[..., Story]) -> None:
    """Arrows pick a step, the run goes on behind it, f follows again."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "whole run")
        await pilot.press("left", "left")
        await wait_for(pilot, "parents before children")
        story.tell(*stories.copied(), *stories.indexing())
        await wait_for(pilot, "index    running")
        assert "parents before children" in text(pilot)
        assert "f follow" in text(pilot)
        await pilot.press("f")
        await wait_for(pilot, "14 of 40 objects")
        await pilot.press("shift+tab", "up")
        await wait_for(pilot, "each with its checkpoint")


async def test_filter(make: Callable[..., Story]) -> None:
    """Slash narrows the list while typing; Esc shows everything again; letters typed there are no commands."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "Payment")
        await pilot.press("slash", *"oo")
        await pilot.pause()
        assert "Payment" not in text(pilot)
        assert "BookingItem" in text(pilot)
        await pilot.press("r", "q")
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert "Payment" in text(pilot)


async def test_help_is_about_what_has_the_focus(make: Callable[..., Story]) -> None:
    """F1 and ? tell of the part with the focus, the step, the keys."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 50)) as pilot:
        await pilot.pause(LOOK)
        await pilot.press("f1")
        await pilot.pause()
        for word in ("A list: Up and Down move", "copy: Carries the rows", "Keys", "safe point"):
            assert word in text(pilot)
        await pilot.press("escape", "shift+tab", "question_mark")
        await pilot.pause()
        assert "The step rail" in text(pilot)


async def test_saving_a_screen(make: Callable[..., Story]) -> None:
    """F2 writes SVG and text, readable by the owner only, and shows the path."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "whole run")
        await pilot.press("f2")
        await wait_for(pilot, "Saved:")
        (svg,), (txt,) = story.folder.glob("screen-*.svg"), story.folder.glob("screen-*.txt")
        assert svg.read_text().startswith("<svg")
        assert "whole run" in txt.read_text()
        assert {svg.stat().st_mode & 0o777, txt.stat().st_mode & 0o777} == {0o600}


async def test_the_palette_knows_the_keys(make: Callable[..., Story]) -> None:
    """Ctrl+P finds a command by its name and does it."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(LOOK)
        await pilot.press("ctrl+p")
        await pilot.pause(LOOK)
        await pilot.press(*"roll back")
        await wait_for(pilot, "key r, F8")
        await pilot.press("enter")
        await wait_for(pilot, "Roll back this run?")


async def test_the_first_screen_rehearses_by_enter(desk: Desk) -> None:
    """With no run yet, Enter starts the rehearsal and shows it."""
    app = ZenniApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "No run yet.")
        screen = text(pilot)
        for word in (stories.SOURCE, "embedded PostgreSQL", "http://127.0.0.1:40411", "rehearse", "migrate", "q leave"):
            assert word in screen
        assert "▸ rehearse" in screen
        await pilot.press("enter")
        await wait_for(pilot, "[F8 Roll back]")
        assert desk.asked == ["start rehearse"]
        await pilot.press("b")
        await wait_for(pilot, "What to do")
        await wait_for(pilot, "attach")


async def test_an_unfinished_run_comes_first(make: Callable[..., Story], desk: Desk) -> None:
    """After an interrupted run, resume and roll back are offered before anything else, and do it."""
    story = make(*told(UP_TO_COPY), alive=False)
    app = ZenniApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "INTERRUPTED")
        assert "▸ resume" in text(pilot)
        assert "interrupted at copy" in text(pilot)
        await pilot.press("down", "enter")
        await wait_for(pilot, "Roll back this run?")
        assert desk.asked == []
        await pilot.press("y")
        await wait_for(pilot, "STARTING")
        assert desk.asked == [f"rollback {story.folder.name}"]


async def test_resume(make: Callable[..., Story], desk: Desk) -> None:
    """`u` resumes a stopped run; the screen waits for the engine's first word and goes on with the same journal."""
    end = (e.StepStopped(StepId.COPY, 9.0), e.RunEnded(Verdict.STOPPED, 4, 20.0, 90.0))
    story = make(*told(UP_TO_COPY), *end, alive=False)
    app = ZenniApp(desk, story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "STOPPED")
        await pilot.press("u")
        await wait_for(pilot, "STARTING")
        assert desk.asked == [f"resume {story.folder.name}"]
        story.lock.acquire("4343")
        story.tell(stories.began(), e.StepStarted(StepId.COPY))
        await wait_for(pilot, "RUNNING")


async def test_past_runs_open(make: Callable[..., Story], desk: Desk) -> None:
    """Past runs are listed with verdict and age; Enter opens one."""
    story = make(*told(UP_TO_VERIFIED), *stories.passed(), alive=False)
    app = ZenniApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "PASSED")
        await wait_for(pilot, "just now")
        assert story.folder.name in text(pilot)
        await pilot.press("tab", "enter")
        await wait_for(pilot, "proven by fingerprint")
        await pilot.press("b")
        await wait_for(pilot, "What to do")


async def test_a_refused_start_is_a_problem(desk: Desk) -> None:
    """What the program refuses is told in its four parts until acknowledged; then the screen is usable again."""
    desk.refuse = Occupied(
        "Another run holds the target.", where="run 7f3a", why="it is alive", next_step="Attach to it."
    )
    app = ZenniApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "rehearse")
        await pilot.press("enter")
        await wait_for(pilot, "Another run holds the target.")
        assert "Attach to it." in text(pilot)
        await pilot.press("enter")
        await wait_for(pilot, "What to do")
        desk.refuse = None
        await pilot.press("enter")
        await wait_for(pilot, "[F8 Roll back]")


def test_an_empty_no_color_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR counts only when it holds something (https://no-color.org)."""
    monkeypatch.setenv("NO_COLOR", "")
    terminal.prepare()
    assert "NO_COLOR" not in os.environ
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.prepare()
    assert os.environ["NO_COLOR"] == "1"


def test_a_lost_terminal_is_noticed() -> None:
    """A hung-up terminal is told from a living one."""
    master, slave = os.openpty()
    assert terminal._there(slave)
    os.close(master)
    assert not terminal._there(slave)
    os.close(slave)


async def test_sixty_columns_are_usable(desk: Desk) -> None:
    """The first screen at 60x20 still shows the default and how to leave."""
    app = ZenniApp(desk)
    async with app.run_test(size=(60, 20)) as pilot:
        await wait_for(pilot, "▸ rehearse")
        assert "q leave" in text(pilot)
        assert isinstance(app.screen, StartScreen)
