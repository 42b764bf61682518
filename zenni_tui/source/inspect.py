"""Reads what a database declares: `sqlite_schema`, the PRAGMAs, and the texts where these leave something out."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import aiosqlite
import msgspec

from zenni_tui.model.schema import SourceObject, SourceSchema, SourceTable

from . import declarations, live
from .assemble import Facts, table_of
from .database import connect_frozen
from .readable import Judged, judge
from .standins import legible, raw, tolerant

_FTS4 = ("content", "segments", "segdir", "docsize", "stat")
_RTREE = ("node", "parent", "rowid")
_SHADOWS = {
    "fts3": _FTS4,
    "fts4": _FTS4,
    "fts5": ("data", "idx", "content", "docsize", "config"),
    "rtree": _RTREE,
    "rtree_i32": _RTREE,
    "geopoly": _RTREE,
    "spellfix1": ("vocab",),
    "vec0": ("info", "chunks", "rowids", "auxiliary", "vector_chunks#", "metadatachunks#", "metadatatext#"),
}
"""How each module names its own tables, behind its virtual table's name and `_`; `#` stands for a number.

SQLite itself knows them only while it has the module.
"""

_TABLES = "FROM sqlite_schema AS m CROSS JOIN pragma_{}(m.name) AS x WHERE m.type = 'table' AND m.rootpage > 0"
_COLUMNS = f"SELECT m.name, x.* {_TABLES.format('table_xinfo')}"
_INDEXES = f"SELECT m.name, x.* {_TABLES.format('index_list')}"
_REFERENCES = f"SELECT m.name, x.* {_TABLES.format('foreign_key_list')} ORDER BY m.rowid, x.id, x.seq"
_PARTS = (
    "SELECT m.name, x.* FROM sqlite_schema AS m CROSS JOIN pragma_index_xinfo(m.name) AS x"
    " WHERE m.type = 'index' AND x.key"
)


class Entry(NamedTuple):
    """A row of `sqlite_schema`."""

    type: str
    name: str
    table: str
    sql: str
    root: int


class Kind(NamedTuple):
    """What PRAGMA table_list says of a table."""

    type: str
    without_rowid: bool
    strict: bool


async def read_file(path: Path) -> SourceSchema:
    """Read what a private snapshot declares; raises sqlite3.Error."""
    connection = await connect_frozen(path)
    try:
        return await read_schema(connection)
    finally:
        await connection.close()


async def read_schema(database: aiosqlite.Connection, *, counted: bool = True) -> SourceSchema:
    r"""Read every table, index, key, view and trigger, and count the rows; raises sqlite3.Error.

    Without `counted` no row is looked at: every table has 0 of them, and no problem.
    What this program itself keeps in the application's file is none of the application's and left out.
    Names and texts that are not UTF-8 come with `\xNN` for their bytes. Give it a connection from `connect_frozen`,
    which reads around unknown collations and declarations that this SQLite can't parse.
    """
    usual = database.text_factory
    database.text_factory = tolerant
    try:
        return _legible(await _read(database, counted=counted))
    finally:
        database.text_factory = usual


async def _read(database: aiosqlite.Connection, *, counted: bool) -> SourceSchema:
    entries = [
        Entry(*row)
        for row in await _rows(
            database,
            "SELECT type, name, tbl_name, coalesce(sql, ''), coalesce(rootpage, 0) FROM sqlite_schema ORDER BY rowid",
        )
        if not live.is_ours(row[1], row[2])
    ]
    kinds = await _kinds(database)
    facts = await _facts(database, entries)
    shadows = _shadows(entries, kinds)
    declared = [e for e in entries if e.type == "table" and not e.name.lower().startswith("sqlite_")]
    tables = [await _table(database, e, kinds, facts, shadows) for e in declared]
    if counted:
        tables = [await _counted(database, t, kinds) for t in tables]
    others = tuple(SourceObject(e.type, e.name, e.sql) for e in entries if e.type in ("view", "trigger"))
    encoding = (await _rows(database, "PRAGMA encoding"))[0][0]
    return SourceSchema(tuple(tables), others, encoding)


async def _rows(database: aiosqlite.Connection, sql: str, *values: object) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.execute_fetchall(sql, values)]


async def _kinds(database: aiosqlite.Connection) -> dict[str, Kind]:
    """Return what SQLite makes of each table; empty before SQLite 3.37, which has no such PRAGMA."""
    try:
        rows = await _rows(database, "PRAGMA main.table_list")
    except sqlite3.Error:
        # Some versions fail here over a broken view; the texts tell nearly as much.
        return {}
    return {name: Kind(kind, bool(without), bool(strict)) for _, name, kind, _, without, strict in rows}


async def _facts(database: aiosqlite.Connection, entries: list[Entry]) -> Facts:
    """Ask the PRAGMAs about all tables at once: one by one they cost a round trip each."""
    return Facts(
        _grouped(await _rows(database, _COLUMNS)),
        _grouped(await _rows(database, _INDEXES)),
        _grouped(await _rows(database, _PARTS)),
        _grouped(await _rows(database, _REFERENCES)),
        await _counters(database, entries),
        {e.name: e.sql for e in entries if e.type == "index"},
        _grouped((e.table, e.name) for e in entries if e.type == "index"),
    )


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    groups: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for name, *rest in rows:
        groups[name].append(tuple(rest))
    return groups


async def _counters(database: aiosqlite.Connection, entries: list[Entry]) -> dict[str, int]:
    if not any(e.name == "sqlite_sequence" for e in entries):
        return {}
    rows = await _rows(database, "SELECT name, seq FROM sqlite_sequence WHERE typeof(seq) = 'integer'")
    return {name: int(number) for name, number in rows if isinstance(name, str)}


def _shadows(entries: list[Entry], kinds: dict[str, Kind]) -> frozenset[str]:
    """Return the tables that virtual tables keep their content in, those of missing modules too."""
    known = {name for name, kind in kinds.items() if kind.type == "shadow"}
    virtual = [(e.name, declarations.virtual_module(e.sql)) for e in entries if e.type == "table" and not e.root]
    owned = {f"{name}_{part}".lower() for name, module in virtual for part in _SHADOWS.get((module or "").lower(), ())}
    return frozenset(known | {e.name for e in entries if e.root and owned & _patterns(e.name)})


def _patterns(name: str) -> set[str]:
    return {name.lower(), name.lower().rstrip("0123456789") + "#"}


async def _table(
    database: aiosqlite.Connection, entry: Entry, kinds: dict[str, Kind], facts: Facts, shadows: frozenset[str]
) -> SourceTable:
    module = None if entry.root else declarations.virtual_module(entry.sql)
    if not entry.root:
        facts = await _virtual(database, entry.name, facts)
    kind = kinds.get(entry.name)
    table = table_of(entry.name, entry.sql, facts)
    if kind is not None:
        table = msgspec.structs.replace(table, without_rowid=kind.without_rowid, strict=kind.strict)
    what = "virtual" if not entry.root else "shadow" if entry.name in shadows else "table"
    return msgspec.structs.replace(table, kind=what, module=module)


async def _counted(database: aiosqlite.Connection, table: SourceTable, kinds: dict[str, Kind]) -> SourceTable:
    understood = table.name in kinds or not kinds or table.kind == "virtual"
    judged = await _judged(database, table, understood=understood)
    return msgspec.structs.replace(table, rows=judged.rows, problem=judged.problem)


async def _judged(database: aiosqlite.Connection, table: SourceTable, *, understood: bool) -> Judged:
    if not understood:
        return Judged(0, f"SQLite {sqlite3.sqlite_version} does not understand its declaration")
    return await judge(database, table)


async def _virtual(database: aiosqlite.Connection, name: str, facts: Facts) -> Facts:
    """Ask for the columns of a virtual table by itself, since a missing module fails the whole query."""
    try:
        rows = await _rows(database, "SELECT * FROM pragma_table_xinfo(CAST(? AS TEXT))", raw(name))
    except sqlite3.Error:
        return facts
    return facts._replace(columns={name: rows})


def _legible(schema: SourceSchema) -> SourceSchema:
    """Return the schema with text in it that JSON can hold."""
    if not _strange(schema):
        return schema
    return msgspec.convert(_cleaned(msgspec.to_builtins(schema)), SourceSchema)


def _strange(schema: SourceSchema) -> bool:
    texts = [*(t.sql for t in schema.tables), *(o.sql for o in schema.others)]
    texts += [i.sql or "" for t in schema.tables for i in t.indexes] + [t.name for t in schema.tables]
    return any(text != legible(text) for text in texts)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, dict):
        return {k: _cleaned(v) for k, v in value.items()}
    return [_cleaned(v) for v in value] if isinstance(value, list | tuple) else value
