"""The switch on the screen: its actions ticked, its words typed, and what F8 means before and behind it."""

from collections.abc import Iterator
from pathlib import Path

from ui_pilot import Desk, Runs, hearing, text, wait_for, wait_until
from ui_stories import UP_TO_VERIFIED, began, told

from zenni_tui.model import events as e
from zenni_tui.model.runbook import RunKind, StepId, Verdict
from zenni_tui.model.switching import Act
from zenni_tui.ui.app import ZenniApp

SWITCH, WATCH, BACK = StepId.SWITCH, StepId.WATCH, StepId.FALL_BACK
DONE = (Act.BUILD, Act.FREEZE, Act.DRAIN, Act.GO_LIVE, Act.ENVIRONMENT, Act.DEPLOY, Act.HEALTH, Act.SMOKE, Act.SETTLE)


def migration() -> list[e.AnyEvent]:
    """Return a migration that has ended verified and waits for its switch."""
    report = (e.StepStarted(StepId.REPORT), e.StepDone(StepId.REPORT, 0.1, "the evidence is written"))
    began_anew = began(live=True, kind=RunKind.MIGRATE)
    return [began_anew, *told(UP_TO_VERIFIED), *report, e.RunEnded(Verdict.WAITING, 0, 90.0, 80.0)]


def done(step: StepId, *acts: Act) -> Iterator[e.AnyEvent]:
    """Yield actions that are done."""
    for act in acts:
        yield e.ActionStarted(step, act, f"the words of {act}")
        yield e.ActionDone(step, act, 0.1, f"{act} is done", 0.05 if act is Act.DEPLOY else 0.0)


def switched() -> Iterator[e.AnyEvent]:
    """Yield a switch and its open window."""
    yield e.RunStarted(
        "run", RunKind.MIGRATE, e.SourceFacts("a.db"), e.TargetFacts("h", 1, "d", "public"), (), 1, live=True
    )
    yield e.Decided(SWITCH, "Aino", "it is time", "SWITCH")
    yield e.StepStarted(SWITCH)
    yield from done(SWITCH, *DONE)
    yield e.StepDone(SWITCH, 1.0, "on the new side")
    yield e.StepStarted(WATCH)
    yield e.WindowOpened(4_000_000_000.0)
    yield e.Progress(WATCH, 3, 5, "writes carried back")


async def test_m_asks_for_the_word_and_starts_the_switch(make: Runs, tmp_path: Path) -> None:
    """A wrong word does nothing, Esc neither; the right one starts an engine with word, name and reason."""
    story = make(*migration(), alive=False)
    desk = Desk(tmp_path)
    app = ZenniApp(desk, follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "m switch over")
        await pilot.press("m")
        await wait_for(pilot, "Switch the application over?")
        await pilot.press(*"switch", "enter")
        await wait_for(pilot, "That is not SWITCH")
        await pilot.press("escape")
        await pilot.press("m")
        await pilot.press(*"SWITCH", "enter")
        await wait_until(pilot, lambda: desk.asked)
    assert desk.asked == [f"switch {story.folder.name} SWITCH"]


async def test_every_action_is_ticked_and_a_failure_told(make: Runs) -> None:
    """Actions stand with their words and what they did; one that fails says why, and what was undone says so."""
    story = make(*migration(), alive=True)
    story.tell(
        e.StepStarted(SWITCH), *done(SWITCH, Act.BUILD), e.ActionStarted(SWITCH, Act.ANNOUNCE, "announce the switch")
    )
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "the words of build")
        assert "The old side serves, on SQLite." in text(pilot)
        assert "announce the switch" in text(pilot)
        problem = e.Problem("The application's command announce failed.", why="It ended with 1.")
        story.tell(
            e.ActionFailed(SWITCH, Act.ANNOUNCE, 0.1, problem), e.ActionReverted(SWITCH, Act.BUILD, 0.0, "nothing")
        )
        await wait_for(pilot, "undone")
        await wait_for(pilot, "The application's command announce failed.")


async def test_in_the_window_f8_falls_back_and_m_ends_it(make: Runs) -> None:
    """With the new side serving the header says so; F8 asks for FALL BACK, m for FINISH, and the engine hears both."""
    story = make(*migration(), *switched(), alive=True)
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "WINDOW OPEN")
        assert "The new side serves, the old file follows. F8 falls back, loses nothing." in text(pilot)
        assert "3 writes carried back, 2 wait" in text(pilot)
        assert "falls back to the old side with every write" in text(pilot)
        await pilot.press("m")
        await wait_for(pilot, "End the rollback window?")
        await pilot.press(*"FINISH", "enter")
        await wait_until(pilot, lambda: len(heard) == 1)
        await pilot.press("f8")
        await wait_for(pilot, "Fall back to the old side?")
        await pilot.press(*"FALL BACK", "tab", "tab", *"slow", "enter")
        await wait_until(pilot, lambda: len(heard) == 2)
        assert [(c.name, c.word, c.why) for c in heard if c.word] == [
            ("finish", "FINISH", ""),
            ("rollback", "FALL BACK", "slow"),
        ]


async def test_behind_a_closed_window_no_way_back_is_offered(make: Runs) -> None:
    """The way back would lose what nothing logs any more: the bar says so, and F8 asks for no word."""
    story = make(*migration(), *switched(), alive=False)
    story.tell(e.StepDone(WATCH, 9.0, "the window is closed"), e.RunEnded(Verdict.PASSED, 0, 99.0, 80.0))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "[F8 Roll back] nothing leads back any more: the rollback window is closed")
        await pilot.press("f8")
        await wait_for(pilot, "Nothing leads back any more")
        assert "FALL BACK" not in text(pilot)


async def test_a_tripped_criterion_stands_on_the_screen(make: Runs) -> None:
    """What trips is told with its limit, and that a person decides."""
    story = make(*migration(), *switched(), alive=True)
    story.tell(e.CriterionTripped("error_rate", "0.25", "0.1"))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "error_rate: 0.25; the limit is 0.1. You decide: F8.")


async def test_behind_a_fall_back_the_old_side_serves(make: Runs) -> None:
    """The header tells who serves, and F8 then takes the tables out as before a switch."""
    story = make(*migration(), *switched(), alive=False)
    story.tell(e.StepStopped(WATCH, 1.0), e.Decided(BACK, "Aino", "slow", "FALL BACK"), e.StepStarted(BACK))
    story.tell(*done(BACK, Act.FREEZE, Act.DRAIN, Act.THAW, Act.HEALTH, Act.SETTLE), e.StepDone(BACK, 1.0, "back"))
    story.tell(e.RunEnded(Verdict.ROLLED_BACK, 5, 1.0, 80.0))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "The old side serves again, with every write of the new one.")
        await pilot.press("f8")
        await wait_for(pilot, "Roll back this run?")
