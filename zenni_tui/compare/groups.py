"""Where two tables part: digests of groups of rows, which fall by a hash of their key into the same group on each side.

A second reading after unequal digests: a row that differs makes one group differ, and only that group's rows are then
compared one by one. What decides whether tables are equal are the digests of the first reading; these here only say
where to look, so that they are shorter.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg import sql

from zenni_tui.model.plan import ColumnPlan, EnumPlan, Span, TablePlan

from .columns import column_reader
from .digest import Piece, within
from .expected import expected
from .lookup import Layout
from .rowbytes import SEPARATOR, bytes_of, cells_of, row_bytes, row_text, texts_of
from .session import Target

_DIGITS = 3
GROUPS = 16**_DIGITS
"""A group is named by the first hexadecimal digits of the SHA-256 of its rows' keys."""
_BYTES = 8

_SUMS = sql.SQL(", ").join([sql.SQL("sum(get_byte(h, {}))").format(i) for i in range(_BYTES)])
_NAME = sql.SQL("left(encode(sha256(convert_to({}, 'UTF8')), 'hex'), {})")
_ROWS = sql.SQL("SELECT sha256({row}) AS h, {name} AS g FROM {table} AS t{where} OFFSET 0")
_GROUPED = sql.SQL("SELECT g, count(*), {sums} FROM ({rows}) AS r GROUP BY g")

Sums = dict[str, tuple[int, int]]
"""Rows, and the sum of the first bytes of their hashes, by group."""


class Sides(NamedTuple):
    """What was read of each side."""

    source: Sums
    target: Sums


def compare_groups(
    source: sqlite3.Connection,
    target: Target,
    shape: Layout,
    table: TablePlan,
    where: tuple[Span | None, Piece | None],
    *,
    key: tuple[int, ...],
    enums: Sequence[EnumPlan] = (),
) -> Sides:
    """Return the groups of a span of the source and of a piece of the target, which needn't hold the same rows.

    `key` says where the key's columns stand among the carried ones. Raises as `expected` does, `Undecided`,
    `sqlite3.Error` and `psycopg.Error`.
    """
    span, piece = where
    with target.pipeline():
        asked = target.execute(_query(shape, table, key, piece)) if piece is not None else None
        ours = _source_groups(source, table, key, span, enums) if span is not None else {}
        return Sides(ours, _target_groups(asked) if asked is not None else {})


def add(sums: Sums, more: Sums) -> None:
    """Add the groups of another part to those of the parts before it."""
    for group, (rows, total) in more.items():
        had = sums.get(group, (0, 0))
        sums[group] = had[0] + rows, had[1] + total


def differing(sides: Sides) -> list[str]:
    """Return the groups that are not the same on both sides, in order."""
    groups = sides.source.keys() | sides.target.keys()
    return sorted(g for g in groups if sides.source.get(g) != sides.target.get(g))


def rows_within(
    source: sqlite3.Connection,
    table: TablePlan,
    span: Span,
    chosen: Collection[str],
    *,
    key: tuple[int, ...],
    enums: Sequence[EnumPlan] = (),
) -> list[int]:
    """Return the rowids, in order, of a span's rows in some groups, without those in quarantine; raises as above."""
    narrow = msgspec.structs.replace(table, columns=tuple(table.carried[position] for position in key))
    readers = [column_reader(column) for column in narrow.carried]
    found: list[int] = []
    for ready in expected(source, narrow, span, enums):
        texts = texts_of(cells_of(ready, narrow.carried, readers))
        pairs = zip(ready.batch.rowids or (), texts, strict=True)
        found += [rowid for rowid, text in pairs if _group(text) in chosen]
    return found


def holds(columns: Sequence[ColumnPlan], chosen: Collection[str]) -> Callable[[Sequence[Any]], bool]:
    """Return the function that says whether a row of canonical texts of a key's columns is in one of the groups."""
    nullable = [not column.not_null for column in columns]

    def held(row: Sequence[Any]) -> bool:
        cells = [
            ("=" + text if text is not None else "") if may else text for text, may in zip(row, nullable, strict=True)
        ]
        return _group(SEPARATOR.join(cells)) in chosen

    return held


def condition(
    columns: Sequence[ColumnPlan], expressions: Iterable[sql.Composable], chosen: Sequence[str]
) -> sql.Composed:
    """Return the condition for the rows `t` of the target in some groups."""
    return sql.SQL(" WHERE {} = ANY({})").format(
        _name(zip(columns, expressions, strict=True)), sql.Literal(list(chosen))
    )


def _source_groups(
    source: sqlite3.Connection, table: TablePlan, key: tuple[int, ...], span: Span, enums: Sequence[EnumPlan]
) -> Sums:
    readers = [column_reader(column) for column in table.carried]
    sha256, number = hashlib.sha256, int.from_bytes
    made: Sums = {}
    for ready in expected(source, table, span, enums):
        cells = cells_of(ready, table.carried, readers)
        names = texts_of([cells[position] for position in key])
        for name, row in zip(names, bytes_of(cells, table.carried), strict=True):
            group = _group(name)
            rows, total = made.get(group, (0, 0))
            made[group] = rows + 1, total + number(sha256(row).digest()[:_BYTES])
    return made


def _target_groups(asked: psycopg.Cursor[tuple[Any, ...]]) -> Sums:
    return {
        group: (rows, sum(int(s) << 8 * (_BYTES - 1 - i) for i, s in enumerate(sums)))
        for group, rows, *sums in asked.fetchall()
    }


def _group(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _name(parts: Iterable[tuple[ColumnPlan, sql.Composable]]) -> sql.Composed:
    return _NAME.format(row_text(parts), _DIGITS)


def _query(shape: Layout, table: TablePlan, key: tuple[int, ...], piece: Piece) -> sql.Composed:
    parts = list(zip(table.carried, shape.expressions, strict=True))
    rows = _ROWS.format(
        row=row_bytes(parts), name=_name(parts[position] for position in key), table=shape.name, where=within(piece)
    )
    return _GROUPED.format(sums=_SUMS, rows=rows)
