"""A switch under load: what the application wrote until it was refused is on the new side, exactly once."""

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import writer
from support import Program, follow, wait
from switching import Application, migrate, switch
from test_following import declared, writing

from zenni_tui.engine.client import Follower
from zenni_tui.model.runbook import StepId, StepState


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Return an application that is written to."""
    made = Application(tmp_path / "app")
    made.file.unlink()
    writer.make(made.file)
    made.configure()
    made.config.write_text(made.config.read_text().replace("[application]\n", '[application]\nmeanwhile = "follow"\n'))
    return made


def test_a_switch_under_load_loses_nothing(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Every acknowledged write is in the target once; the old file refuses, and follows back until the window's end."""
    schema = declared(application.file)
    with writing(application.file):
        migrate(program, application, target_environment)
        done = switch(program, target_environment)
        assert done.code == 0, done.narration
    assert writer.differences(application.file, database) == []
    with pytest.raises(sqlite3.IntegrityError, match="read-only"), closing(sqlite3.connect(application.file)) as old:
        old.execute("DELETE FROM Seat")
    assert done.document["totals"]["downtime_seconds"] > 0
    with psycopg.connect(**database) as target:
        target.execute("UPDATE \"Setting\" SET value = '\\x00'")
        target.execute('DELETE FROM "Seat" WHERE number < 50')
        loose = target.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND condeferrable AND conname ~ '^(Booking|Service)'"
        )
        assert loose.fetchall() == []
    ended = program.run("finish", "--confirm", "FINISH", environment=target_environment)
    assert (ended.code, ended.document["verdict"]) == (0, "passed"), ended.narration
    assert writer.differences(application.file, database) == []
    assert declared(application.file) == schema


def test_a_switch_that_is_taken_back_goes_on_following(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """A failure before the new side is started leaves the application writing and the target following."""
    application.fail("build")
    with writing(application.file, pace=0.02):
        migrate(program, application, target_environment)
        refused = switch(program, target_environment)
        assert refused.code == 1, refused.narration
        follower = follow(program)
        wait(follower, lambda f: f.state.waiting is not None)
        before = writer.count(application.file)
        wait(follower, lambda _: writer.count(application.file) != before)
        application.fail("build", yes=False)
        time.sleep(0.5)
        assert switch(program, target_environment).code == 0
    assert _follows(follower)
    assert writer.differences(application.file, database) == []


def test_a_row_kept_out_meanwhile_is_there_after_a_fall_back(
    program: Program, tmp_path: Path, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """A row that can't be carried, chosen to be kept out, stays in the old file as it was, through switch and back."""
    application = Application(tmp_path / "small")
    migrate(program, application, target_environment, "--meanwhile", "follow")
    with closing(sqlite3.connect(application.file)) as old, old:
        old.execute("UPDATE Booking SET start = 'soon' WHERE id = 2")
    wait(follow(program), lambda f: not f.alive)
    chosen = "date_unreadable/Booking/start=quarantine"
    assert program.run("resume", "--repair", chosen, environment=target_environment).document["verdict"] == "waiting"
    assert switch(program, target_environment).code == 0
    with psycopg.connect(**database) as target:
        assert target.execute('SELECT id FROM "Booking"').fetchall() == [(1,)]
        target.execute("INSERT INTO \"Booking\" (service, start, note) VALUES ('a', '2026-05-01', 'late')")
        target.execute("UPDATE \"Booking\" SET note = 'changed' WHERE id = 1")
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert back.code == 5, back.narration
    found = application.rows("SELECT id, start, note FROM Booking ORDER BY id")
    assert found == [(1, 1767225600000, "changed"), (2, "soon", None), (3, 1777593600000, "late")]


def test_a_table_made_on_the_threshold_stops_the_switch(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """DDL behind the preflight, even in the frozen file, takes the switch back; once it is gone a resume goes on."""
    make = "import sqlite3; sqlite3.connect('app.db').execute('CREATE TABLE Extra (id INTEGER PRIMARY KEY)')"
    application.configure(read_only_on=[sys.executable, "-c", make])
    application.config.write_text(
        application.config.read_text().replace("[application]\n", '[application]\nmeanwhile = "follow"\n')
    )
    migrate(program, application, target_environment)
    refused = switch(program, target_environment)
    assert (refused.code, refused.document["switch"]["serving"]) == (1, "old"), refused.narration
    assert 'table "Extra" is new' in refused.document["problem"]["where"]
    assert application.marks()[-1][0] == "announce"
    wait(follow(program), lambda f: not f.alive)
    with closing(sqlite3.connect(application.file)) as old, old:
        old.execute("DELETE FROM Seat WHERE number = 7")
        old.execute("DROP TABLE Extra")
    assert program.run("resume", environment=target_environment).document["verdict"] == "waiting"
    assert writer.differences(application.file, database) == []


def _follows(follower: Follower) -> bool:
    follower.poll()
    return follower.alive and follower.state.step(StepId.WATCH).state is StepState.RUNNING
