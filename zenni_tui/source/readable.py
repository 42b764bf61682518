"""Finds out whether a table's rows can be read here, and how many there are."""

import sqlite3
from typing import NamedTuple

import aiosqlite

from zenni_tui.model.schema import NOT_UTF8, SourceTable

from .database import quoted
from .reader import rowid_name
from .standins import legible


class Judged(NamedTuple):
    """A table's rows, or 0 and why they can't be read."""

    rows: int
    problem: str | None = None


async def judge(database: aiosqlite.Connection, table: SourceTable) -> Judged:
    """Count a table's rows, and compute what is computed at reading: values of virtual tables and generated columns."""
    strange = _strange_name(table)
    if strange is not None:
        return Judged(0, strange)
    try:
        rows = await _number(database, f"SELECT count(*) FROM {quoted(table.name)}")  # noqa: S608 - a quoted name
    except sqlite3.Error as error:
        return Judged(0, str(error))
    computed = [c.name for c in table.columns if c.generated == "virtual" or table.kind == "virtual"]
    if not computed or await _failure(database, table.name, computed) is None:
        return Judged(rows)
    return Judged(0, await _which(database, table, computed))


def _strange_name(table: SourceTable) -> str | None:
    if table.name != legible(table.name):
        return f"its name {NOT_UTF8}"
    name = next((c.name for c in table.columns if c.name != legible(c.name)), None)
    return None if name is None else f'the name of its column "{legible(name)}" {NOT_UTF8}'


async def _number(database: aiosqlite.Connection, sql: str) -> int:
    rows = list(await database.execute_fetchall(sql))
    return int(rows[0][0])


async def _failure(
    database: aiosqlite.Connection, table: str, columns: list[str], where: str = "true", *values: int
) -> str | None:
    """Compute every value of these columns; returns what SQLite says of the first that it can't."""
    computed = ", ".join(f"max(typeof({quoted(c)}))" for c in columns)
    try:
        await database.execute_fetchall(f"SELECT {computed} FROM {quoted(table)} WHERE {where}", values)  # noqa: S608 - quoted
    except sqlite3.Error as error:
        return str(error)
    return None


async def _which(database: aiosqlite.Connection, table: SourceTable, columns: list[str]) -> str:
    for column in columns:
        why = await _failure(database, table.name, [column])
        if why is not None:
            return f'its column "{column}" can\'t be computed{await _where(database, table, column)}: {why}'
    return "its values can't be computed together"


async def _where(database: aiosqlite.Connection, table: SourceTable, column: str) -> str:
    """Return the first row that fails, found by halving; nothing when the column fails without any row, too."""
    rowid = rowid_name(table)
    if rowid is None or table.kind == "virtual" or await _failure(database, table.name, [column], "false"):
        return ""
    first = await _number(database, f"SELECT min({rowid}) FROM {quoted(table.name)}")  # noqa: S608 - quoted
    last = await _number(database, f"SELECT max({rowid}) FROM {quoted(table.name)}")  # noqa: S608 - quoted
    while first < last:
        middle = (first + last) // 2
        if await _failure(database, table.name, [column], f"{rowid} BETWEEN ? AND ?", first, middle):
            last = middle
        else:
            first = middle + 1
    return f" at rowid {first}"
