"""Indexes are built while other tables are still copied, and what was begun is gone on with after a death."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from support import Program, kill, slowly, wait

from zenni_tui.engine.client import Follower
from zenni_tui.model.runbook import StepId, StepState

ROWS = 40_000
_DDL = """
CREATE TABLE early (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, size INTEGER CHECK (size >= 0));
CREATE UNIQUE INDEX early_name ON early (name);
CREATE INDEX early_size ON early (size, name);
CREATE TABLE late (id INTEGER PRIMARY KEY, early TEXT NOT NULL REFERENCES early (id));
CREATE INDEX late_early ON late (early);
"""
_MADE = """
SELECT conrelid::regclass::text, contype::text, convalidated FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'c', 'f')
UNION ALL SELECT tablename, indexname, true FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2
"""
ALL = [
    ("early", "c", True),
    ("early", "early_name", True),
    ("early", "early_pkey", True),
    ("early", "early_size", True),
    ("early", "p", True),
    ("late", "f", True),
    ("late", "late_early", True),
    ("late", "late_pkey", True),
    ("late", "p", True),
]


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source of two tables that are worth a session each, the one with more rows first."""
    path = tmp_path_factory.mktemp("two") / "two.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(_DDL)
        db.executemany("INSERT INTO early VALUES (?, ?, ?)", ((f"k{n}", f"name {n}", n % 7) for n in range(ROWS + 1)))
        db.executemany("INSERT INTO late VALUES (?, ?)", ((n, f"k{n}") for n in range(ROWS)))
        db.commit()
    return path


@pytest.fixture
def slow(program: Program, two: Path, target_environment: dict[str, str]) -> Callable[[], Follower]:
    """Return a function that starts a run and brings it to its first index, while the second table is copied."""

    def start() -> Follower:
        program.start("rehearse", "--source", str(two), "--keep", environment=target_environment)
        follower = slowly(program, rows=8000)
        wait(follower, lambda f: f.state.step(StepId.INDEX).done > 0)
        assert follower.state.step(StepId.COPY).state is StepState.RUNNING
        return follower

    return start


def made(database: dict[str, str]) -> list[tuple[str, str, bool]]:
    """Return the rules and indexes of the target: table, kind or name, and whether it holds for all rows."""
    with psycopg.connect(**database) as target:
        return [tuple(row) for row in target.execute(_MADE)]


def test_indexes_overlap_the_copy(program: Program, database: dict[str, str], slow: Callable[[], Follower]) -> None:
    """A table that has arrived gets its indexes while the next one is copied, counted for the index step."""
    follower = slow()
    program.run("throttle", "--rows", "0")
    outcome = program.run("attach")
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration
    follower.poll()
    index = follower.state.step(StepId.INDEX)
    assert "while rows were still copied" in index.summary
    assert index.done == index.total
    assert made(database) == ALL


def test_an_index_that_is_no_key_yet_becomes_one(
    program: Program, database: dict[str, str], target_environment: dict[str, str], slow: Callable[[], Follower]
) -> None:
    """Killed between a key's unique index and the key made of it: a resume makes the key and all that is missing."""
    kill(slow())
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        target.execute("ALTER TABLE early DROP CONSTRAINT IF EXISTS early_pkey; DROP INDEX IF EXISTS early_pkey")
        target.execute("CREATE UNIQUE INDEX early_pkey ON early (id)")
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    assert made(database) == ALL


def test_nobody_builds_behind_a_rollback(
    program: Program, database: dict[str, str], target_environment: dict[str, str], slow: Callable[[], Follower]
) -> None:
    """A rollback in the midst of it lets go of the index in hand, and leaves the target as it was."""
    slow()
    back = program.run("rollback", environment=target_environment)
    assert (back.code, back.document["verdict"]) == (5, "rolled_back"), back.narration
    assert made(database) == []
