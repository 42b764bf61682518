"""Writes the audit's findings as an SQL script that mends the SQLite file itself, to be read and run by a person.

Every value in it is quoted by SQLite's own quote().
"""

import sqlite3
from collections.abc import Callable, Iterable

from zenni_tui.model.findings import Evidence
from zenni_tui.model.schema import SourceSchema, SourceTable
from zenni_tui.source import database, reader

_HEAD = """\
-- Proposals to mend {source}
-- Read every statement; those that need a decision are commented out. Try it on a copy first:
--   cp {source} copy.db && sqlite3 copy.db < mend.sql
BEGIN;
"""
_MOST_ROWS = 10_000


def script(snapshot: sqlite3.Connection, schema: SourceSchema, source: str, found: Iterable[Evidence]) -> str:
    """Return the script; findings that rows of the source can't mend are left out."""
    parts = [_HEAD.format(source=source.replace("\n", " "))]
    parts += [text for one in found if (text := _part(snapshot, schema, one))]
    return "".join([*parts, "COMMIT;\n"]) if len(parts) > 1 else ""


def _part(snapshot: sqlite3.Connection, schema: SourceSchema, one: Evidence) -> str:
    finding = one.finding
    table = schema.table(finding.table or "")
    if (
        table is None
        or finding.column is None
        or not one.rowids
        or reader.rowid_name(table) is None
        or _misnamed(table)
    ):
        return ""
    column, name = database.quoted(finding.column), database.quoted(table.name)
    about = f"\n-- {finding.code}: {' '.join(finding.message.split())}\n"
    if finding.code == "text_nul":
        rows = one.rowids[:_MOST_ROWS]
        return about + "".join(_without_nul(snapshot, table, column, r) for r in rows)
    where = _where(snapshot, table, one.rowids)
    statement = _STATEMENTS.get(finding.code, _by_hand)(name, column, where)
    return about + statement


def _misnamed(table: SourceTable) -> bool:
    """Return whether a statement that fits the working copy would find nothing in the source."""
    return any((table.stored, *(c.stored for c in table.columns)))


def _without_nul(snapshot: sqlite3.Connection, table: SourceTable, column: str, rowid: int) -> str:
    # By bytes: SQLite's replace() takes a NUL for an empty pattern and changes nothing.
    name = database.quoted(table.name)
    sql = f"SELECT CAST({column} AS BLOB) FROM {name} WHERE {reader.rowid_name(table)} = ?"  # noqa: S608 - quoted names
    (stored,) = snapshot.execute(sql, (rowid,)).fetchone()
    clean = stored.replace(b"\0", b"").hex().upper()
    where = _where(snapshot, table, (rowid,))
    return f"UPDATE {name} SET {column} = CAST(X'{clean}' AS TEXT) WHERE {where};\n"  # noqa: S608 - SQLite quoted all parts


def _where(snapshot: sqlite3.Connection, table: SourceTable, rowids: tuple[int, ...]) -> str:
    key = table.key or tuple(filter(None, [reader.rowid_name(table)]))
    columns = ", ".join(_literal(database.quoted(c)) for c in key)
    sql = f"SELECT {columns} FROM {database.quoted(table.name)} WHERE {reader.rowid_name(table)} = ?"  # noqa: S608 - quoted names
    rows = [snapshot.execute(sql, (r,)).fetchone() for r in rowids[:_MOST_ROWS]]
    if len(key) == 1:
        return f"{database.quoted(key[0])} IN ({', '.join(row[0] for row in rows)})"
    names = ", ".join(map(database.quoted, key))
    return f"({names}) IN (VALUES {', '.join('(' + ', '.join(row) + ')' for row in rows)})"


def _literal(column: str) -> str:
    # Text goes by its bytes where it is not plain ASCII: it may not be UTF-8, or hold NUL, which quote() cuts at.
    by_bytes = f"'CAST(' || quote(CAST({column} AS BLOB)) || ' AS TEXT)'"
    odd = f"typeof({column}) = 'text' AND CAST({column} AS BLOB) GLOB '*[^ -~]*'"
    odd += f" OR instr(CAST({column} AS BLOB), X'00')"
    return f"CASE WHEN {odd} THEN {by_bytes} ELSE quote({column}) END"


def _delete_or_clear(table: str, column: str, where: str) -> str:
    return (
        f"-- either: UPDATE {table} SET {column} = NULL WHERE {where};\n"  # noqa: S608 - as above
        f"-- or:     DELETE FROM {table} WHERE {where};\n"
    )


def _by_hand(table: str, column: str, where: str) -> str:
    return (
        f"-- SELECT * FROM {table} WHERE {where};\n"  # noqa: S608 - as above
        f"-- UPDATE {table} SET {column} = ? WHERE {where};\n"
    )


_STATEMENTS: dict[str, Callable[[str, str, str], str]] = {
    "foreign_key_orphans": _delete_or_clear,
}
