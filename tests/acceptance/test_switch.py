"""The switch and the way back, with the real program on a small application: nothing is lost, and one side serves."""

from pathlib import Path

import psycopg
import pytest
from support import Program
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
