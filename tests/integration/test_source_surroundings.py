"""What is around the source is seen without touching it: neighbours, locks, the project, the second copy."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zenni_tui.application import project
from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model import events as e
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.state import RunState
from zenni_tui.source import neighbours, second, snapshot
from zenni_tui.steps import surroundings
from zenni_tui.steps.run import Run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a small database in a folder of its own."""
    folder = tmp_path / "app" / "prisma"
    folder.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(folder / "dev.db")) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        made.commit()
    return folder / "dev.db"


@contextlib.contextmanager
def another(source: Path, statement: str) -> Iterator[int]:
    """Yield the id of another process that has the database open and has carried out a statement."""
    code = (
        "import sqlite3, sys\n"
        "link = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "link.execute(sys.argv[2]).fetchall()\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, source, statement], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.communicate()


def test_who_has_the_file_open_is_seen(source: Path) -> None:
    """Another process shows up with its name while it has the file open, by whatever path, and not afterwards."""
    link = source.with_name("link.db")
    link.symlink_to(source)
    assert neighbours.having_open(source) == {}
    with another(source, "SELECT * FROM t") as pid:
        found = neighbours.having_open(link)
        assert found is not None
        assert set(found) == {pid}
        assert "python" in found[pid]
    assert neighbours.having_open(source) == {}


def run_of(source: Path, folder: Path, **changes: str) -> tuple[Run, list[e.CheckMade]]:
    """Return a run on the source, and the list that its checks go to."""
    told: list[e.CheckMade] = []
    folder.mkdir()
    request = Request("here", RunKind.CHECK, str(source), **changes)
    return Run(
        request, folder, lambda what: told.append(what) if isinstance(what, e.CheckMade) else None, RunState
    ), told


def found_of(told: list[e.CheckMade], name: str) -> e.CheckMade:
    """Return one check."""
    return next(c for c in told if c.name == name)


def test_everything_around_the_source_is_told(source: Path, tmp_path: Path) -> None:
    """Rights, neighbours, free space and the project, each with what was looked at; the source keeps its bytes."""
    before = source.read_bytes(), source.stat().st_mtime_ns
    (source.parent.parent / "package.json").write_text("{}")
    (source.parent.parent / "pnpm-lock.yaml").touch()
    (source.parent.parent / ".env").write_text("DATABASE_URL=file:./dev.db\n")
    run, told = run_of(source, tmp_path / "run")
    with another(source, "BEGIN IMMEDIATE") as pid:
        surroundings.look(run)
        assert f"({pid})" in found_of(told, "neighbours").found
    assert all(c.tried and c.found for c in told)
    assert "pnpm" in found_of(told, "application").found
    assert found_of(told, "application").ok
    assert "bytes free" in found_of(told, "disk").found
    assert (source.read_bytes(), source.stat().st_mtime_ns) == before


def test_a_project_that_uses_another_file_is_noticed(source: Path, tmp_path: Path) -> None:
    """DATABASE_URL that points elsewhere is the classic way to migrate the wrong file."""
    (source.parent.parent / ".env").write_text('DATABASE_URL="file:./production.db?connection_limit=1"\n')
    run, told = run_of(source, tmp_path / "run")
    surroundings.look(run)
    check = found_of(told, "application")
    assert check.ok is None
    assert "production.db" in check.advice


def test_a_file_outside_any_project(tmp_path: Path) -> None:
    """Without .env and package.json above it there is nothing to tell."""
    lonely = tmp_path / "a" / "b" / "c" / "d" / "e.db"
    lonely.parent.mkdir(parents=True)
    lonely.touch()
    assert project.find(lonely) is None


@pytest.mark.parametrize(
    ("url", "found"),
    [("postgresql://h/d", False), ("file:dev.db", True), ("file:/nowhere/else.db", False), ("", False)],
)
def test_where_the_settings_point_to(source: Path, url: str, found: bool) -> None:  # noqa: FBT001 - a parameter
    """Relative paths are read as Prisma reads them; other databases are none of ours."""
    (source.parent.parent / ".env").write_text(f"DATABASE_URL={url}\n")
    known = project.find(source)
    assert known is not None
    assert (known.database == source.resolve()) is found


def test_a_second_copy_is_the_same_and_proven(source: Path, tmp_path: Path) -> None:
    """It has the snapshot's hash, is readable by its owner alone, and is there whole or not at all."""

    def keep(original: Path, name: str, digest: str) -> Path:
        return asyncio.run(second.keep(original, tmp_path, name, digest))

    place = keep(source, "copy.db", snapshot.sha256(source))
    assert place.read_bytes() == source.read_bytes()
    assert place.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StepFailed, match="not the same"):
        keep(source, "other.db", "0" * 64)
    assert not (tmp_path / "other.db").exists()
    torn = tmp_path / "torn.db"
    torn.write_bytes(source.read_bytes()[:4096] + b"\xff" * 4096)
    with pytest.raises(NotReady):
        keep(torn, "third.db", snapshot.sha256(torn))
    assert not (tmp_path / "third.db").exists()


def test_a_place_for_the_second_copy_that_is_not_there_stops_the_run(source: Path, tmp_path: Path) -> None:
    """It is noticed at the prerequisites, not after the backup."""
    run, _ = run_of(source, tmp_path / "run", second_copy=str(tmp_path / "unmounted"))
    with pytest.raises(NotReady, match="second copy") as raised:
        surroundings.look(run)
    assert "unmounted" in raised.value.where
    (tmp_path / "unmounted").mkdir()
    surroundings.look(run)
    assert list((tmp_path / "unmounted").iterdir()) == []
