"""Capture of changes in PostgreSQL after the switch, read as the difference of two snapshots.

https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT: a change whose transaction the last
snapshot did not see and the present one sees has committed in between, whenever it began.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

import psycopg
from psycopg import sql

from zenni_tui.model.record import Record

from . import history

Connection = psycopg.Connection[tuple[Any, ...]]
Key = tuple[str, ...]
Row = tuple[str | None, ...]

_AT_ONCE = 2000
_OTHER = "other "
_EVENTS = {
    "insert": ("new_rows",),
    "update": ("old_rows", "new_rows"),
    "delete": ("old_rows",),
    "truncate": (),
}
_PINS = sql.SQL(
    "SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' SET extra_float_digits = 1"
)


class Captured(Record, frozen=True):
    """One captured table; `key` is empty when its rows can't be told apart, `types` are the key's, by the server."""

    number: int
    schema: str
    table: str
    key: tuple[str, ...]
    types: tuple[str, ...]


class Reading(Record, frozen=True):
    """What changed since a snapshot: `entries` of the log, tables with changed keys, tables that changed as a whole."""

    upto: str
    entries: int
    keyed: tuple[Captured, ...]
    whole: tuple[Captured, ...]


def arm(connection: Connection, schema: str, keys: Mapping[str, tuple[str, ...]]) -> str:
    """Log from now on which rows of these tables are written, by whomever; returns the snapshot to begin reading after.

    `keys` gives the columns that tell a table's rows apart, none where they can't be. Each table waits for the writes
    that are under way: set `lock_timeout` and try again. Raises psycopg.Error, with nothing changed.
    """
    with connection.transaction():
        disarm(connection)
        connection.execute(resources.files(__package__).joinpath("capture.sql").read_text())
        for number, (table, key) in enumerate(sorted(keys.items()), 1):
            captured = _enter(connection, number, (schema, table), key)
            for event, rows in _EVENTS.items():
                _watch(connection, captured, event, rows)
        return position(connection)


def _enter(connection: Connection, number: int, place: tuple[str, str], key: Sequence[str]) -> Captured:
    types = connection.execute(
        "INSERT INTO zenni_tui.captured SELECT %(number)s, %(schema)s, %(table)s, c.oid, %(key)s, ARRAY("
        " SELECT format_type(a.atttypid, NULL) FROM unnest(%(key)s::text[]) WITH ORDINALITY AS k(name, place)"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = k.name ORDER BY k.place)"
        " FROM pg_class AS c WHERE c.oid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass"
        " RETURNING types",
        {"number": number, "schema": place[0], "table": place[1], "key": list(key)},
    ).fetchone()
    return Captured(number, *place, tuple(key), tuple(types[0]) if types else ())


def _watch(connection: Connection, captured: Captured, event: str, rows: Sequence[str]) -> None:
    name = sql.Identifier("zenni_tui", f"log_{captured.number}_{event}")
    whole = not captured.key or not rows
    body = (_note_whole(captured) if whole else _note_keys(captured, rows)).as_string(connection)
    connection.execute(
        # SECURITY DEFINER: the application's role may write its tables and nothing of ours.
        sql.SQL("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {} AS {}").format(
            name, _PINS, sql.Literal(f"BEGIN {body}; RETURN NULL; END")
        )
    )
    seen = sql.SQL(" ").join(
        sql.SQL("{} TABLE AS {}").format(sql.SQL(r.split("_", maxsplit=1)[0].upper()), sql.Identifier(r)) for r in rows
    )
    connection.execute(
        sql.SQL("CREATE TRIGGER {} AFTER {} ON {} {} FOR EACH STATEMENT EXECUTE FUNCTION {}()").format(
            sql.Identifier(f"zenni_tui_{event}"),
            sql.SQL(event.upper()),
            sql.Identifier(captured.schema, captured.table),
            sql.SQL("REFERENCING {}").format(seen) if rows else sql.SQL(""),
            name,
        )
    )


def _note_whole(captured: Captured) -> sql.Composed:
    return sql.SQL("INSERT INTO zenni_tui.change (number) VALUES ({})").format(sql.Literal(captured.number))


def _note_keys(captured: Captured, rows: Sequence[str]) -> sql.Composed:
    key = sql.SQL(", ").join(sql.SQL("r.{}::text").format(sql.Identifier(c)) for c in captured.key)
    each = [sql.SQL("SELECT ARRAY[{}] FROM {} AS r").format(key, sql.Identifier(r)) for r in rows]
    return sql.SQL("INSERT INTO zenni_tui.change (number, key) SELECT {}, k.key FROM ({}) AS k(key)").format(
        sql.Literal(captured.number), sql.SQL(" UNION ").join(each)
    )


def is_armed(connection: Connection) -> bool:
    """Return whether changes are logged."""
    row = connection.execute("SELECT to_regclass('zenni_tui.captured') IS NOT NULL").fetchone()
    return bool(row and row[0])


def captured(connection: Connection) -> tuple[Captured, ...]:
    """Return the captured tables as the target knows them."""
    rows = connection.execute(
        "SELECT number, schema_name, table_name, key, types FROM zenni_tui.captured ORDER BY number"
    )
    return tuple(Captured(n, s, t, tuple(k), tuple(y)) for n, s, t, k, y in rows)


def position(connection: Connection) -> str:
    """Return the present snapshot, as text."""
    row = connection.execute("SELECT pg_current_snapshot()::text").fetchone()
    assert row is not None  # noqa: S101 - a function's only row
    return str(row[0])


@contextlib.contextmanager
def reading(connection: Connection, after: str) -> Iterator[Reading]:
    """See one state of the target, and which rows have been written since a snapshot; `rows` reads them there.

    `upto` is the snapshot to go on after once all of it has been applied. Raises psycopg.Error.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = connection.execute(
            "SELECT number, count(*), bool_or(key IS NULL) FROM zenni_tui.change"
            " WHERE NOT pg_visible_in_snapshot(xid, %s::pg_snapshot) GROUP BY number",
            (after,),
        ).fetchall()
        wholly = {number: whole for number, _, whole in found}
        tables = [c for c in captured(connection) if c.number in wholly]
        yield Reading(
            position(connection),
            sum(count for _, count, _ in found),
            tuple(c for c in tables if not wholly[c.number]),
            tuple(c for c in tables if wholly[c.number]),
        )


def rows(
    connection: Connection, table: Captured, columns: Sequence[str], after: str
) -> Iterator[list[tuple[Key, Row | None]]]:
    """Yield a table's written keys with their rows as text, None for those that are gone, some thousand at a time.

    For use within `reading`: everything is read under its snapshot, with the session's pinned settings.
    """
    same = sql.SQL(" AND ").join(
        # The type's name is the server's own word for it.
        sql.SQL("t.{} = (c.key[{}])::{}").format(sql.Identifier(name), sql.Literal(place), sql.SQL(kind))
        for place, (name, kind) in enumerate(zip(table.key, table.types, strict=True), 1)
    )
    query = sql.SQL(
        "SELECT c.key, t.tableoid IS NOT NULL, {} FROM (SELECT DISTINCT key FROM zenni_tui.change"
        " WHERE number = {} AND NOT pg_visible_in_snapshot(xid, {}::pg_snapshot)) AS c LEFT JOIN {} AS t ON {}"
    ).format(
        _texts(columns),
        sql.Literal(table.number),
        sql.Literal(after),
        sql.Identifier(table.schema, table.table),
        same,
    )
    with connection.cursor("zenni_tui_changes") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(query)
        while found := cursor.fetchmany(_AT_ONCE):
            yield [(tuple(key), tuple(values) if there else None) for key, there, *values in found]


def all_rows(connection: Connection, table: Captured, columns: Sequence[str]) -> Iterator[list[Row]]:
    """Yield all rows of a table as text, some thousand at a time; for use within `reading`."""
    query = sql.SQL("SELECT {} FROM {} AS t").format(_texts(columns), sql.Identifier(table.schema, table.table))
    with connection.cursor("zenni_tui_rows") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(query)
        while found := cursor.fetchmany(_AT_ONCE):
            yield [tuple(row) for row in found]


def _texts(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("t.{}::text").format(sql.Identifier(c)) for c in columns)


def lag(connection: Connection, after: str) -> int:
    """Return how many rows of the log have committed since a snapshot."""
    row = connection.execute(
        "SELECT count(*) FROM zenni_tui.change WHERE NOT pg_visible_in_snapshot(xid, %s::pg_snapshot)", (after,)
    ).fetchone()
    return int(row[0]) if row else 0


def forget(connection: Connection, applied: str) -> int:
    """Delete the part of the log that a snapshot saw, as it has been applied; returns how many rows that were.

    Which rows were ever written stays known: see `written`.
    """
    row = connection.execute(
        "WITH gone AS (DELETE FROM zenni_tui.change WHERE pg_visible_in_snapshot(xid, %s::pg_snapshot)"
        " RETURNING number, key), kept AS (INSERT INTO zenni_tui.written"
        " SELECT DISTINCT number, coalesce(key, '{}') FROM gone ON CONFLICT DO NOTHING)"
        " SELECT count(*) FROM gone",
        (applied,),
    ).fetchone()
    return int(row[0]) if row else 0


def written(connection: Connection, table: Captured) -> Iterator[list[Key]]:
    """Yield the keys of a table's rows that were written since it was armed and forgotten, some thousand at a time.

    An empty key stands for the whole table.
    """
    with connection.transaction(), connection.cursor("zenni_tui_written") as cursor:
        cursor.execute("SELECT key FROM zenni_tui.written WHERE number = %s ORDER BY key", (table.number,))
        while found := cursor.fetchmany(_AT_ONCE):
            yield [tuple(key) for (key,) in found]


_THINGS = sql.SQL(
    "SELECT coalesce(string_agg(thing, E'\\n' ORDER BY thing COLLATE \"C\"), '') FROM ("
    " SELECT format('column %I.%I | %s %s', table_name, attname, attnum, format_type(atttypid, atttypmod))"
    " FROM pg_attribute JOIN zenni_tui.captured ON relation = attrelid WHERE attnum > 0 AND NOT attisdropped"
    " UNION ALL SELECT format('rule %I of %I | %s', conname, table_name, pg_get_constraintdef(c.oid))"
    " FROM pg_constraint AS c JOIN zenni_tui.captured ON relation = conrelid"
    " UNION ALL SELECT format('trigger %I of %I | %s', tgname, table_name, tgenabled) FROM pg_trigger"
    " JOIN zenni_tui.captured ON relation = tgrelid WHERE NOT tgisinternal AND tgname <> 'zenni_tui_refuse'"
    " UNION ALL SELECT format('%stable %I | %s', CASE WHEN k.number IS NULL THEN {} END, c.relname, c.oid)"
    " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN zenni_tui.captured AS k"
    " ON k.relation = c.oid WHERE n.nspname IN (SELECT schema_name FROM zenni_tui.captured)"
    " AND c.relkind IN ('r', 'p') AND c.relname <> {} AND NOT EXISTS ("
    "SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
    ") AS t(thing)"
).format(sql.Literal(_OTHER), sql.Literal(history.TABLE))


def shape(connection: Connection) -> str:
    """Return the captured tables' columns, rules and triggers, and the tables beside them, below their fingerprint.

    Left out are Prisma's own history, which a deployment may make, and what belongs to an extension.
    """
    row = connection.execute(
        sql.SQL("SELECT md5(t.things), t.things FROM ({}) AS t(things)").format(_THINGS)
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate's only row
    return "\n".join(row)


def fingerprint(connection: Connection) -> str:
    """Return the first line of `shape`, which any change to it changes."""
    row = connection.execute(sql.SQL("SELECT md5(({}))").format(_THINGS)).fetchone()
    assert row is not None  # noqa: S101 - as above
    return str(row[0])


def reshaped(before: str, after: str) -> tuple[str, ...]:
    """Return in words what is new and what is gone between two shapes; a table that never was captured may go."""
    one, other = before.splitlines()[1:], after.splitlines()[1:]
    gone = [f"{_named(line)} is gone" for line in one if line not in other and not line.startswith(_OTHER)]
    new = [f"{_named(line)} is new" for line in other if line not in one]
    twice = {words.removesuffix(" is gone") for words in gone} & {words.removesuffix(" is new") for words in new}
    rest = [words for words in (*gone, *new) if words.rpartition(" is ")[0] not in twice]
    return (*(f"{words} is another" for words in sorted(twice)), *rest)


def _named(line: str) -> str:
    return line.removeprefix(_OTHER).rpartition(" | ")[0]


def disarm(connection: Connection) -> None:
    """Log nothing any more, and forget what was logged; raises psycopg.Error, with nothing changed."""
    if not is_armed(connection):
        return
    with connection.transaction():
        for table in captured(connection):
            for event in _EVENTS:
                # With its trigger, which depends on it; a table that was dropped since has none.
                connection.execute(
                    sql.SQL("DROP FUNCTION IF EXISTS {} CASCADE").format(
                        sql.Identifier("zenni_tui", f"log_{table.number}_{event}")
                    )
                )
        connection.execute("DROP TABLE zenni_tui.change, zenni_tui.captured, zenni_tui.written")
