"""A snapshot holds what was committed, whatever state the source's files are in, and changes none of them."""

import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zenni_tui.errors import NotReady
from zenni_tui.source import database, locks, snapshot

_WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    database.execute(statement)
print("ready", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def _writer(path: Path, *statements: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run statements in another process that keeps its connection open; it dies by SIGKILL."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), *statements], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def _fingerprint(path: Path) -> dict[str, str | None]:
    files = {ending: path.with_name(path.name + ending) for ending in ("", "-wal", "-journal")}
    return {e: hashlib.sha256(f.read_bytes()).hexdigest() if f.exists() else None for e, f in files.items()}


def _rows(path: Path, sql: str = "SELECT a FROM t ORDER BY rowid") -> list[tuple[object, ...]]:
    connection = database.open_frozen(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def _alone(path: Path) -> bool:
    return [p.name for p in path.parent.iterdir() if p.name.startswith(path.name)] == [path.name]


_WAL = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 0",
    "CREATE TABLE t (a)",
    "INSERT INTO t VALUES ('in the wal')",
)


async def test_rows_in_the_wal_are_in_the_snapshot(tmp_path: Path) -> None:
    """Frames that no checkpoint has moved yet count, while the writer lives and after it was killed."""
    source, copied = tmp_path / "app.db", tmp_path / "run" / "snapshot.db"
    copied.parent.mkdir()
    with _writer(source, *_WAL, "BEGIN", "INSERT INTO t VALUES ('not committed')"):
        before = _fingerprint(source)
        await snapshot.copy(source, copied, patience=2)
        assert _rows(copied) == [("in the wal",)]
        assert _fingerprint(source) == before
    await snapshot.copy(source, copied, patience=2)
    assert _rows(copied) == [("in the wal",)]
    assert _fingerprint(source) == before
    assert before["-wal"] is not None
    assert _alone(copied)
    assert copied.stat().st_mode & 0o777 == 0o600


_COPY = """
import asyncio, sys
from pathlib import Path
from zenni_tui.source import snapshot
asyncio.run(snapshot.copy(Path(sys.argv[1]), Path(sys.argv[2]), patience=2))
"""


def _as_ordinary_user() -> list[str]:
    """Return a prefix that takes root's right to write everywhere from a command; empty for anybody else."""
    if os.geteuid():
        return []
    found = shutil.which("setpriv")
    if found is None:
        pytest.skip("root, and no setpriv to become less")
    return [found, "--bounding-set", "-dac_override,-dac_read_search"]


def test_a_wal_in_a_folder_that_takes_no_index_is_read(tmp_path: Path) -> None:
    """Where no -shm can be made the files are copied and recovered in the copy, WAL and all."""
    source, copied = tmp_path / "data" / "app.db", tmp_path / "snapshot.db"
    source.parent.mkdir()
    with _writer(source, *_WAL):
        pass
    source.with_name("app.db-shm").unlink()
    before = _fingerprint(source)
    for file in source.parent.iterdir():
        file.chmod(0o444)
    source.parent.chmod(0o555)
    try:
        subprocess.run([*_as_ordinary_user(), sys.executable, "-c", _COPY, source, copied], check=True)
        assert sorted(p.name for p in source.parent.iterdir()) == ["app.db", "app.db-wal"]
    finally:
        source.parent.chmod(0o755)
    assert _rows(copied) == [("in the wal",)]
    assert _fingerprint(source) == before
    assert _alone(copied)


async def test_a_hot_journal_is_rolled_back_in_the_copy_only(tmp_path: Path) -> None:
    """After a kill in mid-transaction the snapshot holds the last commit; database and journal stay as they were."""
    source, copied = tmp_path / "app.db", tmp_path / "snapshot.db"
    with contextlib.closing(sqlite3.connect(source)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (?)", [("committed" * 50,)] * 2000)
        connection.commit()
    with _writer(source, "PRAGMA cache_size = 2", "BEGIN", "UPDATE t SET a = 'half written ' || a"):
        pass
    before = _fingerprint(source)
    assert before["-journal"] is not None
    assert b"half written" in source.read_bytes()
    await snapshot.copy(source, copied, patience=2)
    assert await snapshot.integrity(copied) == ""
    assert _rows(copied, "SELECT count(*), min(a), max(a) FROM t") == [(2000, "committed" * 50, "committed" * 50)]
    assert _fingerprint(source) == before
    assert _alone(copied)


async def test_the_uncommitted_work_of_a_living_writer_is_left_out(tmp_path: Path) -> None:
    """A writer in the midst of a transaction keeps its journal; the snapshot is what was committed before."""
    source, copied = tmp_path / "app.db", tmp_path / "snapshot.db"
    with _writer(source, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", "BEGIN", "INSERT INTO t VALUES (2)"):
        before = _fingerprint(source)
        assert before["-journal"] is not None
        await snapshot.copy(source, copied, patience=2)
        assert _fingerprint(source) == before
    assert _rows(copied) == [(1,)]


async def test_an_exclusive_lock_is_waited_for_and_then_told_with_its_holder(tmp_path: Path) -> None:
    """A locked file ends in NotReady within the given time, and names the process where the system tells."""
    source, copied = tmp_path / "app.db", tmp_path / "snapshot.db"
    with _writer(source, "CREATE TABLE t (a)", "BEGIN EXCLUSIVE") as process:
        with pytest.raises(NotReady) as caught:
            await snapshot.copy(source, copied, patience=0.3)
        assert "database is locked" in caught.value.why
        if process.pid in locks.holding(source):
            assert f"process {process.pid} " in caught.value.why
    await snapshot.copy(source, copied, patience=0.3)
    assert _rows(copied) == []


async def test_a_locked_hot_journal_is_waited_for_too(tmp_path: Path) -> None:
    """While another process holds the file, no copy of half-written pages is taken."""
    source, copied = tmp_path / "app.db", tmp_path / "snapshot.db"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    wide = f"{numbers} INSERT INTO t SELECT hex(zeroblob(200)) FROM n"
    with _writer(source, "CREATE TABLE t (a)", wide, "PRAGMA cache_size = 2", "BEGIN", "UPDATE t SET a = a || 'x'"):
        assert await snapshot._run_rescue(source, copied, 0.3) == "locked"
        assert not copied.exists()


async def test_a_stale_journal_beside_the_snapshot_is_not_played_into_it(tmp_path: Path) -> None:
    """What an interrupted run left beside the snapshot's place is removed before the copy."""
    source, copied = tmp_path / "app.db", tmp_path / "snapshot.db"
    with contextlib.closing(sqlite3.connect(source)) as connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);")
    for ending in ("", "-wal", "-journal", "-shm"):
        copied.with_name(copied.name + ending).write_bytes(b"left over")
    await snapshot.copy(source, copied)
    assert _rows(copied) == [(1,)]
    assert _alone(copied)


async def test_a_path_of_any_bytes_and_a_link_are_followed(tmp_path: Path) -> None:
    """The WAL lies beside the file that a link points to, under whatever name."""
    source = tmp_path / os.fsdecode(b"caf\xe9 ?#%41.db")
    link = tmp_path / "link.db"
    copied = tmp_path / "snapshot.db"
    link.symlink_to(source)
    with _writer(source, *_WAL):
        pass
    await snapshot.copy(link, copied)
    assert _rows(copied) == [("in the wal",)]
    await snapshot.copy(source, copied)
    assert _rows(copied) == [("in the wal",)]


async def test_damage_is_told_apart_from_broken_rules(tmp_path: Path) -> None:
    """A page overwritten in the file is damage and ends in NotReady."""
    source, copied = tmp_path / "app.db", tmp_path / "snapshot.db"
    with contextlib.closing(sqlite3.connect(source)) as connection:
        connection.executescript("CREATE TABLE t (a); CREATE INDEX i ON t (a);")
        connection.executemany("INSERT INTO t VALUES (?)", [(f"value {i}",) for i in range(2000)])
        connection.commit()
    with source.open("r+b") as stream:
        stream.seek(4096 * 5)
        stream.write(b"\xff" * 2000)
    await snapshot.copy(source, copied)
    with pytest.raises(NotReady, match=r"damaged|can't read"):
        await snapshot.integrity(copied)
