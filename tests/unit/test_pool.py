"""Where a run's work is done: in processes of its own, or in the engine where it is over before a process starts."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.state import RunState
from zenni_tui.steps import workers
from zenni_tui.steps.pool import Pool
from zenni_tui.steps.run import Run


@pytest.mark.parametrize(("size", "here"), [(1_000, True), (1_000_000, False)])
async def test_only_a_tiny_snapshot_is_worked_on_in_the_engine(tmp_path: Path, size: int, *, here: bool) -> None:
    """A tiny file takes no process; a larger one does, and either way the snapshot is closed in the end."""
    with closing(sqlite3.connect(tmp_path / "snapshot.db")) as database:
        database.execute("CREATE TABLE t (v BLOB)")
        database.execute("INSERT INTO t VALUES (zeroblob(?))", (size,))
        database.commit()
    run = Run(Request("r", RunKind.REHEARSE, "source.db"), tmp_path, lambda _: None, RunState)
    pool, found = Pool.of(run), list[int]()
    await pool.each([(), ()], os.getpid, found.append)
    pool.close()
    assert [process == os.getpid() for process in found] == [here, here]
    if here:
        with pytest.raises(sqlite3.ProgrammingError):
            workers._at_desk().source.execute("SELECT 1")
