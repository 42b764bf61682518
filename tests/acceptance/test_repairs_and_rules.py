"""What a repair would break in its own table is found before the first write, by key, and has a way out."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from support import Program

TABLE = """CREATE TABLE room (id INTEGER PRIMARY KEY, name TEXT CHECK (length(name) > 2 AND name <> 'none'),
    size INTEGER{}, twice INTEGER AS (size * 2) STORED, floor INTEGER REFERENCES level (id), outside TEXT,
    CHECK (floor IS NOT NULL OR outside = 'yes'))"""
NUL, SIZE, ORPHAN = "text_nul/room/name", "null_in_not_null/room/size", "foreign_key_orphans/room/floor"
CHECKS, TWICE = "check_broken_by_repair/room", "generated_changed_by_repair/room/twice"


@pytest.fixture
def source(program: Program) -> Path:
    """Return a file of rooms: names with NUL, sizes that are missing, floors that don't exist."""
    path = program.home / "app.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.executescript(
            f"CREATE TABLE level (id INTEGER PRIMARY KEY); INSERT INTO level VALUES (1); {TABLE.format('')}"
        )
        made.executemany(
            "INSERT INTO room (id, name, size, floor, outside) VALUES (?, ?, ?, ?, ?)",
            [(1, "blue", 4, 1, None), (2, "red\0x", 4, 1, None), (4, "pool", 9, 8, "yes"), (5, "hall", 9, 8, "no")],
        )
        made.execute("INSERT INTO room (id, name, size, floor) VALUES (6, 'cave', NULL, 1)")
        made.execute("PRAGMA writable_schema = ON")
        made.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'room'", (TABLE.format(" NOT NULL"),))
    return path


def _choose(program: Program, **chosen: str) -> None:
    names = {"nul": NUL, "size": SIZE, "orphan": ORPHAN, "checks": CHECKS, "twice": TWICE}
    lines = "".join(f'"{names[k]}" = "{v}"\n' for k, v in chosen.items())
    (program.home / "config.toml").write_text(
        f'[schema.repairs]\n"check_violated/room" = "quarantine"\n{lines}', encoding="utf-8"
    )


def test_what_repairs_would_break_is_told_at_once(program: Program, source: Path) -> None:
    """Values that a CHECK forbids, and a computed column that would differ, are findings with just those keys."""
    _choose(program, nul="to_value:x", size="to_value:0", orphan="to_null")
    refused = program.run("rehearse", "--source", str(source))
    assert refused.code == 3, refused.narration
    broken = refused.finding("check_broken_by_repair")
    assert (broken["table"], sorted(broken["keys"])) == ("room", ["2", "5"])
    assert {r["id"] for r in broken["repairs"]} == {"check_drop", "quarantine"}
    computed = refused.finding("generated_changed_by_repair")
    assert (computed["column"], computed["keys"]) == ("twice", ["6"])
    assert {r["id"] for r in computed["repairs"]} == {"exclude", "quarantine"}


def test_such_rows_can_be_kept_out(
    program: Program, source: Path, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """With those rows in quarantine the rest arrives repaired, and the rules hold."""
    _choose(program, nul="to_value:x", size="to_value:0", orphan="to_null", checks="quarantine", twice="quarantine")
    passed = program.run("rehearse", "--source", str(source), "--keep", environment=target_environment)
    assert (passed.code, passed.document["verdict"]) == (0, "passed"), passed.narration
    with psycopg.connect(**database) as target:
        rows = target.execute("SELECT id, name, twice, floor FROM room ORDER BY id").fetchall()
        assert rows == [(1, "blue", 8, 1), (4, "pool", 18, None)]
        assert target.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = 'room'::regclass"
        ).fetchone() == (2,)


def test_a_repair_that_breaks_nothing_is_not_spoken_of(program: Program, source: Path) -> None:
    """A value that keeps every rule makes no further finding."""
    _choose(program, nul="to_value:long enough")
    refused = program.run("rehearse", "--source", str(source))
    assert refused.finding("text_nul")["chosen"] == "to_value:long enough"
    assert not [f for f in refused.document["findings"] if f["code"].endswith("_by_repair")]
