"""The rollback window: the old file follows through deaths of the engine, and what it can't follow is said loudly."""

import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest
from support import Program, follow, kill, wait
from switching import Application, can_write, migrate, switch

from zenni_tui.model.runbook import StepId, StepState

LATE = "SELECT note FROM Loose WHERE n = 9 ORDER BY note"


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Return an application of the test's own."""
    return Application(tmp_path / "app")


def write(database: dict[str, str], statement: str) -> None:
    """Write to the target as the application would."""
    with psycopg.connect(**database) as target:
        target.execute(statement.encode())


def late(note: str) -> str:
    """Return a write that can be found again."""
    return f"INSERT INTO \"Loose\" VALUES ('{note}', 9)"


def test_what_is_written_while_the_engine_is_dead_follows_later(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """After kill -9 in the window a resume goes on from the position in the old file; nothing is missed or doubled."""
    migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    follower = follow(program)
    write(database, late("one"))
    wait(follower, lambda _: application.rows(LATE) == [("one",)])
    kill(follower)
    write(database, late("two"))
    write(database, "UPDATE \"Service\" SET name = 'Löyly' WHERE id = 'a'")
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["switch"]["serving"]) == (0, "new"), resumed.narration
    wait(follower, lambda _: application.rows(LATE) == [("one",), ("two",)])
    assert application.rows("SELECT name FROM Service WHERE id = 'a'") == [("Löyly",)]
    assert program.run("stop", environment=target_environment).code == 4
    write(database, late("zzz"))
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert back.code == 5, back.narration
    assert application.rows(LATE) == [("one",), ("two",), ("zzz",)]


@pytest.mark.parametrize(
    "ddl",
    [
        (
            'ALTER TABLE "Loose" ADD COLUMN more text',
            'ALTER TABLE "Loose" DROP COLUMN more',
            'column "Loose".more is new',
        ),
        ('CREATE TABLE "Extra" (id int)', 'DROP TABLE "Extra"', 'table "Extra" is new'),
    ],
)
def test_a_changed_schema_stops_the_following_loudly(
    program: Program,
    application: Application,
    database: dict[str, str],
    target_environment: dict[str, str],
    ddl: tuple[str, str, str],
) -> None:
    """A column or table added on the new side ends the following by name; taken back, it goes on and misses nothing."""
    change, back, told = ddl
    migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    follower = follow(program)
    write(database, change)
    wait(follower, lambda f: f.state.step(StepId.WATCH).state is StepState.FAILED and not f.alive)
    problem = follower.state.problem
    assert problem is not None
    assert ("tables were changed" in problem.what, told in problem.where) == (True, True)
    write(database, late("meanwhile"))
    refused = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert (refused.code, refused.document["switch"]["serving"]) == (1, "new"), refused.narration
    assert not application.can_write()
    assert can_write(database)
    write(database, back)
    resumed = program.run("resume", environment=target_environment)
    assert resumed.code == 0, resumed.narration
    wait(follower, lambda _: application.rows(LATE) == [("meanwhile",)])


def test_after_go_live_nothing_drops_what_the_target_holds(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Once the window is closed a rollback refuses: no way back would keep what is written."""
    migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    assert program.run("finish", "--confirm", "FINISH+UNPROVEN", environment=target_environment).code == 0
    write(database, late("kept"))
    refused = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert refused.code != 5, refused.narration
    assert refused.document["problem"]["what"]
    with psycopg.connect(**database) as target:
        assert target.execute('SELECT count(*) FROM "Loose" WHERE n = 9').fetchone() == (1,)


def test_a_way_back_that_finds_a_difference_gives_the_new_side_back(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """A row that somebody changed in the old file stops the way back before it opens that; the new side serves on."""
    migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    follower = follow(program)
    write(database, "UPDATE \"Service\" SET name = 'Löyly' WHERE id = 'a'")
    wait(follower, lambda _: application.rows("SELECT name FROM Service WHERE id = 'a'") == [("Löyly",)])
    tamper(application, "UPDATE Service SET name = 'forged' WHERE id = 'a'")
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert (back.code, back.document["switch"]["serving"]) == (1, "new"), back.narration
    assert "forged" in back.document["problem"]["why"]
    assert back.document["switch"]["tripped"][0]["criterion"] == "verification_failed"
    assert can_write(database)
    assert not application.can_write()
    tamper(application, "UPDATE Service SET name = 'Löyly' WHERE id = 'a'")
    assert program.run("rollback", "--confirm", "FALL BACK", environment=target_environment).code == 5
    assert application.can_write()


def test_a_lost_run_directory_loses_no_way_back(
    program: Program,
    application: Application,
    database: dict[str, str],
    target_environment: dict[str, str],
    target_url: str,
) -> None:
    """The target keeps what an engine needs to follow and to fall back, when the run's directory is gone."""
    done = migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    kill(follow(program))
    shutil.rmtree(done.folder)
    write(database, late("lost"))
    resumed = program.run("resume", "--target", target_url, environment={"PGPASSWORD": database["password"]})
    assert resumed.code == 0, resumed.narration
    assert (resumed.code, resumed.document["switch"]["serving"]) == (0, "new"), resumed.narration
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert back.code == 5, back.narration
    assert application.rows(LATE) == [("lost",)]
    assert application.can_write()


def tamper(application: Application, statement: str) -> None:
    """Change the frozen file as only somebody who opens its gate can."""
    file = sqlite3.connect(application.file, isolation_level=None)
    # In one transaction: the engine opens and closes the gate as well.
    file.execute("BEGIN IMMEDIATE")
    file.execute("UPDATE zenni_tui_gate SET open = 1")
    file.execute(statement)
    file.execute("UPDATE zenni_tui_gate SET open = 0")
    file.execute("COMMIT")
    file.close()
