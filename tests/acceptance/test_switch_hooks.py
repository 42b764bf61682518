"""The application's own read-only mode goes on and off with the freeze, and its health is watched in the window."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from support import Program, wait
from switching import Application, can_write, migrate, switch
from web import Page, serving

from zenni_tui.engine.client import Follower

_MARK = (sys.executable, "mark.py")


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Return an application that has a read-only mode."""
    made = Application(tmp_path / "app")
    made.configure(read_only_on=[*_MARK, "read_only_on"], read_only_off=[*_MARK, "read_only_off"])
    return made


def test_the_read_only_mode_is_left_when_the_switch_is_taken_back(
    program: Program, application: Application, target_environment: dict[str, str]
) -> None:
    """A failure before the new side is started turns the mode off again, last of all."""
    migrate(program, application, target_environment)
    application.fail("read_only_on")
    failed = switch(program, target_environment)
    assert (failed.code, failed.document["switch"]["serving"]) == (1, "old"), failed.narration
    assert [m[0] for m in application.marks()][-2:] == ["read_only_on", "read_only_off"]
    assert application.can_write()


def test_the_read_only_mode_is_left_when_the_old_side_serves_again(
    program: Program, application: Application, target_environment: dict[str, str]
) -> None:
    """On before the last writes are brought over; off once every write of the new side has come back."""
    migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    names = [m[0] for m in application.marks()]
    assert names.index("read_only_on") < names.index("deploy")
    assert "read_only_off" not in names
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert (back.code, back.document["switch"]["serving"]) == (5, "old"), back.narration
    names = [m[0] for m in application.marks()]
    assert names.count("read_only_off") == 1
    assert names.index("read_only_off") < len(names) - 1 - names[::-1].index("deploy")


def test_a_read_only_mode_that_does_not_come_on_in_time_is_taken_back(
    program: Program, application: Application, target_environment: dict[str, str]
) -> None:
    """A command that hangs is ended and counts as failed; the mode is turned off, and the old side writes."""
    hangs = [sys.executable, "-c", "import time; time.sleep(600)"]
    limit = "[application.hook_seconds]\nread_only_on = 0.5\n"
    application.configure(limit, read_only_on=hangs, read_only_off=[*_MARK, "read_only_off"])
    migrate(program, application, target_environment)
    failed = switch(program, target_environment)
    assert (failed.code, failed.document["switch"]["serving"]) == (1, "old"), failed.narration
    assert "took more" in failed.document["problem"]["why"]
    assert application.marks()[-1][0] == "read_only_off"
    assert application.can_write()


def test_a_read_only_mode_that_can_not_be_left_is_told_until_it_is(
    program: Program, application: Application, target_environment: dict[str, str]
) -> None:
    """While the mode can't be turned off nobody is said to serve, though the file takes writes; mended, it is left."""
    migrate(program, application, target_environment)
    application.fail("read_only_on")
    application.fail("read_only_off")
    failed = switch(program, target_environment)
    assert (failed.code, failed.document["switch"]["serving"]) == (1, None), failed.narration
    assert application.can_write()
    status = program.start("status").communicate(timeout=60)[0]
    assert "rollback goes back" in status
    application.fail("read_only_off", yes=False)
    back = program.run("rollback", environment=target_environment)
    assert (back.code, back.document["switch"]["serving"]) == (5, "old"), back.narration
    assert application.marks()[-1][0] == "read_only_off"


def test_a_read_only_mode_that_can_not_be_left_on_the_way_back(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """The way back stops there with both sides closed, says so, and goes on from there once the mode can be left."""
    migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    with psycopg.connect(**database) as target:
        target.execute("INSERT INTO \"Loose\" VALUES ('late', 9)")
    application.fail("read_only_off")
    failed = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert failed.code == 1, failed.narration
    assert "read_only_off" in failed.document["problem"]["what"]
    assert "zenni-tui rollback goes on" in failed.document["switch"]["story"]
    assert not can_write(database)
    application.fail("read_only_off", yes=False)
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert (back.code, back.document["switch"]["serving"]) == (5, "old"), back.narration
    assert application.rows("SELECT * FROM Loose WHERE n = 9") == [("late", 9)]
    assert application.can_write()


class Health:
    """How the application answers."""

    status = 200

    def answer(self, _: str, __: bytes) -> Page:
        """Answer as told."""
        return Page(self.status)


@pytest.fixture
def health() -> Iterator[tuple[str, Health]]:
    """Yield the URL of an application's health, and what it answers by."""
    health = Health()
    with serving(health.answer) as url:
        yield f"{url}/", health


def test_a_new_side_that_falls_ill_is_told_and_left_to_a_person(
    program: Program, application: Application, target_environment: dict[str, str], health: tuple[str, Health]
) -> None:
    """Not well for longer than the limit: the sign is told with who may decide, nothing happens by itself."""
    url, answers = health
    application.configure(f'[application.health]\nurl = "{url}"\n[rollback]\nhealth_down_seconds = 1.0\n')
    done = migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    answers.status = 503
    follower = Follower(done.folder)
    wait(follower, lambda f: bool(f.state.tripped))
    tripped = follower.state.tripped[0].what
    assert tripped.criterion == "health_down_seconds"
    assert "503" in tripped.found
    told = program.start("status").communicate(timeout=60)[0]
    assert "criterion: health_down_seconds" in told
    assert "serving: The new side serves" in told
    answers.status = 200
    assert program.run("rollback", "--confirm", "FALL BACK", environment=target_environment).code == 5
