"""Many tables, many columns, a large value: carried whole, within the limit of memory."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from large import large_value, many_tables, wide_table
from psycopg import sql
from support import Program, copying, kill, slowly, wait

MOST_MB = 200
"""No process of ours may need more, beyond its largest row."""
BASE_MB = 125
"""A process that takes less has never held a value of 100 MB: it takes 50 for small rows."""


def _equal(source: Path, database: dict[str, str], table: str) -> bool:
    with closing(sqlite3.connect(source)) as ours, psycopg.connect(**database) as theirs:
        query = sql.SQL("SELECT * FROM {} ORDER BY id").format(sql.Identifier(table))
        return ours.execute(query.as_string()).fetchall() == theirs.execute(query).fetchall()


def test_two_thousand_tables(program: Program, database: dict[str, str], target_environment: dict[str, str]) -> None:
    """Two thousand tables of three rows pass, each with its key, its indexes and its foreign key."""
    path = program.home / "many.db"
    many_tables(path, 2000)
    outcome = program.run("rehearse", "--source", str(path), "--keep", environment=target_environment)
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration[-2000:]
    assert outcome.document["totals"]["peak_rss_mb"] < MOST_MB
    with psycopg.connect(**database) as target:
        kinds = target.execute(
            "SELECT contype::text, count(*) FROM pg_constraint JOIN pg_class c ON c.oid = conrelid"
            " WHERE c.relnamespace = 'public'::regnamespace AND convalidated AND contype IN ('p', 'f') GROUP BY 1"
        ).fetchall()
        assert sorted(kinds) == [("f", 2000), ("p", 2000)]
        indexes = target.execute("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'").fetchone()
        assert indexes == (6000,)
    assert all(_equal(path, database, name) for name in ("t0000", "t0001", "t1000", "t1999"))


def test_small_tables_travel_together(
    program: Program, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Many small tables share a transaction; an engine killed among them leaves whole ones, and a resume the rest."""
    path = program.home / "many.db"
    many_tables(path, 250)
    watcher = program.start("rehearse", "--source", str(path), "--keep", environment=target_environment)
    # A worker may take at once what a second lets through: less than the first hundred tables hold.
    follower = slowly(program, rows=100, workers=1)
    wait(follower, copying)
    kill(follower)
    watcher.communicate(timeout=60)
    with psycopg.connect(**database) as target:
        arrived = {name for (name,) in target.execute("SELECT table_name FROM zenni_tui.checkpoint")}
    assert 0 < len(arrived) < 250
    assert _equal(path, database, min(arrived))
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    with psycopg.connect(**database) as target:
        row = target.execute(
            "SELECT count(*), sum(rows), count(DISTINCT xmin::text) FROM zenni_tui.checkpoint WHERE bytes > 0"
        ).fetchone()
    assert row is not None
    assert row[:2] == (250, 3 * 250)
    assert row[2] < 5
    assert all(_equal(path, database, name) for name in ("t0000", "t0100", "t0249"))


def test_a_thousand_columns(program: Program, database: dict[str, str], target_environment: dict[str, str]) -> None:
    """A table of a thousand columns arrives with every value."""
    path = program.home / "wide.db"
    wide_table(path, 1000, 20)
    outcome = program.run("rehearse", "--source", str(path), "--keep", environment=target_environment)
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration[-2000:]
    assert outcome.document["totals"]["peak_rss_mb"] < MOST_MB
    assert _equal(path, database, "wide")


@pytest.mark.parametrize("kind", ["BLOB", "TEXT"])
def test_a_value_of_a_hundred_megabytes(
    program: Program, database: dict[str, str], target_environment: dict[str, str], kind: str
) -> None:
    """It arrives byte by byte, and no process of ours ever holds all of it."""
    path = program.home / "large.db"
    large_value(path, kind, 100_000_000)
    outcome = program.run("rehearse", "--source", str(path), "--keep", environment=target_environment)
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration[-2000:]
    assert outcome.document["totals"]["peak_rss_mb"] < BASE_MB
    with closing(sqlite3.connect(path)) as ours, psycopg.connect(**database) as theirs:
        ((stored,),) = ours.execute("SELECT CAST(value AS BLOB) FROM large WHERE id = 1").fetchall()
        read = "value" if kind == "BLOB" else "convert_to(value, 'UTF8')"
        found = theirs.execute(f"SELECT encode(sha256({read}), 'hex') FROM large WHERE id = 1").fetchone()
        assert found == (hashlib.sha256(stored).hexdigest(),)
        assert theirs.execute("SELECT count(*) FROM large WHERE value IS NULL").fetchone() == (1,)
