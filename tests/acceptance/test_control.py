"""A run can be paused, slowed and given other workers while it works, and loses nothing by it."""

import time
from collections.abc import Callable

import psycopg
import pytest
from support import Program, copying, follow, quickly, slowly, until, wait

from zenni_tui.engine.client import Follower
from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.sandbox.sample import SampleApplication
from zenni_tui.steps.pace import GRACE

QUIET = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'zenni-tui%%'"
    " AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
)
OPEN = QUIET.replace("count(*)", "array_agg((pid, xact_start)::text)")
LEASE = "SELECT expires FROM zenni_tui.lease"
ARRIVED = "SELECT coalesce(sum(rows), 0) FROM zenni_tui.checkpoint"


@pytest.fixture(scope="session")
def big(make_sample: Callable[..., SampleApplication]) -> SampleApplication:
    """Return a sample that takes some seconds to copy."""
    return make_sample(bookings=100_000)


def look(database: dict[str, str], query: str) -> object:
    """Return what an outsider sees in the target."""
    with psycopg.connect(**database) as target:
        row = target.execute(query).fetchone()
        assert row is not None
        return row[0]


def in_step(step: StepId) -> Callable[[Follower], bool]:
    """Return whether a run has come to a step's work."""
    return lambda f: f.state.step(step).done > 0


@pytest.mark.parametrize("step", [StepId.COPY, StepId.INDEX, StepId.VERIFY])
def test_a_pause_holds_nothing_open(
    program: Program, big: SampleApplication, database: dict[str, str], target_environment: dict[str, str], step: StepId
) -> None:
    """Paused in any phase: no transaction on the target, the lease renewed, nothing moves; unpaused: `passed`."""
    watcher = program.start("rehearse", "--source", str(big.database), "--keep", environment=target_environment)
    follower = slowly(program)
    wait(follower, in_step(step))
    # By the verb it could come when all is done.
    assert follower.send("pause").ok
    # What was begun just then may still arrive.
    time.sleep(2 * GRACE)
    until(lambda: look(database, QUIET) == 0, 60)
    lease, rows = look(database, LEASE), look(database, ARRIVED)
    until(lambda: look(database, LEASE) != lease, 60)
    assert look(database, ARRIVED) == rows
    assert look(database, QUIET) == 0
    follower.poll()
    assert follower.state.paused is not None
    assert program.run("pause").code == 1
    quickly(follower)
    assert program.run("unpause").code == 0
    _, err = watcher.communicate(timeout=180)
    assert watcher.returncode == 0, err
    assert look(database, 'SELECT count(*) FROM "Booking"') == 100_000


def test_a_paused_run_can_be_stopped(
    program: Program, big: SampleApplication, target_environment: dict[str, str]
) -> None:
    """A stop needs no unpause before it, and a resume begins unpaused."""
    watcher = program.start("rehearse", "--source", str(big.database), "--keep", environment=target_environment)
    follower = slowly(program)
    wait(follower, copying)
    assert program.run("pause").code == 0
    quickly(follower)
    assert program.run("stop").code == 4
    watcher.communicate(timeout=60)
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration


def test_a_limit_acts_within_a_chunk(
    program: Program, big: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """A limit of rows holds a running chunk back, its end lets it go on at once, and the settings are remembered."""
    watcher = program.start("rehearse", "--source", str(big.database), "--keep", environment=target_environment)
    follower = slowly(program)
    wait(follower, copying)
    slowed = program.run("throttle", "--rows", "10", "--workers", "1")
    assert slowed.code == 0
    assert "1 worker" in slowed.narration
    assert "10 rows/s" in slowed.narration

    def held() -> bool:
        """Return whether one chunk stands open for two seconds in which no row arrives."""
        seen = look(database, OPEN), look(database, ARRIVED)
        time.sleep(2)
        return look(database, QUIET) == 1 and (look(database, OPEN), look(database, ARRIVED)) == seen

    until(held, 60)
    assert program.run("throttle", "--workers", "99").code == 1
    assert program.run("throttle", "--rows", "0", "--workers", "3").code == 0
    _, err = watcher.communicate(timeout=180)
    assert watcher.returncode == 0, err
    follower.poll()
    settings = follower.state.throttled
    assert settings is not None
    assert (settings.workers, settings.rows_per_second) == (3, 0)
    assert settings.by


def test_chunks_may_be_smaller_than_planned(
    program: Program, big: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Told before the copy, every span of more rows arrives in parts, the run passes, and the setting is remembered."""
    watcher = program.start("rehearse", "--source", str(big.database), "--keep", environment=target_environment)
    follower = follow(program)
    wait(follower, lambda f: f.state.step(StepId.REACH).state is StepState.DONE)
    assert follower.send("pause").ok
    assert "chunks of 3,000 rows" in program.run("throttle", "--chunk", "3000").narration
    assert follower.send("unpause").ok
    _, err = watcher.communicate(timeout=180)
    assert watcher.returncode == 0, err
    follower.poll()
    assert follower.state.throttled
    assert follower.state.throttled.chunk_rows == 3000
    whole = "SELECT count(*) FROM zenni_tui.checkpoint WHERE rows > 3000 AND since IS NULL"
    parts = "SELECT count(*) FROM zenni_tui.checkpoint WHERE rows > 3000 AND since IS NOT NULL"
    assert (look(database, whole), look(database, parts)) == (0, 4)
    assert look(database, 'SELECT count(*) FROM "Booking"') == 100_000
