"""Every drill, passed and failed, by keys, with a real engine and a real server into which something breaks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from ui_pilot import Desk, look, text, wait_for, wait_until

from zenni_tui.cli import Options
from zenni_tui.engine import folders, ledger
from zenni_tui.model.drills import Score
from zenni_tui.model.record import from_json
from zenni_tui.sandbox.drills import PLANS
from zenni_tui.sandbox.range import Pace
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.drill import DrillScreen
from zenni_tui.verbs.drilling import Session, _clear, drills_home
from zenni_tui.verbs.school import School

SMALL = (80, 24)
PACE = Pace(bookings=3000, rate=200_000, limit=300.0)
HURRY = PACE._replace(limit=2.0)
PATIENCE = 120.0


class Hall:
    """A school, the program's screen in it, and what it left behind."""

    def __init__(self, pilot: Pilot[None], school: School) -> None:
        self.pilot = pilot
        self.school = school

    async def see(self, *words: str) -> None:
        """Wait until all words stand on the screen."""
        for word in words:
            await wait_for(self.pilot, word, PATIENCE)

    async def press(self, *keys: str) -> None:
        """Press keys, each seen before the next."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause(0.05)

    async def answer(self, key: str, question: str, reply: str) -> None:
        """Press a key that asks, and reply to the question when it stands there."""
        await self.press(key)
        await self.see(question)
        await self.press(reply)

    async def others(self, number: str) -> None:
        """Ask others for something."""
        await self.answer("f9", "Ask others for something?", number)
        await self.see("Done.")

    async def understood(self, *words: str) -> None:
        """Read a problem and acknowledge it."""
        await self.see("PROBLEM", *words)
        await self.press("enter")

    @property
    def session(self) -> Session:
        """Return the drill under way."""
        (screen,) = (s for s in self.pilot.app.screen_stack if isinstance(s, DrillScreen))
        assert isinstance(screen.session, Session)
        return screen.session

    async def struck(self) -> None:
        """Wait until the fault is there."""
        await wait_until(self.pilot, lambda: self.session._card.struck is not None, PATIENCE, "the fault")

    async def given(self, *names: str) -> None:
        """Wait until the drill knows of these commands."""
        await wait_until(
            self.pilot, lambda: tuple(g.name for g in self.session._card._given) == names, PATIENCE, str(names)
        )

    async def go_in_vain(self, *names: str) -> None:
        """Go on without a choice, and wait until the drill has noted that and the engine asks once more."""
        before = self.session._state.entries
        await self.press("g")
        await self.given(*names)

        def asked() -> bool:
            state = self.session._state
            return state.waiting is not None and state.entries > before + 1

        await wait_until(self.pilot, asked, PATIENCE, "the question")
        await look(self.pilot)

    def time_is_up(self) -> None:
        """Let no more time be left, however long everything took up to here."""
        self.session._limit = 0.0

    async def end(self) -> Score:
        """Wait for the score, close it, and return what was kept of it."""
        await self.see("Score sheet:")
        shown = text(self.pilot)
        await self.press("enter")
        await self.see("last time")
        (path,) = drills_home().glob("*.json")
        score = from_json(path.read_bytes(), Score)
        assert path.stat().st_mode & 0o777 == 0o600
        assert ("NOT PASSED" in shown) is not score.passed
        assert score.why.split(";")[0][:30] in " ".join(shown.split())
        assert path.with_suffix(".md").read_text().startswith(f"# Drill {score.drill}: ")
        deed = ledger.read(self.school._source)[-1]
        assert (deed.name, deed.ok) == (f"drill {score.drill}", score.passed)
        return score


@asynccontextmanager
async def drill(name: str, home: Path, pace: Pace = PACE) -> AsyncIterator[Hall]:
    """Begin a drill and give the word for its first write, when it asks for it; afterwards nothing is left of it."""
    school = School(str(home / "app.db"), Options())
    school.pace = pace
    app = ZenniApp(training=school, drill=name)
    async with app.run_test(size=SMALL) as pilot:
        hall = Hall(pilot, school)
        await hall.see(f"Drill {name}", "Your job:")
        await hall.press("b")
        await hall.see(" DRILL ")
        if name != "bad-rows":
            await hall.see("YOUR WORD before prepare")
            await hall.press("g")
        yield hall
    assert list(drills_home().glob("range-*")) == []
    assert list(folders.runs_home().iterdir()) == []


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep drills in folders of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


async def test_the_line_drops_and_is_brought_back(home: Path) -> None:
    """The engine tries again by itself; who has the line brought back passes, with nothing else done."""
    async with drill("connection-drop", home) as hall:
        await hall.see("trying again")
        await hall.others("1")
        score = await hall.end()
    assert score.passed, score
    assert [g.name for g in score.given] == ["act line"]
    assert score.noticed is not None
    assert score.right is not None
    assert 0 <= score.noticed <= score.right
    assert score.safe


async def test_the_line_drops_and_is_rolled_back_in_panic(home: Path) -> None:
    """Rolling back for a line that is away is not what was asked."""
    # So slow that the run has not come to its end when the line is back and the rollback is asked for.
    async with drill("connection-drop", home, PACE._replace(rate=40_000)) as hall:
        await hall.see("trying again")
        await hall.others("4")
        await hall.others("1")
        await hall.answer("r", "Roll back this run?", "y")
        score = await hall.end()
    assert not score.passed
    assert score.wrong == ("act server", "rollback")
    assert score.safe


async def test_bad_rows_are_decided_one_by_one(home: Path) -> None:
    """A repair is chosen for each finding, then the run goes on to its end."""
    async with drill("bad-rows", home) as hall:
        await hall.see("YOUR WORD before plan")
        for left in ("1 finding still blocks", "again; nothing is written"):
            await hall.press("c")
            await hall.see("no choice: leave it as it is")
            await hall.press("home", "down", "enter")
            await hall.see(left)
        await hall.press("g")
        await hall.see("YOUR WORD before prepare")
        await hall.press("g")
        score = await hall.end()
    assert score.passed, score
    assert {g.name for g in score.given} >= {"choose", "go"}


async def test_bad_rows_are_not_decided(home: Path) -> None:
    """Going on without a choice is a wrong command each time, and time is up at last."""
    async with drill("bad-rows", home, Pace(400, 300_000, 300.0)) as hall:
        for given in (("go",), ("go", "go")):
            await hall.see("YOUR WORD before plan")
            await hall.struck()
            await hall.go_in_vain(*given)
        hall.time_is_up()
        score = await hall.end()
    assert not score.passed
    assert score.wrong == ("go", "go")
    assert "time was up" in score.why


async def test_a_full_disk_is_made_larger_before_the_resume(home: Path) -> None:
    """The run stops at once; with room made it is resumed from its checkpoints."""
    async with drill("disk-full", home) as hall:
        await hall.understood("disk is full")
        await hall.others("2")
        await hall.see("STOPPED")
        await hall.press("u")
        score = await hall.end()
    assert score.passed, score
    assert [(g.name, g.worth) for g in score.given] == [("act room", "right"), ("resume", "right")]


async def test_a_full_disk_is_resumed_upon_and_time_is_up(home: Path) -> None:
    """A resume without room is wrong and ends as before; without more the time is up, with the data safe."""
    async with drill("disk-full", home) as hall:
        await hall.understood("disk is full")
        await hall.see("STOPPED")
        await hall.press("u")
        await hall.given("resume")
        await hall.understood("disk is full")
        hall.time_is_up()
        score = await hall.end()
    assert not score.passed
    assert score.wrong == ("resume",)
    assert "time was up" in score.why
    assert score.safe


async def test_a_slow_line_is_made_free(home: Path) -> None:
    """Who has the other job ended gets the speed back, and the end in time."""
    async with drill("slow-target", home) as hall:
        await hall.see("copy     running")
        await hall.struck()
        await hall.others("3")
        score = await hall.end()
    assert score.passed, score


async def test_a_slow_line_is_waited_for(home: Path) -> None:
    """Who only looks on runs out of time; that nothing was noticed is on the sheet."""
    async with drill("slow-target", home, HURRY) as hall:
        score = await hall.end()
    assert not score.passed
    assert (score.noticed, score.right, score.given) == (None, None, ())
    assert score.why.startswith("time was up")


async def test_a_dead_engine_is_resumed(home: Path) -> None:
    """Resume goes on from the checkpoints to the verdict."""
    async with drill("killed-engine", home) as hall:
        await hall.understood("died without a last word")
        await hall.press("u")
        score = await hall.end()
    assert score.passed, score
    assert score.outcome == "passed"


async def test_a_dead_engine_is_rolled_back(home: Path) -> None:
    """A rollback leaves all data safe, but the job undone."""
    async with drill("killed-engine", home) as hall:
        await hall.understood("died without a last word")
        await hall.answer("r", "Roll back this run?", "y")
        score = await hall.end()
    assert not score.passed
    assert (score.outcome, score.safe) == ("rolled_back", True)


async def _switched(hall: Hall) -> None:
    await hall.see("Switch over with a typed word")
    await hall.press("m")
    await hall.see("Switch the application over?")
    await hall.press(*"SWITCH", "enter")
    await hall.see("WINDOW OPEN")


async def test_an_unwell_new_side_is_left_without_loss(home: Path) -> None:
    """The window tells that the rule is met; the fall-back brings the last booking of the new side along."""
    async with drill("failing-health", home) as hall:
        await _switched(hall)
        await hall.see("health_down_seconds")
        await hall.answer("f8", "Fall back to the old side?", "F")
        await hall.press(*"ALL BACK", "enter")
        score = await hall.end()
    assert score.passed, score
    assert [g.name for g in score.given] == ["rollback"]
    assert "the last booking of the new side is in it" in score.found


async def test_an_unwell_new_side_is_held_until_time_is_up(home: Path) -> None:
    """Who only asks the developers does not go back in time, and the sheet says what is not in the old file."""
    async with drill("failing-health", home) as hall:
        await _switched(hall)
        await hall.struck()
        await hall.others("5")
        hall.time_is_up()
        score = await hall.end()
    assert not score.passed
    assert [(g.name, g.worth) for g in score.given] == [("act side", "neutral")]
    assert score.why.startswith("time was up")


async def test_a_late_word_is_followed(home: Path) -> None:
    """After the verdict somebody calls; the rollback leaves nothing of the run in the target."""
    async with drill("late-rollback", home) as hall:
        await hall.see("The owner calls", "engine finished")
        await hall.answer("r", "Roll back this run?", "y")
        score = await hall.end()
    assert score.passed, score
    assert "holds nothing of the run" in score.found


async def test_a_late_word_is_not_heard(home: Path) -> None:
    """Who leaves the drill instead has not passed it."""
    async with drill("late-rollback", home) as hall:
        await hall.see("The owner calls")
        await hall.answer("q", "End this drill?", "y")
        score = await hall.end()
    assert not score.passed
    assert "left before its end" in score.why


async def test_the_first_screen_leads_to_the_drills_and_none_cuts_its_words_off(home: Path) -> None:
    """Each drill's job stands whole at 80x24 before it begins; Esc keeps everything."""
    desk = Desk(home)
    desk.training = School(str(home / "app.db"), Options())
    app = ZenniApp(desk)
    async with app.run_test(size=SMALL) as pilot:
        hall = Hall(pilot, desk.training)
        await hall.see("What to do")
        while "▸ drill" not in text(pilot):
            await hall.press("down")
        await hall.press("enter")
        await hall.see("not yet")
        for plan in PLANS:
            await hall.press("enter")
            await hall.see("Your job:", "Begin", "Not now")
            box = [line.split("│")[1] for line in text(pilot).splitlines() if line.count("│") > 1]
            shown = " ".join(" ".join(box).split())
            for words in (plan.facts.job, plan.facts.watch, plan.facts.title):
                assert words in shown
            await hall.press("n", "down")
        await hall.press("escape")
        await hall.see("What to do")


def test_what_a_killed_screen_left_is_cleared_away() -> None:
    """The next drill removes ranges that nobody holds, and their runs' links."""
    left = drills_home() / "range-dead"
    (left / "run").mkdir(parents=True)
    (folders.runs_home() / "20260101T000000Z-rehearse-dead").symlink_to(left / "run")
    _clear(drills_home())
    assert not left.exists()
    assert list(folders.runs_home().iterdir()) == []
