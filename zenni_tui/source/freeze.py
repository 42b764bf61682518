"""Read-only mode for an application that has none: triggers that refuse its writes, with a gate for our own."""

import contextlib
import sqlite3
from collections.abc import Iterator

from .database import quoted
from .live import PREFIX, named, writing

GATE = f"{PREFIX}gate"
MESSAGE = "zenni-tui: read-only while the database moves to PostgreSQL; try again in a moment"
_EVENTS = ("insert", "update", "delete")


def freeze(connection: sqlite3.Connection) -> None:
    """Refuse every write to every table from now on; it waits for the write that is under way. Raises StepFailed.

    Writes to virtual tables are not refused, as those can't have triggers (https://sqlite.org/vtab.html).
    """
    with writing(connection):
        _drop(connection)
        connection.execute(f"CREATE TABLE {GATE} (open INTEGER NOT NULL)")
        connection.execute(f"INSERT INTO {GATE} VALUES (0)")  # noqa: S608 - a name of our own
        for number, table in enumerate(_tables(connection), 1):
            for event in _EVENTS:
                shut = f"WHEN NOT (SELECT open FROM {GATE}) BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"  # noqa: S608
                name = f"{GATE}_{number}_{event}"
                connection.execute(f"CREATE TRIGGER {name} BEFORE {event.upper()} ON {quoted(table)} {shut}")


def thaw(connection: sqlite3.Connection) -> None:
    """Let the application write again; raises StepFailed."""
    with writing(connection):
        _drop(connection)


def is_frozen(connection: sqlite3.Connection) -> bool:
    """Return whether writes are refused, as the file says; `unfrozen` asks the tables themselves."""
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (GATE,)).fetchone() is not None


def unfrozen(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the tables that take a write, each attempted and taken back; raises StepFailed."""
    with writing(connection):
        return tuple(table for table in _tables(connection) if not _refuses(connection, table))


def _refuses(connection: sqlite3.Connection, table: str) -> bool:
    connection.execute("SAVEPOINT zenni_tui_try")
    try:
        # The trigger comes before every rule of the table, so that the row need not be a valid one.
        connection.execute(f"INSERT INTO {quoted(table)} DEFAULT VALUES")
    except sqlite3.Error as error:
        return str(error) == MESSAGE
    else:
        return False
    finally:
        connection.execute("ROLLBACK TO zenni_tui_try")
        connection.execute("RELEASE zenni_tui_try")


@contextlib.contextmanager
def gate(connection: sqlite3.Connection) -> Iterator[None]:
    """Within a write transaction, let our own writes through a frozen file."""
    if not is_frozen(connection):
        yield
        return
    connection.execute(f"UPDATE {GATE} SET open = 1")  # noqa: S608 - a name of our own
    yield
    connection.execute(f"UPDATE {GATE} SET open = 0")  # noqa: S608 - as above


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    return [name for (name,) in rows if not name.startswith((PREFIX, "sqlite_"))]


def _drop(connection: sqlite3.Connection) -> None:
    for _, name in named(connection, "trigger", f"{GATE}_"):
        connection.execute(f"DROP TRIGGER {quoted(name)}")
    connection.execute(f"DROP TABLE IF EXISTS {GATE}")
