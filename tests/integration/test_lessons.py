"""Lessons: every exercise on a real server, done, not done, done wrongly; pages that fit the smallest screen."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zenni_tui.model.roadmap import TASKS
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.lessons.book import lessons
from zenni_tui.sandbox.lessons.prompt import MOST_ROWS
from zenni_tui.sandbox.lessons.room import TRIALS, Room

Open = Callable[[str], Room]
EVERY = [f"{lesson.name}/{exercise.name}" for lesson in lessons() for exercise in lesson.exercises]


@pytest.fixture
def enter(server: sandbox.Server, tmp_path: Path) -> Iterator[Open]:
    """Yield a function that opens a room for an exercise."""
    made: list[Room] = []

    def open_room(name: str) -> Room:
        made.append(Room(server, tmp_path / "lessons", *name.split("/")))
        return made[-1]

    yield open_room
    for room in made:
        room.close()


def obey(room: Room, lines: str) -> None:
    """Type lines at a room's prompt; none may be refused."""
    for line in lines.strip().splitlines():
        answer = room.run(line)
        assert answer.problem == "", f"{line}\n{answer.problem}"


def test_each_lesson_of_the_plan_is_there_and_each_exercise_has_its_check() -> None:
    """The plan's training names these lessons, and no exercise is without preparation and check."""
    wanted = {c.removeprefix("deed lesson ") for t in TASKS for c in t.carriers if c.startswith("deed lesson ")}
    assert {lesson.name for lesson in lessons()} == wanted
    assert sorted(TRIALS) == sorted(EVERY)
    assert all(4 <= len(lesson.pages) <= 8 for lesson in lessons())


@pytest.mark.parametrize("name", EVERY)
def test_an_exercise_is_done_when_the_database_says_so(enter: Open, name: str) -> None:
    """Nothing done is not right; the solution is, and counts as long as it was not shown."""
    room = enter(name)
    before = room.check()
    assert (before.right, before.counts) == (False, False)
    assert before.story
    assert not re.search(r"[{}]", room.exercise.task + room.exercise.hint)
    obey(room, room._solution)
    after = room.check()
    assert (after.right, after.counts) == (True, True), after.story


@pytest.mark.parametrize("name", ["postgresql/case", "backup/dump"])
def test_what_was_shown_does_not_count_and_other_data_come_next(enter: Open, name: str) -> None:
    """After the solution was shown doing it is right but does not count; the next try counts, with other data."""
    room = enter(name)
    obey(room, room.solution())
    seen = room.check()
    assert (seen.right, seen.counts) == (True, False)
    again = enter(name)
    obey(again, again._solution)
    assert again.check().counts
    # Data that were thrown by dice may come twice, not often.
    assert any(enter(name).exercise.task != room.exercise.task for _ in range(40))


WRONG = {
    "postgresql/case": """CREATE VIEW found AS SELECT id FROM "Customer" WHERE name LIKE '%a%'""",
    "postgresql/moments": """DELETE FROM "Booking" WHERE id < 5""",
    "prisma/index": """CREATE INDEX ON "Booking" (note)""",
    "prisma/unique": "DELETE FROM {table}",
    "errors/duplicate": "TRUNCATE {table} RESTART IDENTITY",
    "errors/orphans": """ALTER TABLE "Booking" ADD FOREIGN KEY ("serviceId") REFERENCES "Service" NOT VALID""",
    "watch/blocker": """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'web-1'""",
    "watch/dead": """ALTER TABLE {table} RESET (autovacuum_enabled)""",
    "backup/dump": """INSERT INTO {table} (cents) SELECT 7 FROM generate_series(1, 400)""",
    "backup/beside": """TRUNCATE "Booking"; INSERT INTO "Booking" SELECT * FROM restored."Booking" """,
    "pooling/limits": "ALTER ROLE {role} CONNECTION LIMIT 1000",
    "pooling/share": "INSERT INTO pool VALUES (50)",
}


@pytest.mark.parametrize("name", EVERY)
def test_what_looks_like_it_is_not_taken_for_it(enter: Open, name: str) -> None:
    """A wrong or half way is told apart, with what is missing, and damage is not passed over."""
    room = enter(name)
    words = {k: f'"{v}"' for k, v in room._words.items()}
    obey(room, WRONG[name].format_map(words))
    checked = room.check()
    assert not checked.right
    assert len(checked.story) > 10


def test_the_prompt_is_bounded_and_speaks_plainly(enter: Open) -> None:
    """Many rows are cut, errors bear their SQLSTATE, notices show, a session that was ended comes again."""
    room = enter("postgresql/case")
    many = room.run("SELECT generate_series(1, 2000000000)")
    assert (len(many.rows), many.more, many.problem) == (MOST_ROWS, True, "")
    assert room.run("SELECT 1 AS one, NULL AS nothing").rows == (("1", None),)
    assert room.run('SELECT * FROM "Nobody"').problem.startswith("42P01: ")
    assert any("skipping" in said for said in room.run("DROP TABLE IF EXISTS nobody").said)
    assert room.run("BEGIN; SET LOCAL work_mem = '1MB'").problem == ""
    assert room.run("SHOW work_mem").rows == (("1MB",),)
    assert room.run("COPY (SELECT 1) TO STDOUT").problem.startswith("COPY")
    assert "gone" in room.run("SELECT pg_terminate_backend(pg_backend_pid())").problem + room.run("SELECT 1").problem
    assert room.run("SELECT 2").rows == (("2",),)
    assert room.run("").problem == ""


def test_the_way_in_holds_no_password_and_works(enter: Open) -> None:
    """The line for psql names a password file that only its owner can read; programs run at the prompt use it, too."""
    room = enter("postgresql/case")
    assert room._ground._password not in room.way_in
    assert room._ground.passfile.stat().st_mode & 0o777 == 0o600
    assert "checker" in "\n".join(room.run("""psql -c "SELECT application_name FROM pg_stat_activity" """).said)
    assert room.run("psql -c 'SELECT").problem
    assert "No such file" in room.run("pg_restore -l nothing.dump").problem
    for reach in ("SELECT pg_read_file('/etc/hostname')", "COPY \"Customer\" FROM PROGRAM 'id'"):
        assert room.run(reach).problem.startswith("42501")
