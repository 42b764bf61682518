"""What the application's file declares otherwise than a snapshot of it: tables, columns, indexes, views, triggers."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceColumn, SourceIndex, SourceSchema, SourceTable

from .live import is_ours
from .standins import tolerant

Texts = Mapping[tuple[str, str], tuple[str, str]]
"""By kind and name: the table that an object belongs to, and its text."""

_OF_ITS_OWN = "sqlite_"
"""How the names begin that SQLite gives: https://sqlite.org/fileformat2.html#intschema."""


class Redeclared(Record, frozen=True):
    """What is otherwise now, in words; `rewritten` are the tables whose rows may have changed without a trigger."""

    words: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()


def texts(connection: sqlite3.Connection) -> Texts:
    """Return every declaration as SQLite keeps it, this program's own and SQLite's left out."""
    usual = connection.text_factory
    connection.text_factory = tolerant
    try:
        rows = connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema").fetchall()
    finally:
        connection.text_factory = usual
    return {
        (kind, name): (table, sql)
        for kind, name, table, sql in rows
        if not is_ours(name, table) and not name.startswith(_OF_ITS_OWN)
    }


def compare(
    was: Texts, now: Texts, carried: Iterable[str], schemas: Callable[[], tuple[SourceSchema, SourceSchema]]
) -> Redeclared:
    """Return what differs; of tables that stood in `was`, only those `carried` count.

    `schemas` reads both as they are inspected, and is asked only when texts differ: a table that was built anew may be
    spelled in another way and be the same.
    """
    changed = {key: (was.get(key) or now[key])[0] for key in {*was, *now} if was.get(key) != now.get(key)}
    known = {name for kind, name in was if kind == "table"} - set(carried)
    changed = {key: table for key, table in changed.items() if table not in known}
    if not changed:
        return Redeclared()
    before, after = schemas()
    words: list[str] = []
    rewritten: list[str] = []
    for name in sorted({table for (kind, _), table in changed.items() if kind in ("table", "index")}):
        one, other = before.table(name), after.table(name)
        words += _table(name, one, other)
        if one is not None and _bare_columns(one) != _bare_columns(other):
            rewritten.append(name)
    words += [
        f'{kind} "{name}" is {_how((kind, name) in was, (kind, name) in now)}'
        for kind, name in sorted(changed)
        if kind in ("view", "trigger")
    ]
    return Redeclared(tuple(words), tuple(rewritten))


def _how(before: object, after: object) -> str:
    return "another" if before and after else "gone" if before else "new"


def _table(name: str, one: SourceTable | None, other: SourceTable | None) -> Iterator[str]:
    if one is None or other is None:
        if one is not other:
            yield f'table "{name}" is {_how(one, other)}'
        return
    parts = [
        *_parts("column", {c.name: c for c in one.columns}, {c.name: c for c in other.columns}),
        *_parts("index", _indexes(one), _indexes(other)),
    ]
    yield from (f'{part} in table "{name}"' for part in parts)
    if not parts and _bare(one) != _bare(other):
        yield f'rules of table "{name}" are others'


def _parts(
    kind: str, one: Mapping[str, SourceColumn | SourceIndex], other: Mapping[str, SourceColumn | SourceIndex]
) -> list[str]:
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return [f'{kind} "{name}" is {_how(one.get(name), other.get(name))}' for name in names]


def _indexes(table: SourceTable) -> dict[str, SourceIndex]:
    # Those of rules have names of SQLite's own, and are told of as rules.
    return {i.name: msgspec.structs.replace(i, sql=None) for i in table.indexes if i.origin == "c"}


def _bare_columns(table: SourceTable | None) -> tuple[SourceColumn, ...]:
    return table.columns if table else ()


def _bare(table: SourceTable) -> SourceTable:
    indexes = tuple(msgspec.structs.replace(i, sql=None) for i in table.indexes)
    return msgspec.structs.replace(table, rows=0, counter=None, sql="", problem=None, note=None, indexes=indexes)
