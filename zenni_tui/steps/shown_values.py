"""What stands in the rows that a finding names, so that nobody must look it up to choose a repair."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing

import msgspec

from zenni_tui.model.findings import SHOWN_KEYS, Evidence
from zenni_tui.model.schema import SourceTable, Value
from zenni_tui.source import database, reader

from .run import Run

_SHOWN_BYTES = 48
"""Bytes of a value that are shown; an even number, so that no UTF-16 unit is cut."""


def with_values(run: Run, seen: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """Return the findings with the values of their column, beside the keys they show, where rows can be told."""
    schema = run.schema()
    with closing(database.open_frozen(run.snapshot)) as snapshot:
        encoding = str(snapshot.execute("PRAGMA encoding").fetchone()[0])
        return {i: _shown(snapshot, schema.table(one.finding.table or ""), one, encoding) for i, one in seen.items()}


def _shown(snapshot: sqlite3.Connection, table: SourceTable | None, one: Evidence, encoding: str) -> Evidence:
    column = table.column(one.finding.column) if table and one.finding.column else None
    if table is None or column is None or reader.rowid_name(table) is None or len(one.rowids) != len(one.keys):
        return one
    name = database.quoted(column.name)
    terms = f"typeof({name}), substr(CAST({name} AS BLOB), 1, {_SHOWN_BYTES}), length(CAST({name} AS BLOB))"
    rows = (reader.picked(snapshot, table, terms, [number])[0] for number in one.rowids[:SHOWN_KEYS])
    values = tuple(_words(*row, encoding=encoding) for row in rows)
    return msgspec.structs.replace(one, finding=msgspec.structs.replace(one.finding, values=values))


def _words(kind: Value, start: Value, size: Value, *, encoding: str) -> str:
    if not isinstance(start, bytes) or not isinstance(size, int):
        return "NULL"
    more = " ..." if size > len(start) else ""
    if kind == "blob":
        return f"x'{start.hex()}'{more}"
    text = start.decode(encoding, "backslashreplace")
    return f"{text!r}{more}" if kind == "text" else text
