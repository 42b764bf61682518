"""Lessons on the screen: every page whole at 80x24, an exercise by keys alone, kept in the ledger."""

from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from ui_pilot import Desk, stands_whole, text, wait_for, wait_until

from zenni_tui.cli import Options
from zenni_tui.engine import ledger, tasks
from zenni_tui.model.lessons import Answer
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.tasks import TaskState, Timeline
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.lessons.book import find_lesson, lessons
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.reading import answer_lines, page_lines
from zenni_tui.ui.screens.exercise import ExerciseScreen
from zenni_tui.ui.training import Room
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.words import UNICODE
from zenni_tui.verbs.rooms import NotedRoom
from zenni_tui.verbs.school import School

SMALL = (80, 24)


@pytest.fixture
def school(server: sandbox.Server, tmp_path: Path) -> School:
    """Return a school on the session's server, about a source of the test's own."""
    made = School(str(tmp_path / "app.db"), Options())
    made._server = server
    return made


def whole(screen: str, words: str) -> bool:
    """Return whether all words stand on the screen, in their order."""
    return " ".join(words.split()) in " ".join(screen.split())


@pytest.mark.parametrize("name", [lesson.name for lesson in lessons()])
async def test_every_page_stands_whole_on_the_smallest_screen(school: School, name: str) -> None:
    """At 80x24 each page shows all its words, whole lines included, and the keys that lead on."""
    app = ZenniApp(training=school, lesson=name)
    async with app.run_test(size=SMALL) as pilot:
        for number, page in enumerate(find_lesson(name).pages, 1):
            await wait_for(pilot, f"page {number} of")
            stands_whole(pilot)
            lines = text(pilot).splitlines()
            assert page.title in lines[2]
            assert whole(text(pilot), page.text), f"{page.title}\n{text(pilot)}"
            assert len(page_lines(page, 78)) + 2 <= app.screen.query_one("#page", Text).size.height
            assert "Right next page" in lines[-1]
            await pilot.press("right")
        await wait_for(pilot, "exercises")
        assert all(e.title in text(pilot) for e in find_lesson(name).exercises)
        assert "Enter begin" in text(pilot).splitlines()[-1]
        await pilot.press("left")
        await wait_for(pilot, "page 5 of" if name != "postgresql" else "page 6 of")


async def test_a_screen_that_is_too_small_for_a_page_can_move_it(school: School) -> None:
    """At 60x20 the end of the longest page is reached by a key, and the next page begins at its top."""
    app = ZenniApp(training=school, lesson="postgresql")
    async with app.run_test(size=(60, 20)) as pilot:
        await wait_for(pilot, "page 1 of")
        assert "file has one writer" not in text(pilot)
        await pilot.press("end")
        await wait_for(pilot, "file has one writer")
        await pilot.press("right")
        await wait_for(pilot, "Types are law")
        await pilot.press("e")
        await wait_for(pilot, "From texts to moments")


async def _answered(pilot: Pilot[None], line: str) -> None:
    """Type a line, and wait for its answer: until then the screen takes no key that asks for more."""
    screen = pilot.app.screen
    assert isinstance(screen, ExerciseScreen)
    before = len(screen._answers)
    await pilot.press(*line, "enter")
    await wait_until(pilot, lambda: len(screen._answers) > before and not screen._busy, what=f"an answer to {line}")
    await pilot.pause()


def _room(pilot: Pilot[None]) -> Room | None:
    screen = pilot.app.screen
    return screen.room if isinstance(screen, ExerciseScreen) and not screen._busy else None


async def _exercise(pilot: Pilot[None], former: Room | None = None) -> NotedRoom:
    await wait_until(pilot, lambda: _room(pilot) not in {None, former}, what="an exercise")
    await pilot.pause()
    room = _room(pilot)
    assert isinstance(room, NotedRoom)
    return room


async def test_an_exercise_by_keys_is_checked_in_the_database_and_kept(school: School) -> None:
    """Typed SQL is answered; the check tells what is missing; both exercises done pass the lesson."""
    app = ZenniApp(training=school, lesson="pooling")
    async with app.run_test(size=SMALL) as pilot:
        await wait_for(pilot, "page 1 of")
        await pilot.press("e", "enter")
        room = await _exercise(pilot)
        assert whole(text(pilot), room.exercise.task)
        await pilot.press("f5")
        await wait_for(pilot, "any number of connections")
        await wait_until(pilot, lambda: _room(pilot))
        await pilot.press("f3")
        await wait_for(pilot, "ALTER ROLE ... CONNECTION LIMIT")
        await _answered(pilot, "SELEC 1")
        await wait_for(pilot, "42601: ")
        for line in room._solution.splitlines():
            await _answered(pilot, line)
        await pilot.press("f5")
        await wait_for(pilot, "it counts")
        await pilot.press("escape")
        await wait_for(pilot, "done")
        assert [d.name for d in ledger.read(school._source)] == ["exercise pooling/limits"]
        await pilot.press("down", "enter")
        room = await _exercise(pilot)
        await _answered(pilot, room._solution.replace("(", "((", 1).replace(")", "))", 1))
        await pilot.press("f5")
        await wait_for(pilot, "it counts")
        await pilot.press("escape", "escape")
        await wait_for(pilot, "passed")
        assert [d.name for d in ledger.read(school._source)][-1] == "lesson pooling"
        carried = {v.task.id for v in tasks.standing(school._source, Timeline()) if v.state is TaskState.DONE}
        assert carried == {"L6"}


async def test_a_shown_solution_does_not_count_and_f6_brings_other_data(school: School) -> None:
    """After F4 a right answer is not kept; F6 makes another database, in which it counts; F7 shows psql's line."""
    app = ZenniApp(training=school, lesson="errors")
    async with app.run_test(size=SMALL) as pilot:
        await wait_for(pilot, "page 1 of")
        await pilot.press("e", "enter")
        first = await _exercise(pilot)
        await pilot.press("f4")
        await wait_for(pilot, "SELECT setval")
        await _answered(pilot, first._solution)
        await pilot.press("f5")
        await wait_for(pilot, "begin again with other data")
        assert ledger.read(school._source) == ()
        await pilot.press("f6")
        second = await _exercise(pilot, first)
        assert second._ground.database != first._ground.database
        await pilot.press("f7")
        await wait_for(pilot, "PGPASSFILE=")
        assert second._ground._password not in text(pilot)
        await _answered(pilot, second._solution)
        await pilot.press("f5")
        await wait_for(pilot, "it counts")
        await pilot.press("up")
        await wait_for(pilot, "SELECT setval")
        await pilot.press("f1")
        await wait_for(pilot, "no superuser")


@pytest.mark.parametrize("name", [f"{lesson.name}/{e.name}" for lesson in lessons() for e in lesson.exercises])
def test_every_task_leaves_room_for_answers(name: str) -> None:
    """At 80 columns no task takes more than eight lines, and hints and solutions no more than seven."""
    lesson, exercise = name.split("/")
    found = next(e for e in find_lesson(lesson).exercises if e.name == exercise)
    for words, most in ((found.task, 8), (found.hint, 4), (found.solution, 7)):
        assert sum(-(-len(line) // 70) for line in words.strip().splitlines()) <= most, words


def test_answers_fit_the_screen_and_say_what_was_cut() -> None:
    """A wide result gives way column by column, a cut one says so, NULL is a word of its own."""
    answer = Answer(
        ("id", "a long name", "text"), (("1", None, "x" * 200), ("22", "ä" * 50, "y")), ("SELECT 2",), more=True
    )
    lines = ["".join(piece for piece, _ in line) for line in answer_lines("SELECT 1", answer, 60, UNICODE)]
    assert all(cell_len(line) <= 60 for line in lines)
    assert "NULL" in lines[2]
    assert "2 rows, and more" in lines
    assert lines[0] == "> SELECT 1"


@pytest.mark.parametrize("kinds", [Desk.kinds, ()])
async def test_the_first_screen_leads_to_the_lessons_and_back(
    school: School, tmp_path: Path, kinds: tuple[RunKind, ...]
) -> None:
    """Learn stands on the first screen, before a source is named, too; Enter opens the list, Esc comes back."""
    desk = Desk(tmp_path)
    desk.training, desk.kinds = school, kinds
    app = ZenniApp(desk)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for(pilot, "learn")
        while "▸ learn" not in text(pilot):
            await pilot.press("down")
            await pilot.pause()
        await pilot.press("enter")
        await wait_for(pilot, "0 of 2 done")
        await pilot.press("escape")
        await wait_for(pilot, "What to do")


async def test_a_server_that_dies_is_told_and_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exercise whose server is gone says so, nothing breaks, and F6 begins anew on a server that runs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    school = School(str(tmp_path / "app.db"), Options())
    app = ZenniApp(training=school, lesson="pooling")
    async with app.run_test(size=SMALL) as pilot:
        await wait_for(pilot, "page 1 of")
        await pilot.press("e", "enter")
        await _exercise(pilot)
        assert school._server is not None
        sandbox.remove(school._server.name)
        await _answered(pilot, "SELECT 1")
        await wait_for(pilot, "The session is gone")
        await pilot.press("f5")
        await wait_for(pilot, "Not yet")
        await pilot.press("f6")
        await wait_for(pilot, "The lessons' server does not answer.")
        await pilot.press("enter", "f6")
        await _exercise(pilot)
        await _answered(pilot, "SELECT 41 + 1 AS sum")
        await wait_for(pilot, "42")
