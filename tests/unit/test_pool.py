"""Where a run's work is done: in processes of its own, or in the engine where it is over before a process starts."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from zenni_tui.model.request import Command, Request
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.state import RunState
from zenni_tui.steps import workers
from zenni_tui.steps.pool import Pool
from zenni_tui.steps.run import Run


def make_run(folder: Path, size: int) -> Run:
    """Return a run of two workers with a snapshot of so many bytes."""
    with closing(sqlite3.connect(folder / "snapshot.db")) as database:
        database.execute("CREATE TABLE t (v BLOB)")
        database.execute("INSERT INTO t VALUES (zeroblob(?))", (size,))
        database.commit()
    return Run(Request("r", RunKind.REHEARSE, "source.db"), folder, lambda _: None, RunState)


@pytest.mark.parametrize(("size", "here"), [(1_000, True), (1_000_000, False)])
async def test_only_a_tiny_snapshot_is_worked_on_in_the_engine(tmp_path: Path, size: int, *, here: bool) -> None:
    """A tiny file takes no process; a larger one does, and either way the snapshot is closed in the end."""
    run = make_run(tmp_path, size)
    pool, found = Pool.of(run), list[int]()
    await pool.each([(), ()], os.getpid, found.append)
    opened = workers._at_desk().source if here else None
    pool.close()
    assert [process == os.getpid() for process in found] == [here, here]
    if opened is not None:
        with pytest.raises(sqlite3.ProgrammingError):
            opened.execute("SELECT 1")


async def test_no_more_processes_than_may_work_are_ever_begun(tmp_path: Path) -> None:
    """Each would hold sessions of its own on the target; another number of workers begins anew, with just as many."""
    run = make_run(tmp_path, 1_000_000)
    pool = Pool.of(run)
    for most in (1, 2, 1):
        run.steering.set(Command("throttle", workers=most))
        found = list[int]()
        await pool.each([()] * 300, os.getpid, found.append)
        assert len(found) == 300
        assert len(set(found)) <= most
        assert os.getpid() not in found
    pool.close()


@pytest.mark.parametrize("stuck", [0, 1])
async def test_a_worker_that_does_not_leave_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stuck: int
) -> None:
    """Nor the others, whom it may keep from hearing that they are to leave: the engine comes to its end."""
    monkeypatch.setattr("zenni_tui.steps.pool._LEAVE_SECONDS", 1.0)
    pool = Pool.of(make_run(tmp_path, 1_000_000))
    found = list[int]()
    while len(set(found)) < 2:
        await pool.each([()] * 50, os.getpid, found.append)
    processes = [psutil.Process(pid) for pid in sorted(set(found))]
    processes[stuck].suspend()
    pool.close()
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert alive == []
