"""Reads what a database declares: `sqlite_schema` and the PRAGMAs, which SQLAlchemy's reflection shows only in part."""

from collections.abc import Iterable
from typing import Any

import aiosqlite

from zenni_tui.model.schema import (
    SourceColumn,
    SourceForeignKey,
    SourceIndex,
    SourceObject,
    SourceSchema,
    SourceTable,
)

from .database import quoted

_GENERATED = {2: "virtual", 3: "stored"}
"""`hidden` in PRAGMA table_xinfo (https://sqlite.org/pragma.html#pragma_table_xinfo)."""


async def _rows(database: aiosqlite.Connection, sql: str, *values: object) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.execute_fetchall(sql, values)]


async def read_schema(database: aiosqlite.Connection) -> SourceSchema:
    """Read every table, index, key, view and trigger, and count the rows; raises sqlite3.Error."""
    entries = await _rows(database, "SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY rowid")
    kinds = {name: kind for _, name, kind, *_ in await _rows(database, "PRAGMA main.table_list")}
    rowless = {name for _, name, _, _, without, *_ in await _rows(database, "PRAGMA main.table_list") if without}
    counters = await _counters(database, entries)
    tables = [
        await _table(database, name, sql, without_rowid=name in rowless, counter=counters.get(name))
        for kind, name, sql in entries
        if kind == "table" and kinds.get(name) == "table" and not name.startswith("sqlite_")
    ]
    encoding = (await _rows(database, "PRAGMA encoding"))[0][0]
    return SourceSchema(tuple(tables), tuple(_others(entries, kinds)), encoding)


def _others(entries: list[tuple[Any, ...]], kinds: dict[str, str]) -> Iterable[SourceObject]:
    for kind, name, sql in entries:
        if kind in ("view", "trigger"):
            yield SourceObject(kind, name, sql)
        elif kind == "table" and kinds.get(name) in ("virtual", "shadow"):
            yield SourceObject(kinds[name], name, sql)


async def _counters(database: aiosqlite.Connection, entries: list[tuple[Any, ...]]) -> dict[str, int]:
    if not any(name == "sqlite_sequence" for _, name, _ in entries):
        return {}
    return {
        name: int(number)
        for name, number in await _rows(database, "SELECT name, seq FROM sqlite_sequence")
        if number is not None
    }


async def _table(
    database: aiosqlite.Connection, name: str, sql: str, *, without_rowid: bool, counter: int | None
) -> SourceTable:
    columns = await _rows(database, "SELECT * FROM pragma_table_xinfo(?)", name)
    indexes = await _rows(database, "SELECT * FROM pragma_index_list(?)", name)
    count = await _rows(database, f"SELECT count(*) FROM {quoted(name)}")  # noqa: S608 - a quoted identifier
    return SourceTable(
        name,
        tuple(_column(row) for row in columns if row[6] != 1),
        tuple([await _index(database, row) for row in indexes]),
        await _foreign_keys(database, name),
        without_rowid=without_rowid,
        counter=counter,
        rows=count[0][0],
        sql=sql,
    )


def _column(row: tuple[Any, ...]) -> SourceColumn:
    _, name, declared, not_null, default, key, hidden = row
    return SourceColumn(name, declared or "", bool(not_null), default, key, _GENERATED.get(hidden))


async def _index(database: aiosqlite.Connection, row: tuple[Any, ...]) -> SourceIndex:
    _, name, unique, origin, partial = row
    parts = [p for p in await _rows(database, "SELECT * FROM pragma_index_xinfo(?)", name) if p[5]]
    sql = await _rows(database, "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", name)
    return SourceIndex(
        name,
        bool(unique),
        origin,
        tuple(p[2] for p in parts),
        tuple(bool(p[3]) for p in parts),
        bool(partial),
        sql[0][0] if sql else None,
    )


async def _foreign_keys(database: aiosqlite.Connection, name: str) -> tuple[SourceForeignKey, ...]:
    rows = await _rows(database, "SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq", name)
    keys: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        keys.setdefault(row[0], []).append(row)
    # SQLite lists the last declared key first.
    return tuple(
        SourceForeignKey(
            tuple(p[3] for p in parts),
            parts[0][2],
            tuple(p[4] for p in parts if p[4] is not None),
            on_delete=parts[0][6],
            on_update=parts[0][5],
        )
        for _, parts in sorted(keys.items(), reverse=True)
    )
