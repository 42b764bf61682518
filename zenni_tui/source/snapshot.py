"""The snapshot: the source's state at one moment, in a private file that everything else reads."""

import asyncio
import hashlib
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import aiosqlite

from zenni_tui.errors import Halted, NotReady, ZenniError
from zenni_tui.model.record import Record

from . import standins
from .database import unreadable, uri
from .rescue import COMPANIONS, companion

_MARGIN = 64 * 1024 * 1024
_PATIENCE = 30.0
_PRIMARY = 0xFF
_NEEDS_RESCUE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_SHOWN_COMPLAINTS = 3
_MOST_COMPLAINTS = 2**31 - 1

_RULES = re.compile(r"(?:NULL|NUMERIC|TEXT|non-\w+) value in .*|CHECK constraint failed in .*|non-unique entry in .*")
"""Complaints about values that break the schema's rules: the file is sound, and the audit names the rows."""
_ORDER = re.compile(
    r"row \d+ missing from index .*|row not in PRIMARY KEY order .*|wrong # of entries in index .*"
    r"|row \d+ values differ from index .*|rowid not at end-of-record .*"
)
_UNUSED = re.compile(r".*[Pp]age \d+:? (?:is )?never used")


class Snapshot(Record, frozen=True):
    """A finished snapshot: size in bytes, SHA-256 of the file, and how long the backup held a writer off in seconds."""

    bytes: int
    sha256: str
    backup_seconds: float


def room_for(source: Path, folder: Path) -> None:
    """Check that the folder's disk can take a copy of the source; raises NotReady."""
    real = source.resolve()
    beside = [companion(real, ending) for ending in COMPANIONS]
    need = real.stat().st_size + sum(p.stat().st_size for p in beside if p.exists()) + _MARGIN
    free = shutil.disk_usage(folder).free
    if free < need:
        raise NotReady(
            "There is not enough disk space for the snapshot.",
            where=str(folder),
            why=f"{need:,} bytes are needed, {free:,} are free.",
            next_step="Free some space, or put the run elsewhere with --run-dir DIR.",
        )


async def copy(source: Path, snapshot: Path, *, patience: float = _PATIENCE) -> None:
    """Copy the database by SQLite's online backup in one step, which a busy writer can't restart.

    The source is opened read-only; the copy is set to journal_mode=DELETE, so that it is one file. A source that can't
    be read without writing to it (a hot journal; a WAL in a folder that takes no index) is copied file by file by
    another process and recovered in the copy. Raises NotReady for a source that can't be read or stays locked for
    `patience` seconds, and Halted when the copy can't be written.
    """
    try:
        await asyncio.to_thread(_make_room, snapshot)
        await _backup(source, snapshot, patience)
    except sqlite3.Error as error:
        if _code(error) not in _NEEDS_RESCUE:
            raise _failure(source, snapshot, error) from error
        await _rescue(source, snapshot, patience)
    except OSError as error:
        raise _unwritten(snapshot, error) from error


def _make_room(snapshot: Path) -> None:
    for ending in ("", "-shm", *COMPANIONS):
        companion(snapshot, ending).unlink(missing_ok=True)
    snapshot.touch(0o600)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY


def _failure(source: Path, snapshot: Path, error: sqlite3.Error) -> ZenniError:
    if _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return _unwritten(snapshot, error)
    return unreadable(source, error)


def _unwritten(snapshot: Path, error: Exception) -> Halted:
    return Halted(
        "The snapshot could not be written.",
        where=str(snapshot),
        why=str(error),
        next_step="Free some space on that disk, then resume.",
    )


async def _backup(source: Path, snapshot: Path, patience: float) -> None:
    async with (
        aiosqlite.connect(uri(source), uri=True, timeout=patience, isolation_level=None) as live,
        aiosqlite.connect(snapshot) as private,
    ):
        await live.execute("PRAGMA query_only = ON")
        # The backup itself would wait for a locked file without end; this read waits `patience` and holds its lock.
        await live.execute("BEGIN")
        await live.execute_fetchall("PRAGMA schema_version")
        await live.backup(private, pages=-1)
    await asyncio.to_thread(_settle, snapshot)


def _settle(snapshot: Path) -> None:
    """Recover a private copy from its journal or WAL, and make it one file."""
    with closing(sqlite3.connect(snapshot)) as private:
        standins.prepare(private)
        private.execute("PRAGMA journal_mode = DELETE").fetchall()


async def _rescue(source: Path, snapshot: Path, patience: float) -> None:
    real = await asyncio.to_thread(source.resolve)
    said = await _run_rescue(real, snapshot, patience)
    if said == "copied":
        try:
            await asyncio.to_thread(_settle, snapshot)
        except sqlite3.Error as error:
            raise _failure(source, snapshot, error) from error
        return
    if said == "locked":
        raise unreadable(source, sqlite3.OperationalError("database is locked"))
    if said == "changing":
        raise NotReady(
            "The database changes while it is copied.",
            where=str(source),
            why="Its folder lets this program not take part in SQLite's locking, and another process goes on writing.",
            next_step="Stop the application for a moment, or run this as a user who may write in that folder.",
        )
    raise NotReady(
        "The database's files can't be copied.",
        where=str(source),
        why=said,
        next_step="Check the owner and mode of the file, its -wal and -journal, and the free space of the run's disk.",
    )


async def _run_rescue(source: Path, snapshot: Path, patience: float) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "zenni_tui.source.rescue", source, snapshot, str(patience)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return said.decode(errors="replace") or f"the copying process ended with {process.returncode}"


async def integrity(snapshot: Path) -> str:
    """Run SQLite's own full check on the snapshot; raises NotReady with the first complaints.

    Values that break a rule of the schema are no damage: the audit names them. Returns what could not be checked, empty
    when all was: the order of indexes under an unknown collation or function.
    """
    try:
        complaints, limits = await asyncio.to_thread(_check, snapshot)
    except sqlite3.Error as error:
        raise unreadable(snapshot, error) from error
    if complaints:
        raise NotReady(
            "SQLite's integrity check failed: the database is damaged.",
            where=str(snapshot),
            why="; ".join(complaints),
            next_step="Restore a sound backup, or rebuild a copy with sqlite3's '.recover' and look at what is lost.",
        )
    return limits


def _check(snapshot: Path) -> tuple[list[str], str]:
    with closing(sqlite3.connect(uri(snapshot, frozen=True), uri=True)) as database:
        database.text_factory = lambda stored: standins.legible(standins.tolerant(stored))
        known = standins.prepare(database)
        database.execute("PRAGMA ignore_check_constraints = ON")
        check = standins.Check(database)
        found: list[str] = []
        for text in check.complaints(f"PRAGMA integrity_check({_MOST_COMPLAINTS})"):
            if not _excused(text, known, check.functions):
                found.append(text)
                if len(found) == _SHOWN_COMPLAINTS:
                    break
    missing = [f"collation {c}" for c in known.collations] + [f"function {f}" for f in check.functions]
    return found, ", ".join(missing)


def _excused(text: str, known: standins.StandIns, functions: list[str]) -> bool:
    if text == "ok" or _RULES.fullmatch(text):
        return True
    if (known.collations or functions) and _ORDER.fullmatch(text):
        # Under a stand-in an index is out of order without being damaged.
        return True
    return known.malformed and _UNUSED.fullmatch(text) is not None


def sha256(path: Path) -> str:
    """Return the file's SHA-256; for private files only, since a plain close drops SQLite's locks on a shared one."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
