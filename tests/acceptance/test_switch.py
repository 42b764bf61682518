"""The switch and the way back, with the real program on a small application: nothing is lost, and one side serves."""

import sys
from pathlib import Path

import psycopg
import pytest
from support import Program, follow, wait
from switching import Application, can_write, migrate, switch


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Return an application of the test's own."""
    return Application(tmp_path / "app")


def test_a_switch_and_the_end_of_its_window(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """After the switch the target is written and the old file follows; after the window its schema is as it was."""
    schema, env = application.schema(), application.env.read_text()
    migrate(program, application, target_environment)
    done = switch(program, target_environment)
    assert done.code == 0, done.narration
    assert done.document["switch"]["serving"] == "new"
    assert 0 < done.document["totals"]["downtime_seconds"] < 60
    assert database["password"] in application.env.read_text()
    assert not application.can_write()
    with psycopg.connect(**database) as target:
        target.execute("INSERT INTO \"Booking\" (service, start, note) VALUES ('a', '2026-05-01 10:00', 'new')")
        target.execute("UPDATE \"Service\" SET name = 'Löyly' WHERE id = 'a'")
    ended = program.run("finish", "--confirm", "FINISH", environment=target_environment)
    assert (ended.code, ended.document["verdict"]) == (0, "passed"), ended.narration
    late = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert late.code == 3, late.narration
    assert "The rollback window is closed" in late.narration
    assert program.run("status", environment=target_environment).document["verdict"] == "passed"
    assert application.schema() == schema
    assert env != application.env.read_text()
    told = [tuple(m) for m in application.marks()]
    assert told == [
        ("build", "new", "build"),
        ("announce", "new", "switch"),
        ("deploy", "new", "switch"),
        ("restart", "new", "switch"),
        ("smoke_tests", "new", "switch"),
        ("announce", "new", "switched"),
    ]


def test_a_fall_back_brings_every_write_along(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """What was written on the new side is in the old file, which serves again; the target takes no writes then."""
    env = application.env.read_text()
    schema = application.schema()
    migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    with psycopg.connect(**database) as target:
        target.execute("INSERT INTO \"Booking\" (service, start, note) VALUES ('a', '2026-05-01 10:00', 'new')")
        target.execute("UPDATE \"Service\" SET id = 'c', name = 'Löyly' WHERE id = 'a'")
        target.execute("DELETE FROM \"Service\" WHERE id = 'b'")
        target.execute("INSERT INTO \"Loose\" VALUES ('y', 2)")
    assert program.run("rollback", environment=target_environment).code == 2
    back = program.run("rollback", "--confirm", "FALL BACK", "--why", "trial", environment=target_environment)
    assert (back.code, back.document["verdict"]) == (5, "rolled_back"), back.narration
    assert back.document["switch"]["serving"] == "old"
    assert application.env.read_text() == env
    assert application.schema() == schema
    assert application.can_write()
    assert not can_write(database)
    assert application.rows("SELECT id, service, start, note FROM Booking ORDER BY id") == [
        (1, "c", 1767225600000, "first"),
        (3, "c", 1777629600000, "new"),
    ]
    assert application.rows("SELECT * FROM Service") == [("c", "Löyly", 1)]
    assert application.rows("SELECT * FROM Loose ORDER BY n") == [("x", 1), ("x", 1), ("y", 2)]


def test_a_switch_wants_its_new_side_tried_in_a_rehearsal(
    program: Program, application: Application, target_environment: dict[str, str]
) -> None:
    """A rehearsal builds the new side and runs the application's tests; without one it is refused."""
    program.environment["ZENNI_REHEARSAL_HOURS"] = "24"
    application.configure(application_tests=[sys.executable, "mark.py", "application_tests"])
    arguments = ("--config", str(application.config), "--source", str(application.file))
    application.fail("application_tests")
    failed = program.run("rehearse", *arguments)
    assert failed.code == 1
    assert "application_tests failed" in failed.document["problem"]["what"]
    waiting = program.run("migrate", "--yes", "--confirm", "UNREHEARSED", *arguments, environment=target_environment)
    assert waiting.code == 0, waiting.narration
    refused = switch(program, target_environment)
    assert (refused.code, refused.document["problem"]["what"]) == (3, "The new side has not been tried.")
    application.fail("application_tests", yes=False)
    rehearsed = program.run("rehearse", *arguments)
    assert rehearsed.code == 0, rehearsed.narration
    assert application.marks()[-2:] == [["build", "new", "rehearsal"], ["application_tests", "new", "rehearsal"]]
    run = ("--run-dir", str(waiting.folder))
    assert switch(program, target_environment, *run).code == 0
    assert program.run("rollback", "--confirm", "FALL BACK", *run, environment=target_environment).code == 5
    report = (waiting.folder / "report.md").read_text()
    assert "Task for the next attempt" in report
    assert "Decided by Aino" in report


def test_who_may_decide_is_heeded(
    program: Program, application: Application, target_environment: dict[str, str]
) -> None:
    """Only those who are named may switch; what is typed instead of a rehearsal is kept in the report."""
    program.environment["ZENNI_REHEARSAL_HOURS"] = "24"
    application.configure('[rollback]\nwho_may_decide = ["Aino"]\ndowntime_budget_seconds = 0.001\n')
    arguments = ("--config", str(application.config), "--source", str(application.file))
    waiting = program.run("migrate", "--yes", "--confirm", "UNREHEARSED", *arguments, environment=target_environment)
    assert waiting.code == 0, waiting.narration
    word = ("switch", "--confirm", "SWITCH+UNTRIED")
    refused = program.run(*word, "--by", "Eino", environment=target_environment)
    assert (refused.code, refused.document["problem"]["what"]) == (3, "Eino may not decide on the switch.")
    done = program.run(*word, "--by", "Aino", "--why", "it is time", environment=target_environment)
    assert done.code == 0, done.narration
    # It is told behind the opening of the window, which the switch waits for.
    wait(follow(program), lambda f: bool(f.state.tripped))
    told = program.start("status").communicate(timeout=60)[0]
    assert "criterion: downtime_budget_seconds" in told
    assert "The new side serves" in told
    assert program.run("finish", "--confirm", "FINISH", environment=target_environment).code == 0
    assert "WITHOUT: UNTRIED" in (waiting.folder / "report.md").read_text()


def test_a_run_that_refuses_writes_counts_its_downtime_from_there(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """With writes refused since before the snapshot the switch needs no comparison, and its downtime begins there."""
    application.rows("DELETE FROM Booking WHERE id = 2")
    migrated = migrate(program, application, target_environment, "--meanwhile", "refuse")
    assert not application.can_write()
    done = switch(program, target_environment)
    assert done.code == 0, done.narration
    totals = done.document["totals"]
    assert totals["downtime_seconds"] >= migrated.document["totals"]["seconds_total"]
    assert totals["downtime_seconds"] == pytest.approx(
        totals["downtime_seconds_ours"] + totals["downtime_seconds_hooks"], abs=0.01
    )
    with psycopg.connect(**database) as target:
        new = "INSERT INTO \"Booking\" (service, start) VALUES ('a', '2026-05-01') RETURNING id"
        assert target.execute(new).fetchone() == (3,)
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert back.code == 5, back.narration
    assert application.rows("SELECT seq FROM sqlite_sequence") == [(3,)]
    assert application.can_write()


def test_criteria_are_told_and_nobody_acts_by_himself(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """An error rate above its limit trips, is shown and kept in the report; the new side serves on."""
    rate = [sys.executable, "-c", "print('rate', 0.25)"]
    application.configure("[rollback]\nerror_rate = 0.1\n", error_rate=rate)
    migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    follower = follow(program)
    wait(follower, lambda f: bool(f.state.tripped))
    assert follower.state.tripped[0].what.criterion == "error_rate"
    assert "criterion: error_rate: 0.25" in program.start("status").communicate(timeout=60)[0]
    assert can_write(database)
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert back.code == 5
    assert "error_rate: 0.25; the limit is 0.1" in (back.folder / "report.md").read_text()
