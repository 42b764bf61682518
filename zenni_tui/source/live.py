"""The application's own file, opened for the few announced steps that write to it or follow it."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from zenni_tui.errors import StepFailed

from . import locks

PREFIX = "zenni_tui_"
"""How the name of everything begins that is ours in the application's file."""
WAIT_SECONDS = 10.0


def is_ours(name: str, table: str) -> bool:
    """Return whether an object of the file, or the table that it belongs to, is this program's."""
    return name.startswith(PREFIX) or table.startswith(PREFIX)


def open_live(path: Path) -> sqlite3.Connection:
    """Open the application's file for reading and writing, in transactions of our own making; raises StepFailed.

    Rows are read as they are stored: foreign keys are off, which is SQLite's default, and no trigger is added by it.
    """
    try:
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(path.absolute()))}?mode=rw",
            uri=True,
            timeout=WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise unwritable(path, error) from None
    return connection


def path_of(connection: sqlite3.Connection) -> Path:
    """Return the file behind a connection."""
    return Path(connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0])


@contextlib.contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the file's write lock for one short transaction, all of it or nothing; raises StepFailed."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise unwritable(path_of(connection), error) from None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def clear(connection: sqlite3.Connection) -> int:
    """Take everything of ours out of the file, so that its schema is as it was; returns how many objects there were.

    Raises StepFailed.
    """
    with writing(connection):
        ours = (*named(connection, "trigger", PREFIX), *named(connection, "table", PREFIX))
        for kind, name in ours:
            connection.execute(f'DROP {kind.upper()} "{name}"')
    return len(ours)


def named(connection: sqlite3.Connection, kind: str, beginning: str) -> list[tuple[str, str]]:
    """Return kind and name of the file's objects whose names begin so; names of others may not even be UTF-8."""
    query = "SELECT type, name FROM sqlite_schema WHERE type = ? AND name GLOB ? || '*'"
    return connection.execute(query, (kind, beginning)).fetchall()


@contextlib.contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """See one state of the file for several short queries; a writer in rollback-journal mode waits meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def unwritable(path: Path, error: sqlite3.Error) -> StepFailed:
    """Turn an SQLite error at the application's file into the operator's terms."""
    return StepFailed(
        "The application's database can't be written." if "lock" not in str(error) else "The database stays locked.",
        where=str(path),
        why=str(error) + (locks.by_whom(path) if "lock" in str(error) else ""),
        next_step="End the long write or mend rights and space, then go on: zenni-tui resume. The file is as it was.",
    )
