"""The snapshot: the source's state at one moment, in a private file that everything else reads."""

import asyncio
import hashlib
import shutil
import sqlite3
from pathlib import Path

import aiosqlite

from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model.record import Record

from .database import unreadable, uri

_MARGIN = 64 * 1024 * 1024


class Snapshot(Record, frozen=True):
    """A finished snapshot: size in bytes, SHA-256 of the file, and how long the backup held a writer off in seconds."""

    bytes: int
    sha256: str
    backup_seconds: float


def room_for(source: Path, folder: Path) -> None:
    """Check that the folder's disk can take a copy of the source; raises NotReady."""
    wal = source.with_name(source.name + "-wal")
    need = source.stat().st_size + (wal.stat().st_size if wal.exists() else 0) + _MARGIN
    free = shutil.disk_usage(folder).free
    if free < need:
        raise NotReady(
            "There is not enough disk space for the snapshot.",
            where=str(folder),
            why=f"{need:,} bytes are needed, {free:,} are free.",
            next_step="Free some space, or put the run elsewhere with --run-dir DIR.",
        )


async def copy(source: Path, snapshot: Path) -> None:
    """Copy the database by SQLite's online backup in one step, which a busy writer can't restart.

    The source is opened read-only; the copy is set to journal_mode=DELETE, so that it is one file. Raises NotReady for
    a source that can't be read and StepFailed when the copy can't be written.
    """
    await asyncio.to_thread(snapshot.touch, 0o600)
    try:
        async with aiosqlite.connect(uri(source), uri=True, timeout=30) as live, aiosqlite.connect(snapshot) as private:
            await live.execute("PRAGMA query_only = ON")
            await live.backup(private, pages=-1)
            await private.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        if "disk is full" in str(error) or "disk I/O" in str(error):
            raise StepFailed(
                "The snapshot could not be written.",
                where=str(snapshot),
                why=str(error),
                next_step="Free some space on that disk, then resume.",
            ) from error
        raise unreadable(source, error) from error


async def integrity(snapshot: Path) -> None:
    """Run SQLite's own full check on the snapshot; raises NotReady with the first complaints."""
    try:
        async with aiosqlite.connect(uri(snapshot, frozen=True), uri=True) as database:
            rows = await database.execute_fetchall("PRAGMA integrity_check(20)")
    except sqlite3.Error as error:
        raise unreadable(snapshot, error) from error
    complaints = [str(row[0]) for row in rows if row[0] != "ok"]
    if complaints:
        raise NotReady(
            "SQLite's integrity check failed: the database is damaged.",
            where=str(snapshot),
            why="; ".join(complaints[:3]),
            next_step="Restore a sound backup, or rebuild a copy with sqlite3's '.recover' and look at what is lost.",
        )


def sha256(path: Path) -> str:
    """Return the file's SHA-256; for private files only, since a plain close drops SQLite's locks on a shared one."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
