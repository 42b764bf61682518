"""Changes made in PostgreSQL, applied to the application's file: one transaction for each batch, its position with it.

Rows are taken out and put back under their old rowids, so that unique values may change places. Foreign keys are off
on our connection and the application's triggers are set aside meanwhile: what they did has been done in PostgreSQL.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceTable, Value

from .database import quoted
from .freeze import gate
from .live import PREFIX, writing
from .reader import rowid_name

POSITION = f"{PREFIX}position"
_OLD = f"{PREFIX}old"
_FOUND = f"{PREFIX}row"

Row = tuple[Value, ...]
Stored = Mapping[str, Value]
"""A row by column."""


class Applied(Record, frozen=True):
    """What was done to a table: rows changed, new and gone."""

    changed: int = 0
    added: int = 0
    removed: int = 0


class Written(Record, frozen=True):
    """One written row: the forms in which the file may hold its key, and what makes the row that is stored.

    `make` is given what the file holds of the row, None when it holds none; it is None itself for a row that is gone.
    """

    keys: tuple[Row, ...]
    make: Callable[[Stored | None], Stored] | None


def position(connection: sqlite3.Connection) -> str | None:
    """Return how far changes have been applied, None when nothing was yet."""
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (POSITION,)).fetchone() is None:
        return None
    row = connection.execute(f"SELECT upto FROM {POSITION}").fetchone()  # noqa: S608 - a name of our own
    return str(row[0]) if row else None


def begin(connection: sqlite3.Connection, upto: str) -> None:
    """Make the place for the position; raises StepFailed."""
    with writing(connection):
        connection.execute(f"CREATE TABLE IF NOT EXISTS {POSITION} (upto TEXT NOT NULL)")
        _note(connection, upto)


def end(connection: sqlite3.Connection) -> None:
    """Take the position out of the file again; raises StepFailed."""
    with writing(connection):
        connection.execute(f"DROP TABLE IF EXISTS {POSITION}")


def _note(connection: sqlite3.Connection, upto: str) -> None:
    connection.execute(f"DELETE FROM {POSITION}")  # noqa: S608 - a name of our own
    connection.execute(f"INSERT INTO {POSITION} VALUES (?)", (upto,))  # noqa: S608 - as above


def counters(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the last numbers that AUTOINCREMENT gave out, by table."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
        return {}
    rows = connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    return {name: seq for name, seq in rows if isinstance(seq, int)}


def raise_counters(connection: sqlite3.Connection, last: Mapping[str, int]) -> int:
    """Let AUTOINCREMENT go on after these numbers, by table, where they are higher; returns how many rose.

    sqlite_sequence is an ordinary table to writers (https://sqlite.org/autoinc.html). Raises StepFailed.
    """
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
        return 0
    risen = 0
    with writing(connection):
        for name, number in last.items():
            query = "UPDATE sqlite_sequence SET seq = ? WHERE name = ? AND seq < ?"
            risen += connection.execute(query, (number, name, number)).rowcount
            there = (
                "INSERT INTO sqlite_sequence (name, seq) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence"
            )
            risen += connection.execute(f"{there} WHERE name = ?)", (name, number, name)).rowcount
    return risen


@contextlib.contextmanager
def batch(connection: sqlite3.Connection, tables: Iterable[str], upto: str) -> Iterator[None]:
    """Apply changes to some tables in one transaction that also notes the position, through the gate of a frozen file.

    Raises StepFailed, with the file as it was.
    """
    with writing(connection):
        with gate(connection), _without_triggers(connection, set(tables)):
            yield
        _note(connection, upto)


@contextlib.contextmanager
def _without_triggers(connection: sqlite3.Connection, tables: set[str]) -> Iterator[None]:
    rows = connection.execute("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid")
    theirs = [(n, sql) for n, table, sql in rows.fetchall() if table in tables and not n.startswith(PREFIX)]
    for name, _ in theirs:
        connection.execute(f"DROP TRIGGER {quoted(name)}")
    yield
    for _, sql in theirs:
        connection.execute(sql)


def write(
    connection: sqlite3.Connection,
    table: SourceTable,
    key: Sequence[str],
    written: Callable[[], Iterable[Written]],
) -> Applied:
    """Make a table's written rows what they are now; `written` is gone through thrice, in whatever order.

    Rows that were there come back before new ones come: SQLite would give a new one the rowid of one set aside.

    For use within `batch`. Raises sqlite3.Error, and whatever `make` raises.
    """
    columns = [c.name for c in table.columns if c.generated is None]
    rowid = rowid_name(table)
    place = _Place(connection, table.name, columns, rowid)
    place.prepare()
    try:
        for one in written():
            place.take_out(key, one.keys)
        done = Applied()
        for new in (False, True):
            for one in written():
                done = _add(done, place.put_back(one, new=new))
        return done
    finally:
        connection.execute(f"DROP TABLE temp.{_OLD}")


def _add(one: Applied, other: Applied) -> Applied:
    return Applied(one.changed + other.changed, one.added + other.added, one.removed + other.removed)


class _Place:
    """A table whose rows are set aside by their keys while others take their place."""

    def __init__(self, connection: sqlite3.Connection, table: str, columns: Sequence[str], rowid: str | None) -> None:
        self._connection = connection
        self._table = quoted(table)
        self._columns = columns
        self._rowid = rowid

    def prepare(self) -> None:
        names = ", ".join(f"c{i}" for i in range(len(self._columns)))
        # Without types, and so without affinities: what is set aside comes back as it was.
        self._connection.execute(f"CREATE TEMP TABLE {_OLD} (which TEXT PRIMARY KEY, {_FOUND}, {names})")

    def take_out(self, key: Sequence[str], keys: tuple[Row, ...]) -> None:
        """Set the row of a key aside, in whichever of its forms the file holds it."""
        where = " AND ".join(f"{quoted(c)} = ?" for c in key)
        names = ", ".join(quoted(c) for c in self._columns)
        marks = ", ".join("?" * (len(self._columns) + 2))
        for one in keys:
            query = f"DELETE FROM {self._table} WHERE {where} RETURNING {self._rowid or 'NULL'}, {names}"  # noqa: S608
            row = self._connection.execute(query, one).fetchone()
            if row is not None:
                self._connection.execute(f"INSERT INTO temp.{_OLD} VALUES ({marks})", (repr(keys), *row))  # noqa: S608
                return

    def put_back(self, one: Written, *, new: bool) -> Applied:
        """Put what a row is now in its place: only a row that there was none of, if `new`, else only one set aside."""
        found = self._connection.execute(f"SELECT * FROM temp.{_OLD} WHERE which = ?", (repr(one.keys),)).fetchone()  # noqa: S608
        if (found is None) is not new:
            return Applied()
        stored = None if found is None else dict(zip(self._columns, found[2:], strict=True))
        if one.make is None:
            return Applied(removed=int(stored is not None))
        made = one.make(stored)
        self._insert(made, None if found is None else found[1])
        return Applied(changed=1) if stored is not None else Applied(added=1)

    def _insert(self, made: Stored, rowid: int | None) -> None:
        named = dict(made)
        if rowid is not None and self._rowid is not None and not any(c.lower() == self._rowid for c in named):
            named[self._rowid] = rowid
        names = ", ".join(c if c == self._rowid else quoted(c) for c in named)
        marks = ", ".join("?" * len(named))
        self._connection.execute(f"INSERT INTO {self._table} ({names}) VALUES ({marks})", tuple(named.values()))  # noqa: S608


def replace(
    connection: sqlite3.Connection,
    table: SourceTable,
    meaning: Callable[[Stored], object],
    rows: Callable[[], Iterable[tuple[object, Callable[[], Stored]]]],
) -> Applied:
    """Make a table without a key hold just these rows: those that mean the same stay as they are.

    `meaning` and the first part of each of `rows` are compared; the second part makes the row where it is new.
    """
    columns = [c.name for c in table.columns if c.generated is None]
    rowid = rowid_name(table)
    place = _Place(connection, table.name, columns, rowid)
    wanted: dict[object, int] = {}
    for means, _ in rows():
        wanted[means] = wanted.get(means, 0) + 1
    removed = _thin(connection, table.name, columns, rowid, lambda stored: _took(wanted, meaning(stored)))
    added = 0
    for means, make in rows():
        if _took(wanted, means):
            place._insert(make(), None)  # noqa: SLF001 - of one kind
            added += 1
    return Applied(added=added, removed=removed)


def _took(wanted: dict[object, int], means: object) -> bool:
    left = wanted.get(means, 0)
    if left:
        wanted[means] = left - 1
    return left > 0


def _thin(
    connection: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    rowid: str | None,
    stays: Callable[[Stored], bool],
) -> int:
    if rowid is None:
        raise sqlite3.OperationalError(f"the rows of {table} can't be told apart: all names of its rowid are columns")
    names = ", ".join(quoted(c) for c in columns)
    gone = [
        (row[0],)
        for row in connection.execute(f"SELECT {rowid}, {names} FROM {quoted(table)}")  # noqa: S608 - quoted names
        if not stays(dict(zip(columns, row[1:], strict=True)))
    ]
    connection.executemany(f"DELETE FROM {quoted(table)} WHERE {rowid} = ?", gone)  # noqa: S608 - as above
    return len(gone)
