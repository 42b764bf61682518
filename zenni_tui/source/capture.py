"""Capture of changes in the application's file: armed before the snapshot, read and forgotten while it serves on."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from zenni_tui.model.plan import Clearing
from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceSchema, Value

from . import reader, watching
from .database import quoted
from .live import named, writing
from .standins import legible
from .watching import LOG, WATCHED, Watch

Key = tuple[Value, ...]

_ENTER = f"INSERT INTO {WATCHED} (number, name, key) VALUES (?, ?, ?)"  # noqa: S608 - a name of our own


class Changes(Record, frozen=True):
    """What the log says after a position: keys by table, tables to be copied whole again, and how far this goes.

    `left` counts the log's rows after `upto`, which are for the next time.
    """

    upto: int
    entries: int
    keys: dict[str, tuple[Key, ...]]
    whole: tuple[str, ...]
    left: int


def arm(connection: sqlite3.Connection, schema: SourceSchema, keys: Mapping[str, tuple[str, ...]], token: str) -> None:
    """Put log and triggers into the file, for the tables of `keys`, in one transaction; raises StepFailed.

    `keys` gives the columns by which a table's rows are told apart in the target, none when they can't be. What stood
    there of ours before is made anew, but the log keeps its newest row: its numbers never begin again. `token` names
    this arming; `armed` finds it in the file and in each copy of it.
    """
    watches = [Watch(number, table, key) for number, (table, key) in enumerate(keys.items(), 1)]
    with writing(connection):
        last = position(connection)
        _drop(connection)
        for _, sql in _objects(schema, watches):
            connection.execute(sql)
        connection.execute(_ENTER, (0, "", json.dumps([token])))
        connection.executemany(_ENTER, [(w.number, w.table, json.dumps(w.key)) for w in watches])
        if last:
            connection.execute(f"INSERT INTO {LOG} (id, watched) VALUES (?, 0)", (last,))  # noqa: S608 - a name of our own


def arm_again(
    connection: sqlite3.Connection,
    schema: SourceSchema,
    keys: Mapping[str, tuple[str, ...]],
    *,
    token: str,
    beyond: int,
) -> None:
    """Watch some tables anew, by other keys or after their triggers vanished; all else stays as it is.

    As the changes since the last look may be in no log, the log says of each of these tables that it is to be copied
    whole. Its numbers go on after `beyond`, where it vanished with them. Raises StepFailed.
    """
    width = max((len(k) for k in keys.values()), default=0)
    with writing(connection):
        if not is_armed(connection):
            for _, sql in watching.tables(width):
                connection.execute(sql)
        connection.execute(f"DELETE FROM {WATCHED} WHERE number = 0")  # noqa: S608 - a name of our own
        connection.execute(_ENTER, (0, "", json.dumps([token])))
        if position(connection) < beyond:
            connection.execute(f"INSERT INTO {LOG} (id, watched) VALUES (?, 0)", (beyond,))  # noqa: S608 - as above
        _widen(connection, width)
        (last,) = connection.execute(f"SELECT coalesce(max(number), 0) FROM {WATCHED}").fetchone()  # noqa: S608 - as above
        for watch in watched(connection):
            if watch.table in keys:
                _unwatch(connection, watch)
        for number, (table, key) in enumerate(keys.items(), last + 1):
            _watch(connection, schema, Watch(number, table, key))


def _widen(connection: sqlite3.Connection, width: int) -> None:
    columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (LOG,))}
    for place in range(width):
        if f"k{place}" not in columns:
            connection.execute(f"ALTER TABLE {LOG} ADD COLUMN k{place}")


def _unwatch(connection: sqlite3.Connection, watch: Watch) -> None:
    for _, name in named(connection, "trigger", f"{LOG}_{watch.number}_"):
        connection.execute(f"DROP TRIGGER {quoted(name)}")
    connection.execute(f"DELETE FROM {WATCHED} WHERE number = ?", (watch.number,))  # noqa: S608 - a name of our own


def _watch(connection: sqlite3.Connection, schema: SourceSchema, watch: Watch) -> None:
    connection.execute(_ENTER, (watch.number, watch.table, json.dumps(watch.key)))
    table = schema.table(watch.table)
    for _, sql in watching.triggers(watch, table) if table is not None else ():
        connection.execute(sql)
    connection.execute(f"INSERT INTO {LOG} (watched) VALUES (?)", (watch.number,))  # noqa: S608 - a name of our own


def _objects(schema: SourceSchema, watches: Sequence[Watch]) -> Iterable[tuple[str, str]]:
    yield from watching.tables(max((len(w.key) for w in watches), default=0))
    for watch in watches:
        table = schema.table(watch.table)
        if table is not None:
            yield from watching.triggers(watch, table)


def is_armed(connection: sqlite3.Connection) -> bool:
    """Return whether a log stands in the file."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (LOG,))
    return found.fetchone() is not None


def armed(connection: sqlite3.Connection) -> str | None:
    """Return the token of the arming that a file, or a copy of it, bears; None without one."""
    if not is_armed(connection):
        return None
    row = connection.execute(f"SELECT key FROM {WATCHED} WHERE number = 0").fetchone()  # noqa: S608 - a name of our own
    return str(json.loads(row[0])[0]) if row else None


def watched(connection: sqlite3.Connection) -> tuple[Watch, ...]:
    """Return the watched tables as the file knows them."""
    rows = connection.execute(f"SELECT number, name, key FROM {WATCHED} WHERE number > 0 ORDER BY number")  # noqa: S608 - our own name
    return tuple(Watch(number, name, tuple(json.loads(key))) for number, name, key in rows)


def lost(connection: sqlite3.Connection, schema: SourceSchema) -> tuple[str, ...]:
    """Return the tables that are no longer watched as they should be, by the names of `schema`.

    A migration tool that rebuilds a table drops its triggers without a word
    (https://sqlite.org/lang_altertable.html#otheralter); what it wrote meanwhile is in no log.
    """
    if not is_armed(connection):
        return tuple(t.name for t in schema.tables if t.kind == "table")
    query = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name GLOB ? || '*'"
    there = dict(connection.execute(query, (LOG,)).fetchall())
    return tuple(
        watch.table
        for watch in watched(connection)
        if (table := schema.table(watch.table)) is None
        or any(there.get(name) != sql for name, sql in watching.triggers(watch, table))
    )


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the counter that every change of the file's schema raises."""
    return int(connection.execute("PRAGMA schema_version").fetchone()[0])


def position(connection: sqlite3.Connection) -> int:
    """Return the number of the log's newest row, 0 when there is none; inside a snapshot it is where to begin."""
    if not is_armed(connection):
        return 0
    return int(connection.execute(f"SELECT coalesce(max(id), 0) FROM {LOG}").fetchone()[0])  # noqa: S608 - our own name


def changes(connection: sqlite3.Connection, after: int, most: int) -> Changes:
    """Return what at most `most` rows of the log after a position say; for the transaction that reads the rows too."""
    watches = {w.number: w for w in watched(connection)}
    rows = connection.execute(f"SELECT * FROM {LOG} WHERE id > ? ORDER BY id LIMIT ?", (after, most)).fetchall()  # noqa: S608
    keys: dict[str, dict[Key, None]] = {}
    whole: dict[str, None] = {}
    for _, number, *values in rows:
        watch = watches.get(number)
        if watch is None:
            continue
        key = tuple(values[: len(watch.key)])
        if watch.key and all(map(_can_be_asked_for, key)):
            keys.setdefault(watch.table, {})[key] = None
        else:
            whole[watch.table] = None
    upto = rows[-1][0] if rows else after
    (left,) = connection.execute(f"SELECT count(*) FROM {LOG} WHERE id > ?", (upto,)).fetchone()  # noqa: S608 - our own name
    return Changes(upto, len(rows), {t: tuple(k) for t, k in keys.items()}, tuple(whole), left)


def _can_be_asked_for(value: Value) -> bool:
    """Return whether a part of a key can be a parameter; text that is not UTF-8 comes with lone surrogates."""
    return value is not None and (not isinstance(value, str) or value == legible(value))


def rows(
    connection: sqlite3.Connection,
    table: str,
    key: Sequence[str],
    columns: Sequence[str],
    wanted: Iterable[Key],
    *,
    clearings: Sequence[Clearing] = (),
) -> dict[Key, tuple[Value, ...]]:
    """Return the rows of some keys as they are now, references to be cleared as NULL; a missing key has no row."""
    where = " AND ".join(f"c.{quoted(c)} = ?" for c in key)
    query = f"{_select(table, columns, clearings)} WHERE {where}"
    found = ((one, connection.execute(query, one).fetchone()) for one in wanted)
    return {one: row for one, row in found if row is not None}


def all_rows(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], clearings: Sequence[Clearing] = ()
) -> Iterator[tuple[Value, ...]]:
    """Yield all rows of a table that is to be copied whole, references to be cleared as NULL."""
    yield from connection.execute(_select(table, columns, clearings))


def _select(table: str, columns: Sequence[str], clearings: Sequence[Clearing]) -> str:
    names = ", ".join(reader.term(c, clearings) for c in columns)
    return f"SELECT {names} FROM {quoted(table)} AS c"  # noqa: S608 - quoted names


def forget(connection: sqlite3.Connection, upto: int) -> None:
    """Delete what has been applied, but never the newest row: an emptied log would begin its numbers again."""
    with writing(connection):
        connection.execute(f"DELETE FROM {LOG} WHERE id <= ? AND id < (SELECT max(id) FROM {LOG})", (upto,))  # noqa: S608


def disarm(connection: sqlite3.Connection) -> None:
    """Take everything of ours out of the file again; its schema is then as it was. Raises StepFailed."""
    with writing(connection):
        _drop(connection)


def _drop(connection: sqlite3.Connection) -> None:
    for _, name in named(connection, "trigger", f"{LOG}_"):
        connection.execute(f"DROP TRIGGER {quoted(name)}")
    connection.execute(f"DROP TABLE IF EXISTS {LOG}")
    connection.execute(f"DROP TABLE IF EXISTS {WATCHED}")
