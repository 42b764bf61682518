"""The first screen: what it offers, what it starts, and the runs of the past."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import ui_stories as stories
from ui_pilot import Desk, Runs, front, text, wait_for, wait_until
from ui_stories import UP_TO_COPY, UP_TO_VERIFIED, told

from zenni_tui.errors import Occupied
from zenni_tui.model import events as e
from zenni_tui.model.runbook import RunKind, StepId, Verdict
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.run import RunScreen
from zenni_tui.ui.screens.start import StartScreen


@pytest.fixture
def desk(make: Runs) -> Iterator[Desk]:
    """Return an offer."""
    desk = Desk(make.home)
    yield desk
    for story in desk.stories:
        story.close()


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


async def test_an_unfinished_run_comes_first(make: Runs, desk: Desk) -> None:
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
        await wait_until(pilot, lambda: desk.asked)
        assert desk.asked == [f"rollback {story.folder.name}"]


async def test_resume(make: Runs, desk: Desk) -> None:
    """`u` resumes a stopped run; the screen waits for the engine's first word and goes on with the same journal."""
    end = (e.StepStopped(StepId.COPY, 9.0), e.RunEnded(Verdict.STOPPED, 4, 20.0, 90.0))
    story = make(*told(UP_TO_COPY), *end, alive=False)
    app = ZenniApp(desk, story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "STOPPED")
        await pilot.press("u")
        await wait_for(pilot, "STARTING")
        await wait_until(pilot, lambda: desk.asked)
        assert desk.asked == [f"resume {story.folder.name}"]
        story.lock.acquire("4343")
        story.tell(stories.began(), e.StepStarted(StepId.COPY))
        await wait_for(pilot, "RUNNING")


async def test_past_runs_open(make: Runs, desk: Desk) -> None:
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


async def test_sixty_columns_are_usable(desk: Desk) -> None:
    """The first screen at 60x20 still shows the default and how to leave."""
    app = ZenniApp(desk)
    async with app.run_test(size=(60, 20)) as pilot:
        await wait_for(pilot, "▸ rehearse")
        assert "q leave" in text(pilot)
        assert isinstance(app.screen, StartScreen)


async def test_a_check_that_broke_is_looked_at_again_by_a_key(desk: Desk, make: Runs) -> None:
    """K asks for an engine that climbs again what broke; what each check looked at stands beside what it found."""
    broke = e.CheckMade(StepId.REACH, "tcp", False, "Nothing listens.", "Check the port.", "a TCP connection")  # noqa: FBT003 - a record
    problem = e.Problem("Nothing listens.", "db:5432", "refused", "Check the port.", 3)
    story = make(
        stories.began(),
        e.StepStarted(StepId.REACH),
        broke,
        e.StepFailed(StepId.REACH, 0.5, problem),
        e.RunEnded(Verdict.NOT_READY, 3, 1.0, 50.0, problem),
        alive=False,
    )
    app = ZenniApp(desk, story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "PROBLEM")
        await pilot.press("enter")
        await front(pilot, RunScreen)
        await pilot.press("k")
        await wait_until(pilot, lambda: desk.asked)
        assert desk.asked == [f"check again {story.folder.name}"]
        assert "looked at: a TCP connection" in text(pilot)


async def test_help_does_not_break_off_a_start(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads the help while a run is being started comes to that run all the same."""
    may, start = threading.Event(), desk.start

    def slow(kind: RunKind) -> Path:
        may.wait(60.0)
        return start(kind)

    monkeypatch.setattr(desk, "start", slow)
    app = ZenniApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "rehearse")
        await pilot.press("enter")
        await wait_for(pilot, "Starting: rehearse")
        await pilot.press("f1")
        await wait_for(pilot, "Nothing here writes")
        await pilot.press("escape")
        await wait_for(pilot, "What to do")
        may.set()
        await wait_for(pilot, "[F8 Roll back]")
