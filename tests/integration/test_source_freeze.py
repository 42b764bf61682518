"""A frozen file refuses every write but ours, says why, and is as it was afterwards."""

import sqlite3
from pathlib import Path

import pytest

from zenni_tui.errors import StepFailed
from zenni_tui.source import freeze, live

TABLES = """
CREATE TABLE Service (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE "odd ""one"" " (n INTEGER NOT NULL CHECK (n > 0), g AS (n * 2));
CREATE TABLE bare (k INTEGER PRIMARY KEY) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5(text);
INSERT INTO Service VALUES ('a', 'b');
INSERT INTO "odd ""one"" " VALUES (1);
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an application's file."""
    connection = sqlite3.connect(tmp_path / "app.db")
    connection.executescript(TABLES)
    connection.close()
    return tmp_path / "app.db"


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO Service VALUES ('c', 'd')",
        "INSERT OR REPLACE INTO Service VALUES ('a', 'd')",
        "INSERT OR IGNORE INTO Service VALUES ('c', 'd')",
        "UPDATE Service SET name = 'x'",
        "DELETE FROM Service",
        'DELETE FROM "odd ""one"" "',
        "INSERT INTO bare VALUES (1)",
    ],
)
def test_every_write_is_refused_with_the_reason(path: Path, write: str) -> None:
    """A connection that was open before, as the application's is, gets our message for any write, and can read."""
    application = sqlite3.connect(path, isolation_level=None)
    application.execute("SELECT * FROM Service").fetchall()
    connection = live.open_live(path)
    before = connection.execute("SELECT name, sql FROM sqlite_schema").fetchall()
    freeze.freeze(connection)
    with pytest.raises(sqlite3.IntegrityError, match="read-only while the database moves"):
        application.execute(write)
    assert application.execute("SELECT * FROM Service").fetchall() == [("a", "b")]
    freeze.thaw(connection)
    assert connection.execute("SELECT name, sql FROM sqlite_schema").fetchall() == before
    application.execute(write)
    for each in (application, connection):
        each.close()


def test_the_freeze_is_proven_table_by_table(path: Path) -> None:
    """Each table is tried with a write that is taken back; a table that came later, or lost its trigger, is named."""
    connection = live.open_live(path)
    tables = {"Service", 'odd "one" ', "bare"}
    assert set(freeze.unfrozen(connection)) == tables
    freeze.freeze(connection)
    assert (freeze.is_frozen(connection), freeze.unfrozen(connection)) == (True, ())
    connection.execute("CREATE TABLE later (x)")
    assert freeze.unfrozen(connection) == ("later",)
    freeze.freeze(connection)
    assert freeze.unfrozen(connection) == ()
    freeze.thaw(connection)
    assert set(freeze.unfrozen(connection)) == {*tables, "later"}
    assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)
    connection.close()


def test_our_own_writes_pass_the_gate(path: Path) -> None:
    """Within a transaction of ours the gate is open, and it is shut for everybody when that ends, either way."""
    connection = live.open_live(path)
    freeze.freeze(connection)
    with live.writing(connection), freeze.gate(connection):
        connection.execute("UPDATE Service SET name = 'ours'")
    assert freeze.unfrozen(connection) == ()
    with pytest.raises(StepFailed, match="can't be written"), live.writing(connection), freeze.gate(connection):
        connection.execute("INSERT INTO Service VALUES ('a', 'twice')")
    assert freeze.unfrozen(connection) == ()
    assert connection.execute("SELECT name FROM Service").fetchall() == [("ours",)]
    connection.close()


def test_a_busy_file_is_told_with_who_holds_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the application keeps a write open, freezing gives up after a while and changes nothing."""
    monkeypatch.setattr(live, "WAIT_SECONDS", 0.2)
    application = sqlite3.connect(path, isolation_level=None)
    application.execute("BEGIN IMMEDIATE")
    connection = live.open_live(path)
    with pytest.raises(StepFailed, match="stays locked"):
        freeze.freeze(connection)
    application.execute("ROLLBACK")
    assert not freeze.is_frozen(connection)
    application.close()
    connection.close()
