"""The application writes through a whole run: nothing is lost or doubled, and its file is as before at the end."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import writer
from support import Program, follow, wait

from zenni_tui.engine.client import Follower
from zenni_tui.model.runbook import StepId, StepState, Verdict


@contextmanager
def writing(source: Path, pace: float = 0.01) -> Iterator[None]:
    """Let the application write for the time of a block; it must have written something, and without an error."""
    stop = source.with_suffix(".stop")
    process = subprocess.Popen(
        [sys.executable, writer.__file__, str(source), str(pace), str(stop)], stdout=subprocess.PIPE, text=True
    )
    try:
        yield
    finally:
        stop.touch()
        out, _ = process.communicate(timeout=60)
        stop.unlink()
    assert process.returncode == 0
    assert int(out) > 0


def declared(source: Path) -> list[tuple[object, ...]]:
    """Return the file's schema as SQLite keeps it."""
    with closing(sqlite3.connect(source)) as db:
        return db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid").fetchall()


def waiting(follower: Follower) -> bool:
    """Return whether the run follows and waits."""
    follower.poll()
    return follower.state.waiting is not None


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_migration_follows_until_it_is_told_to_go_on(
    program: Program, target_environment: dict[str, str], database: dict[str, str], mode: str
) -> None:
    """Every write, of every kind, made from before the snapshot until the end is in the target exactly once."""
    source = writer.make(program.home / "app.db", mode)
    before = declared(source)
    with writing(source):
        outcome = program.run(
            "migrate", "--yes", "--meanwhile", "follow", "--source", str(source), environment=target_environment
        )
        assert (outcome.code, outcome.document["verdict"]) == (0, "waiting"), outcome.narration
        follower = follow(program)
        wait(follower, lambda f: f.state.lag is not None and f.state.step(StepId.CATCH_UP).state is StepState.DONE)
    assert follower.send("go").ok
    wait(follower, lambda f: not f.alive)
    follower.poll()
    assert follower.state.verdict is Verdict.WAITING, follower.state.problem
    assert writer.differences(source, database) == []
    assert declared(source) != before
    assert program.run("rollback", environment=target_environment).code == 5
    assert declared(source) == before
    with psycopg.connect(**database) as target:
        assert target.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_rehearsal_follows_and_leaves_the_source_as_it_was(
    program: Program, target_environment: dict[str, str]
) -> None:
    """A rehearsal under load passes, compares what was changed meanwhile, and takes its triggers out again."""
    source = writer.make(program.home / "app.db")
    before = declared(source)
    with writing(source):
        outcome = program.run(
            "rehearse", "--meanwhile", "follow", "--source", str(source), environment=target_environment
        )
    assert outcome.code == 0, outcome.narration
    assert "changed rows" in outcome.step("catch_up")["summary"]
    assert outcome.step("arm")["state"] == "undone"
    assert declared(source) == before
