"""A run whose directory is deleted while it works can go on, or back, from what the target knows."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from support import Program, copying, slowly, until, wait

from zenni_tui.sandbox.sample import SampleApplication


@pytest.fixture
def source(make_sample: Callable[..., SampleApplication]) -> Path:
    """Return a source of the test's own that takes some seconds to copy."""
    return Path(make_sample(bookings=60_000).database)


@pytest.fixture
def lost(program: Program, source: Path, database: dict[str, str], target_url: str) -> dict[str, str]:
    """Delete the run directory in mid-copy, wait until the engine has noticed, and return the way to the target."""
    environment = {"PGPASSWORD": database["password"]}
    arguments = ("rehearse", "--source", str(source), "--keep", "--target", target_url)
    watcher = program.start(*arguments, environment=environment)
    follower = slowly(program)
    wait(follower, copying)
    # It looks for its directory every few seconds.
    assert follower.send("throttle", rows=1000).ok
    shutil.rmtree(follower.folder)
    watcher.communicate(timeout=60)
    until(lambda: not program.engines())
    return environment


def _count(database: dict[str, str], query: str) -> int:
    with psycopg.connect(**database) as target:
        row = target.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def test_it_goes_back(program: Program, lost: dict[str, str], database: dict[str, str], target_url: str) -> None:
    """`rollback --target` finds the run in the target and leaves nothing of it there."""
    back = program.run("rollback", "--target", target_url, environment=lost)
    assert (back.code, back.document["verdict"]) == (5, "rolled_back"), back.narration
    assert "The target knows this run" in back.narration
    assert _count(database, "SELECT count(*) FROM pg_tables WHERE schemaname !~ '^(pg_|inf)'") == 0


def test_it_goes_on(program: Program, lost: dict[str, str], database: dict[str, str], target_url: str) -> None:
    """With the source as it was, `resume --target` takes the snapshot again and goes on from the checkpoints."""
    arrived = _count(database, "SELECT sum(rows) FROM zenni_tui.checkpoint")
    assert arrived > 0
    resumed = program.run("resume", "--target", target_url, environment=lost)
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    assert _count(database, 'SELECT count(*) FROM "Booking"') == 60_000


def test_it_does_not_go_on_with_another_source(
    program: Program, source: Path, lost: dict[str, str], target_url: str
) -> None:
    """A source that changed meanwhile is refused by name, nothing is written, and the way back is open."""
    with sqlite3.connect(source) as changed:
        changed.execute('DELETE FROM "Booking" WHERE rowid = 7')
    changed.close()
    resumed = program.run("resume", "--target", target_url, environment=lost)
    assert resumed.code == 1
    assert "the source's content (SHA-256 of its snapshot) differs" in resumed.narration
    back = program.run("rollback", "--target", target_url, environment=lost)
    assert (back.code, back.document["verdict"]) == (5, "rolled_back"), back.narration
