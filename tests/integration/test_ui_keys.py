"""What keys do: nothing that can't be undone, always answered, with a real control socket at the other end."""

import os
import signal
import subprocess
import sys

import pytest
import ui_stories as stories
from ui_pilot import Runs, front, hearing, leaves, look, text, wait_for, wait_until, wait_without
from ui_stories import UP_TO_COPY, UP_TO_PLAN, UP_TO_VERIFIED, told

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId, Verdict
from zenni_tui.ui import terminal
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.modals import Question
from zenni_tui.ui.screens.run import RunScreen
from zenni_tui.ui.widgets.rows import Rows


@pytest.mark.parametrize("key", ["g", "enter"])
async def test_go_is_sent_at_the_gate_and_only_there(make: Runs, key: str) -> None:
    """Enter and g go on when the engine waits; otherwise they do nothing."""
    story = make(*told(UP_TO_PLAN))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await look(pilot)
        assert heard == []
        story.tell(stories.gate())
        await wait_for(pilot, "YOUR WORD")
        await pilot.press(key)
        await wait_for(pilot, "go: heard")
        assert [command.name for command in heard] == ["go"]
        assert heard[0].by
        await wait_without(pilot, "YOUR WORD")
        await pilot.press(key)
        story.tell(*stories.copying())
        await wait_for(pilot, "copying")
        assert len(heard) == 1


async def test_a_question_that_wants_a_word_takes_no_other(make: Runs) -> None:
    """The key opens a box; what is not the word is told and not sent; Esc leaves; the word goes with its reason."""
    story = make(*told(UP_TO_PLAN), e.Waiting(StepId.PREPARE, "Not rehearsed. Write all the same?", "UNREHEARSED"))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "g type UNREHEARSED")
        await pilot.press("g")
        await wait_for(pilot, "type UNREHEARSED to go on")
        assert "Not rehearsed. Write all the same?" in text(pilot)
        await pilot.press("enter")
        await wait_for(pilot, "That is not UNREHEARSED")
        await pilot.press("escape")
        await pilot.press("g")
        await wait_for(pilot, "type UNREHEARSED to go on")
        await pilot.press(*"UNREHEARSED", "down", *"tonight", "enter")
        await wait_for(pilot, "go: heard")
        assert [(c.name, c.word, c.why) for c in heard] == [("go", "UNREHEARSED", "tonight")]


async def test_rollback_asks_and_the_safe_answer_is_first(make: Runs) -> None:
    """F8 asks; Enter and Esc keep everything; only y, or choosing Yes, rolls back."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        for keys in (("f8", "enter"), ("r", "escape"), ("r", "n"), ("r", "x", "enter")):
            await pilot.press(keys[0])
            await wait_for(pilot, "Roll back this run?")
            await pilot.press(*keys[1:])
            await front(pilot, RunScreen)
        await look(pilot)
        assert heard == []
        await pilot.press("r")
        await wait_for(pilot, "Roll back this run?")
        assert isinstance(app.screen, Question)
        assert app.screen.query_one(Rows).current == app.screen.choices[0]
        assert "Lost: nothing" in text(pilot)
        await pilot.press("y")
        await wait_for(pilot, "rollback: heard")
        assert [command.name for command in heard] == ["rollback"]
        await wait_for(pilot, "ROLLING BACK")


async def test_the_rollback_line_takes_focus_and_enter(make: Runs) -> None:
    """Tab reaches the way back, Enter on it asks, Down and Enter say yes."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        app.screen.query_one("#rollback").focus()
        await pilot.press("enter")
        await wait_for(pilot, "Roll back this run?")
        await pilot.press("down", "enter")
        await wait_for(pilot, "rollback: heard")
        assert len(heard) == 1


async def test_stop_asks(make: Runs) -> None:
    """S asks before the engine stops at a safe point, and the header says that it is stopping."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        await pilot.press("s", "enter", "s", "y")
        await wait_for(pilot, "STOPPING")
        await wait_until(pilot, lambda: heard)
        assert [command.name for command in heard] == ["stop"]
        story.tell(e.StepStopped(StepId.COPY, 9.0), e.RunEnded(Verdict.STOPPED, 4, 20.0, 90.0))
        await wait_for(pilot, "STOPPED")
        assert "u resume" in text(pilot)


async def test_a_refused_command_says_so(make: Runs) -> None:
    """The engine's refusal stands on the screen, and the state stays what it was."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story, ok=False), app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        await pilot.press("s", "y")
        await wait_for(pilot, "not now")
        await wait_for(pilot, "RUNNING")


async def test_a_silent_engine_says_so(make: Runs) -> None:
    """Without a socket the command's failure is told, not swallowed."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        await pilot.press("s", "y")
        await wait_for(pilot, "The engine does not answer")


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_asks(make: Runs, key: str) -> None:
    """Every way out asks while the engine works; Enter stays, d detaches and sends nothing."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        await pilot.press(key)
        await wait_for(pilot, "Leave?")
        for word in ("Leave?", "Stay here", "Detach", "Stop, then leave"):
            assert word in text(pilot)
        await pilot.press("enter")
        await front(pilot, RunScreen)
        assert not app._exit
        await pilot.press(key)
        await wait_for(pilot, "Leave?")
        await pilot.press("d")
        await leaves(pilot)
    assert heard == []


async def test_stop_then_leave_waits_for_the_safe_point(make: Runs) -> None:
    """Leaving by stop sends it, stays until the engine has ended, and only then goes."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        await pilot.press("q", "s")
        await wait_for(pilot, "STOPPING")
        await wait_until(pilot, lambda: heard)
        await look(pilot)
        assert [command.name for command in heard] == ["stop"]
        assert not app._exit
        story.tell(e.StepStopped(StepId.COPY, 9.0), e.RunEnded(Verdict.STOPPED, 4, 20.0, 90.0))
        await leaves(pilot)


async def test_a_finished_run_is_left_at_once(make: Runs) -> None:
    """There is nothing to ask about a run that is over."""
    story = make(*told(UP_TO_VERIFIED), *stories.passed())
    story.die()
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "PASSED")
        await pilot.press("q")
        await leaves(pilot)


async def test_another_step_stays_on_display_until_f(make: Runs) -> None:
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


async def test_filter(make: Runs) -> None:
    """Slash narrows the list while typing; Esc shows everything again; letters typed there are no commands."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "Payment")
        await pilot.press("slash", *"oo")
        await wait_without(pilot, "Payment")
        assert "BookingItem" in text(pilot)
        await pilot.press("r", "q")
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)
        await pilot.press("escape")
        await wait_for(pilot, "Payment")


async def test_tables_are_put_into_another_order(make: Runs) -> None:
    """`v` sorts by name, then the largest first, and comes back to the plan's order in the end."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 40)) as pilot:
        await wait_for(pilot, "Payment")

        def order() -> list[str]:
            lines = text(pilot).splitlines()
            return [name for line in lines for name in ("User ", "AuditLog ", "OpeningHours ") if f" {name}" in line]

        assert order() == ["User ", "OpeningHours ", "AuditLog "]
        await pilot.press("v")
        await wait_until(pilot, lambda: order() == ["AuditLog ", "OpeningHours ", "User "], what="by name")
        await pilot.press("v")
        await wait_until(pilot, lambda: order() == ["AuditLog ", "User ", "OpeningHours "], what="the largest first")
        await pilot.press("v", "v", "v")
        await wait_until(pilot, lambda: order() == ["User ", "OpeningHours ", "AuditLog "], what="the plan's order")


async def test_help_is_about_what_has_the_focus(make: Runs) -> None:
    """F1 and ? tell of the part with the focus, the step, the keys."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 50)) as pilot:
        await look(pilot)
        await pilot.press("f1")
        await wait_for(pilot, "Keys")
        for word in ("A list: Up and Down move", "copy: Carries the rows", "Keys", "safe point"):
            assert word in text(pilot)
        await pilot.press("escape", "shift+tab", "question_mark")
        await wait_for(pilot, "The step rail")


async def test_saving_a_screen(make: Runs) -> None:
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


async def test_the_palette_knows_the_keys(make: Runs) -> None:
    """Ctrl+P finds a command by its name and does it."""
    app = ZenniApp(follow=make(*told(UP_TO_COPY)).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        await pilot.press("ctrl+p")
        await wait_for(pilot, "part of a command")
        await pilot.press(*"roll back")
        await wait_for(pilot, "key r, F8")
        await pilot.press("enter")
        await wait_for(pilot, "Roll back this run?")


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


def test_a_screen_that_begins_on_a_lost_terminal_ends() -> None:
    """A line that dropped before the screen could look, and whose signal was ignored, leaves no process behind."""
    master, slave = os.openpty()
    os.close(master)
    words = "import time; from zenni_tui.ui import terminal; terminal.watch_line(); time.sleep(60)"
    done = subprocess.run([sys.executable, "-c", words], stdin=slave, check=False)
    os.close(slave)
    assert done.returncode == 128 + signal.SIGHUP
