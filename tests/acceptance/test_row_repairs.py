"""Repairs that depend on the row: orphans lose their reference, NULL where it is forbidden gets a value."""

import os
import signal
import sqlite3
from pathlib import Path

import psycopg
import pytest
from support import Program, copying, quickly, slowly, wait

ROWS = 60_000
CHILD = "CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent (id), size REAL{}, note TEXT)"
REPAIRS = """[copy]
chunk_rows = 1_000
[schema.repairs]
"foreign_key_orphans/child/p" = "to_null"
"null_in_not_null/child/size" = "to_value:2.5"
"""


@pytest.fixture
def source(program: Program) -> Path:
    """Return a file with 60,000 children: each seventh is an orphan, each ninth has no size."""
    path = program.home / "app.db"
    with sqlite3.connect(path) as database:
        database.executescript(f"CREATE TABLE parent (id INTEGER PRIMARY KEY); {CHILD.format('')};")
        database.executemany("INSERT INTO parent VALUES (?)", [(i,) for i in range(100)])
        rows = (
            (i, i + 1_000 if i % 7 == 0 else i % 100, None if i % 9 == 0 else i / 4, f"n{i}")
            for i in range(1, ROWS + 1)
        )
        database.executemany("INSERT INTO child VALUES (?, ?, ?, ?)", rows)
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'child'", (CHILD.format(" NOT NULL"),))
    database.close()
    (program.home / "config.toml").write_text(REPAIRS)
    return path


REPAIRED = sum(i % 7 == 0 or i % 9 == 0 for i in range(1, ROWS + 1))


def _proven(database: dict[str, str]) -> None:
    with psycopg.connect(**database) as target:
        kept = target.execute("SELECT p, size, count(*) FROM child WHERE id % 7 = 0 AND id % 9 = 0 GROUP BY 1, 2")
        assert kept.fetchall() == [(None, 2.5, ROWS // 63)]
        (wrong,) = target.execute(
            "SELECT count(*) FROM child WHERE p IS DISTINCT FROM CASE WHEN id % 7 = 0 THEN NULL ELSE id % 100 END"
            " OR size <> CASE WHEN id % 9 = 0 THEN 2.5 ELSE id / 4.0 END"
        ).fetchone() or (None,)
        assert wrong == 0
        valid = target.execute("SELECT convalidated FROM pg_constraint WHERE contype = 'f'").fetchall()
        assert valid == [(True,)]


def test_row_repairs_survive_a_stop(
    program: Program, source: Path, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Stopped in mid-copy and resumed, just the rows in question are changed, counted, and the key is valid."""
    watcher = program.start("rehearse", "--source", str(source), "--keep", environment=target_environment)
    follower = slowly(program)
    wait(follower, copying)
    quickly(follower)
    os.kill(follower.state.pid, signal.SIGTERM)
    watcher.communicate(timeout=60)
    assert watcher.returncode == 4
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    assert resumed.document["totals"]["rows_repaired"] == REPAIRED
    assert resumed.finding("foreign_key_orphans")["count"] == ROWS // 7
    _proven(database)


def test_row_repairs_are_verified_and_mended(
    program: Program, source: Path, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """A reference lost too many, one kept too many and another value are differences; reloading makes them right."""
    first = program.run("rehearse", "--source", str(source), "--keep", environment=target_environment)
    assert first.code == 0, first.narration
    with psycopg.connect(**database) as target:
        target.execute("UPDATE child SET p = NULL WHERE id = 1; UPDATE child SET p = 7 WHERE id = 7")
        target.execute("UPDATE child SET size = 2 WHERE id = 9; DELETE FROM child WHERE id = 63")
    broken = program.run("verify", environment=target_environment)
    assert broken.code == 1
    assert broken.table("child")["rows_differing"] == 4
    mended = program.run("verify", "--repair", environment=target_environment)
    assert mended.code == 0, mended.narration
    assert mended.document["totals"]["rows_repaired"] == REPAIRED
    _proven(database)


@pytest.mark.parametrize("repair", ["to_value:many", "to_value:"])
def test_a_value_that_does_not_fit_mends_nothing(program: Program, source: Path, repair: str) -> None:
    """A text that is no number can't take NULL's place in a column of numbers: the finding goes on to block."""
    (program.home / "config.toml").write_text(REPAIRS.replace("to_value:2.5", repair))
    refused = program.run("rehearse", "--source", str(source))
    assert refused.code == 3
    assert refused.finding("null_in_not_null")["chosen"] is None
    assert refused.finding("foreign_key_orphans")["chosen"] == "to_null"


def test_row_repairs_are_never_taken_by_themselves(program: Program, source: Path) -> None:
    """--accept-repairs leaves what changes data to the operator."""
    (program.home / "config.toml").unlink()
    refused = program.run("rehearse", "--source", str(source), "--accept-repairs")
    assert refused.code == 3
    blocking = {f["code"]: f["chosen"] for f in refused.document["findings"] if f["severity"] == "error"}
    assert blocking == {"foreign_key_orphans": None, "null_in_not_null": None}
    offered = [r["id"] for r in refused.finding("null_in_not_null")["repairs"]]
    assert offered == ["to_value:0", "quarantine"]
