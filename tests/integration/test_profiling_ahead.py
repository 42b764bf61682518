"""Profiles begun while SQLite checks the snapshot: the same as by themselves, and nothing of a damaged file's."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from zenni_tui.errors import NotReady
from zenni_tui.model import events as e
from zenni_tui.model.plan import Span
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind, StepId
from zenni_tui.model.state import RunState
from zenni_tui.source import audit, database, inspect
from zenni_tui.steps import profiling
from zenni_tui.steps.book import BOOK
from zenni_tui.steps.profiling import Gathered, Profiling
from zenni_tui.steps.run import Run
from zenni_tui.steps.target import close_target

ROWS = 30_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file of some megabytes, with an index to be checked."""
    path = tmp_path / "source.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, at DATETIME)")
        made.execute("CREATE INDEX i ON t (name)")
        rows = ((f"name {i % 97} {i}", 1_700_000_000_000 + i if i % 3 else "2024-02-29T10:20:30Z") for i in range(ROWS))
        made.executemany("INSERT INTO t (name, at) VALUES (?, ?)", rows)
        made.execute("CREATE TABLE other (v)")
    return path


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this file be large enough."""
    monkeypatch.setattr(profiling, "_WORTH_BYTES", 1)


def run_of(source: Path, folder: Path, tell: Callable[[object], object] = lambda _: None) -> Run:
    """Return an audit of the source."""
    folder.mkdir()
    return Run(Request("here", RunKind.AUDIT, str(source)), folder, tell, RunState)


async def test_what_is_read_beside_the_check_is_what_the_audit_would_read(source: Path, tmp_path: Path) -> None:
    """Begun with the snapshot or by the audit itself, every column has the profile that its values make, told once."""
    told: list[e.Progress] = []
    run = run_of(source, tmp_path / "run", lambda what: told.append(what) if isinstance(what, e.Progress) else None)
    await BOOK[StepId.SNAPSHOT].run(run)
    assert not told
    await BOOK[StepId.INSPECT].run(run)
    tables = {t.name: t for t in run.schema().tables}
    begun = Profiling.of(run)._task
    assert begun is not None
    found = await Profiling.of(run).result(tables)
    assert found is begun.result()
    assert (told[-1].done, told[-1].total) == (ROWS, ROWS)
    alone = await Profiling(run).result(tables)
    await close_target(run, keep=False)
    assert found == alone
    with closing(database.open_frozen(run.snapshot)) as snapshot:
        whole = audit.profile_span(snapshot, tables["t"], Span(0, ROWS))
    assert found.profiles["t"] == whole


async def test_a_damaged_file_is_told_by_its_check_and_leaves_no_backup(source: Path, tmp_path: Path) -> None:
    """Whatever its reading met, the check's complaint is what comes out; what isn't sound is called no snapshot."""
    with source.open("r+b") as stream:
        stream.seek(4096 * 40)
        stream.write(b"\xab" * 4096 * 8)
    run = run_of(source, tmp_path / "run")
    with pytest.raises(NotReady, match=r"integrity check failed|can't read"):
        await BOOK[StepId.SNAPSHOT].run(run)
    assert not run.backup.exists()
    await close_target(run, keep=False)
    assert run.pool is None


async def test_trouble_ahead_is_met_again_by_the_audit(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be read ahead is read by the audit, as if nothing had been tried before."""
    run = run_of(source, tmp_path / "run")

    async def unreadable(_: Path) -> Gathered:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(inspect, "read_file", unreadable)
        await BOOK[StepId.SNAPSHOT].run(run)
        begun = Profiling.of(run)._task
        assert begun is not None
        assert await begun is None
    await BOOK[StepId.INSPECT].run(run)
    found = await Profiling.of(run).result({t.name: t for t in run.schema().tables})
    await close_target(run, keep=False)
    assert sum(p.texts for p in found.profiles["t"].values()) == ROWS + ROWS // 3
