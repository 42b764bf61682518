"""Snapshots hold customers' data: those that nothing needs any more go when asked, and everything else stays."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import Program

from zenni_tui.engine import client, folders, pruning


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return the path of a small database."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
        made.execute("INSERT INTO t VALUES (1, 'Aino')")
        made.commit()
    return str(path)


def prune(program: Program, *arguments: str) -> list[dict[str, Any]]:
    """Run the verb and return what it tells."""
    process = program.start("prune", "--json", *arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_only_what_nothing_needs_goes_and_only_when_asked(
    program: Program, source: str, target_environment: dict[str, str]
) -> None:
    """An earlier rehearsal's snapshot goes; a migration's, a kept result's, the newest and all evidence stay."""
    first = program.run("rehearse", "--source", source)
    kept = program.run("rehearse", "--keep", "--source", source, environment=target_environment)
    newest = program.run("audit", "--source", source)
    told = prune(program)
    assert [(t["run_id"], t["deleted"]) for t in told] == [(first.folder.name, False)]
    size = (first.folder / "snapshot.db").stat().st_size
    assert told[0]["bytes"] == size > 0
    assert [(t["bytes"], t["deleted"]) for t in prune(program, "--yes")] == [(size, True)]
    assert not (first.folder / "snapshot.db").exists()
    assert (first.folder / "result.json").exists()
    assert (first.folder / "events.jsonl").exists()
    assert program.run("verify", "--run-dir", str(kept.folder), environment=target_environment).code == 0
    assert program.run("rollback", "--run-dir", str(kept.folder), environment=target_environment).code == 5
    migrated = program.run("migrate", "--yes", "--source", source, environment=target_environment)
    assert migrated.code == 0, migrated.narration
    assert program.run("audit", "--source", source).code == 0
    assert {t["run_id"] for t in prune(program, "--yes")} == {kept.folder.name, newest.folder.name}
    assert (migrated.folder / "snapshot.db").exists()
    assert prune(program, "--yes") == []


def test_a_run_that_an_engine_took_up_meanwhile_keeps_its_snapshot(
    program: Program, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the deed an engine may begin: then nothing is deleted."""
    first = program.run("rehearse", "--source", source)
    assert program.run("rehearse", "--source", source).code == 0
    monkeypatch.setenv("XDG_STATE_HOME", program.environment["XDG_STATE_HOME"])
    (spare,) = pruning.spare()
    engine = folders.Lock(first.folder / folders.ENGINE_LOCK)
    assert engine.acquire("1")
    assert list(pruning.spare()) == []
    assert not pruning.take(spare)
    assert (first.folder / "snapshot.db").exists()
    engine.release()
    assert pruning.take(spare)
    assert client.source_of(first.folder) == source
