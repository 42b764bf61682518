"""Keys that pause a run and set its speed, and what the header says of what holds a run up."""

import time

from ui_pilot import Runs, front, hearing, look, text, wait_for, wait_until
from ui_stories import UP_TO_COPY, told

from zenni_tui.engine import control
from zenni_tui.model import events as e
from zenni_tui.model.request import Command, Reply
from zenni_tui.model.runbook import StepId, Verdict
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.run import RunScreen


async def test_p_pauses_and_lets_go_on(make: Runs) -> None:
    """The key asks the engine for the opposite of what is, and the header tells who paused."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        assert "p pause" in text(pilot)
        await pilot.press("p")
        await wait_until(pilot, lambda: len(heard) == 1)
        story.tell(e.Paused("ann on pts/3"))
        await wait_for(pilot, "Paused by ann on pts/3")
        assert "PAUSED" in text(pilot)
        await pilot.press("p")
        await wait_until(pilot, lambda: len(heard) == 2)
        story.tell(e.Unpaused("ann on pts/3"))
        await wait_for(pilot, "RUNNING")
        assert "Paused by" not in text(pilot)
        assert [command.name for command in heard] == ["pause", "unpause"]


async def test_t_sets_what_was_changed_and_nothing_else(make: Runs) -> None:
    """Only fields that differ travel; what is no number is said; Esc changes nothing; the header tells the limit."""
    story = make(*told(UP_TO_COPY), e.Throttled(2))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        await pilot.press("t")
        await wait_for(pilot, "How fast?")
        await pilot.press("escape")
        await pilot.press("t")
        await wait_for(pilot, "How fast?")
        await pilot.press("end", "x", "enter")
        await wait_for(pilot, "is no number")
        await pilot.press("backspace", "backspace", "5", "0", "0", "enter")
        await front(pilot, RunScreen)
        await wait_until(pilot, lambda: heard)
        assert [(c.name, c.rows, c.mb, c.workers) for c in heard] == [("throttle", 500, None, None)]
        story.tell(e.Throttled(2, 500, 0.0, "ann"))
        await wait_for(pilot, "Slowed to 2 workers")


async def test_a_target_that_is_away_is_told(make: Runs) -> None:
    """Since when, when it is tried again, and how long that may go on; gone once the target works again."""
    story = make(*told(UP_TO_COPY))
    now = time.time()
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        story.tell(
            e.Retrying(StepId.COPY, "the line is gone", "table Booking", "no route", now - 120, now + 99, now + 570, 3)
        )
        await wait_for(pilot, "TARGET AWAY")
        assert "The line is gone, 1" in text(pilot)
        assert "trying again in" in text(pilot)
        assert "min left" in text(pilot)
        story.tell(e.Recovered(StepId.COPY, 20.0, 3))
        await wait_for(pilot, "RUNNING")
        assert "trying again" not in text(pilot)


async def test_no_promise_stays_after_its_effect(make: Runs) -> None:
    """When the engine's stop is seen before its reply is shown, the reply is not shown any more."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot)

        def stop_at_once(command: Command) -> Reply:
            story.tell(e.StepStopped(StepId.COPY, 1.0), e.RunEnded(Verdict.STOPPED, 4, 9.0, 90.0))
            screen = app.screen
            assert isinstance(screen, RunScreen)
            screen.poll()
            return Reply(ok=True, message=f"{command.name}: promised")

        server = await control.serve(story.folder, stop_at_once)
        await pilot.press("s", "y")
        await wait_for(pilot, "STOPPED")
        await pilot.app.workers.wait_for_complete()
        await look(pilot)
        assert "promised" not in text(pilot)
        server.close()
        await server.wait_closed()
