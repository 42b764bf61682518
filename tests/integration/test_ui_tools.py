"""The tools: what is found is shown, what breaks is told, what takes long is asked for and can be left."""

import threading
from pathlib import Path

import ui_stories as stories
from ui_pilot import Desk, Runs, front, look, text, wait_for
from ui_stories import UP_TO_PLAN, Story, told

from zenni_tui.model import events as e
from zenni_tui.model.codes import CODES
from zenni_tui.model.runbook import Verdict
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.run import RunScreen
from zenni_tui.ui.screens.start import StartScreen
from zenni_tui.ui.screens.tools import ToolsScreen
from zenni_tui.ui.tools import Paper, Tool

SMALL = (80, 24)


def _planned(make: Runs) -> Story:
    return make(*told(UP_TO_PLAN), e.RunEnded(Verdict.PASSED, 0, 5.0, 50.0), alive=False)


async def test_a_runs_tools_are_one_key_away(make: Runs) -> None:
    """`a` opens them, Enter shows the patch's story, its place and the next step; Esc, b lead back to the run."""
    story = _planned(make)
    app = ZenniApp(Desk(make.home), story.folder)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for(pilot, "application's changes")
        await pilot.press("a")
        await wait_for(pilot, story.folder.name)
        await pilot.press("enter")
        await wait_for(pilot, "What is left to you")
        assert "Nothing is" in text(pilot)
        assert str(story.folder)[:40] in text(pilot)
        await pilot.press("escape", "b")
        await front(pilot, RunScreen)


async def test_what_starts_an_engine_leads_to_its_run(make: Runs) -> None:
    """From the first screen: the question's safe answer does nothing; the other begins, and the run is shown."""
    story = _planned(make)
    begun: list[Path] = []
    desk = Desk(make.home)
    desk.tools = (Tool("verify", "compare once more", begun.append, "An engine compares all rows."),)
    app = ZenniApp(desk)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for(pilot, "tools")
        await pilot.press(*["down"] * 6, "enter")
        await wait_for(pilot, "compare once more")
        await pilot.press("enter")
        await wait_for(pilot, "Verify?")
        await pilot.press("enter")
        await front(pilot, ToolsScreen)
        assert begun == []
        await pilot.press("enter", "y")
        await wait_for(pilot, "REHEARSAL")
        assert begun == [story.folder]
        assert isinstance(app.screen, RunScreen)
        await pilot.press("b")
        await front(pilot, StartScreen)


async def test_a_tool_at_work_can_be_left_but_not_by_mistake(make: Runs) -> None:
    """While one works no other begins; leaving asks; what it brings after that is of no use and breaks nothing."""
    story = _planned(make)
    go_on = threading.Event()

    def slow(_: Path) -> Paper:
        go_on.wait(60)
        return Paper("a dump")

    desk = Desk(make.home)
    desk.tools = (Tool("backup", "a dump", slow),)
    app = ZenniApp(desk, story.folder)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for(pilot, "application's changes")
        await pilot.press("a", "enter")
        await wait_for(pilot, "backup: at work")
        await pilot.press("enter")
        await wait_for(pilot, "One thing at a time: backup is not done yet.")
        await pilot.press("b")
        await wait_for(pilot, "still at work")
        await pilot.press("enter")
        await front(pilot, ToolsScreen)
        await pilot.press("b", "y")
        await front(pilot, RunScreen)
        go_on.set()
        await look(pilot)
        assert isinstance(app.screen, RunScreen)


async def test_a_run_without_an_offer_has_no_tools(make: Runs) -> None:
    """Who only looks on is told so."""
    app = ZenniApp(follow=_planned(make).folder)
    async with app.run_test(size=SMALL) as pilot:
        await look(pilot)
        assert "application's changes" not in text(pilot)
        await pilot.press("a")
        await wait_for(pilot, "There are no tools here.")


async def test_f1_on_a_finding_explains_its_code(make: Runs) -> None:
    """The meaning of the code under the cursor stands in the help, as `explain` tells it."""
    story = make(*told(UP_TO_PLAN[:1]), *stories.blocked(), stories.asked_for_choices())
    async with ZenniApp(follow=story.folder).run_test(size=SMALL) as pilot:
        await wait_for(pilot, "3 findings still block")
        await pilot.press("f1")
        await wait_for(pilot, f"text_nul: {CODES['text_nul'][:20]}")
