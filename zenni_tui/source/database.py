"""Opens SQLite files without changing a byte of them, and says plainly what is wrong with one that isn't right."""

import os
import sqlite3
import stat
from pathlib import Path
from urllib.parse import quote

import aiosqlite

from zenni_tui.errors import NotReady

from . import locks, standins

MAGIC = b"SQLite format 3\x00"
"""The first 16 bytes of every database file (https://sqlite.org/fileformat2.html#magic_header_string)."""

LIVE_SECONDS = 10.0
"""How long a question to the application's file waits for a writer of its own."""
_HEADER_BYTES = 100
_WAL_VERSION = 2


def quoted(name: str) -> str:
    """Quote an identifier for SQLite (https://sqlite.org/lang_keywords.html); it has no driver function for that."""
    return '"' + name.replace('"', '""') + '"'


def uri(path: Path, *, frozen: bool = False) -> str:
    """Return a read-only URI; `frozen` promises that nobody writes the file, so no lock is taken."""
    return f"file:{quote(os.fsencode(path.absolute()))}?mode=ro" + ("&immutable=1" if frozen else "")


def open_frozen(path: Path) -> sqlite3.Connection:
    """Open a private snapshot that nobody writes; text that is not UTF-8 raises OperationalError when read.

    Unknown collations get stand-ins and declarations that this SQLite can't parse are passed over: see `standins`.
    Raises sqlite3.Error.
    """
    connection = sqlite3.connect(uri(path, frozen=True), uri=True, check_same_thread=False)
    try:
        standins.prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


async def connect_live(path: Path) -> aiosqlite.Connection:
    """Open the application's own file for some short questions, read-only, each of them a transaction of its own."""

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(uri(path), uri=True, check_same_thread=False, timeout=LIVE_SECONDS)
        try:
            standins.prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    return await aiosqlite.Connection(opened, iter_chunk_size=64)


async def connect_frozen(path: Path) -> aiosqlite.Connection:
    """Open a private snapshot for short queries beside other work."""
    return await aiosqlite.Connection(lambda: open_frozen(path), iter_chunk_size=64)


def look(path: Path) -> str:
    """Check that a path is a readable SQLite database by its header alone; returns what was found.

    Raises NotReady. A plain file is opened: call it only while this process holds no SQLite connection to it.
    """
    where = str(path)
    try:
        mode = path.stat().st_mode
        header = b"" if not stat.S_ISREG(mode) else _header(path)
    except (FileNotFoundError, NotADirectoryError):
        raise NotReady(
            "There is no such file.", where=where, next_step="Give the path of the SQLite file: --source FILE."
        ) from None
    except OSError as error:
        raise NotReady(
            "The file can't be read.",
            where=where,
            why=error.strerror or str(error),
            next_step="Check its owner and mode.",
        ) from error
    if stat.S_ISDIR(mode):
        raise NotReady("This is a directory, not a database file.", where=where, next_step="Name the file inside it.")
    if not stat.S_ISREG(mode):
        raise NotReady(
            "This is no ordinary file.", where=where, why="It is a pipe or a device.", next_step="Name the file itself."
        )
    if not header:
        raise NotReady(
            "The file is empty: it holds no database.",
            where=where,
            why="0 bytes; SQLite makes such a file when a wrong path is opened for writing.",
            next_step="Find the file the application really uses: look at DATABASE_URL in its .env.",
        )
    if not header.startswith(MAGIC):
        raise NotReady(
            "The file is not an SQLite database.",
            where=where,
            why=f"It begins with {header[:16]!r} instead of {MAGIC!r}.",
            next_step="Give the database file itself, not an export or an encrypted copy of it.",
        )
    return _describe(path, header)


def _header(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEADER_BYTES)


def _describe(path: Path, header: bytes) -> str:
    size = path.stat().st_size
    if len(header) < _HEADER_BYTES:
        raise _cut_short(path, f"It has {size} bytes, the header alone takes {_HEADER_BYTES}.")
    mode = "WAL mode" if header[18] == _WAL_VERSION else "rollback-journal mode"
    page = int.from_bytes(header[16:18], "big") or 65536
    page = 65536 if page == 1 else page
    pages = int.from_bytes(header[28:32], "big")
    if pages and header[24:28] == header[92:96] and size < pages * page and header[18] != _WAL_VERSION:
        raise _cut_short(path, f"Its header promises {pages * page} bytes, the file has {size}.")
    return f"{size:,} bytes, {mode}"


def _cut_short(path: Path, why: str) -> NotReady:
    return NotReady(
        "The database file is cut short.",
        where=str(path),
        why=why,
        next_step="Copy it again from its place, or restore it from a backup.",
    )


def unreadable(path: Path, error: Exception) -> NotReady:
    """Turn an SQLite error into the operator's terms."""
    if "locked" in str(error):
        return NotReady(
            "The database stays locked by another process.",
            where=str(path),
            why=str(error) + locks.by_whom(path),
            next_step="End the long write, or the tool that holds the file exclusively, and try again.",
        )
    return NotReady(
        "SQLite can't read the database.",
        where=str(path),
        why=str(error),
        next_step="Run 'PRAGMA integrity_check' on a copy; restore a backup or use sqlite3's '.recover' on the copy.",
    )
