"""The bytes of a row that are hashed, made alike on both sides, and the text of a key that names a group of rows.

First stand the instants, eight bytes each: microseconds since 2000, which is what PostgreSQL sends of them without
any arithmetic. Behind them stand the canonical texts of the other columns (`values` for the source, `expressions` for
the target), joined by a mark that no value of the source holds.
"""

import hashlib
import struct
from collections.abc import Collection, Iterable, Sequence
from typing import cast

from psycopg import sql

from zenni_tui.model.plan import ColumnPlan, Kind

from .columns import Cell, ColumnReader
from .expected import Expected

SEPARATOR = "\x1d\x1e\x1f"
"""No end of it is its beginning, so that it can't come about where a value meets it, only within one value."""
LONG = 65_536
"""Longer texts, in bytes, go into their row as their SHA-256, so that no row becomes too long."""
INSTANTS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
WRITTEN = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.ENUM, Kind.JSON, Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT})
"""What stands as a text in SQLite, or as digits that SQLite writes as we do."""
EPOCH = 946_684_800_000_000
"""2000-01-01, where PostgreSQL's instants begin (https://www.postgresql.org/docs/current/datatype-datetime.html)."""
NO_INSTANT = 1 - 2**63
"""Stands for NULL: before PostgreSQL's first instant, not its -infinity, and no whole number of milliseconds."""
NULLABLE = "="
"""Stands before each value of a column that may hold NULL, which is empty there."""

_MAY_BE_LONG = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.CHAR, Kind.JSON, Kind.JSONB})
_MOST_ARGUMENTS = 90
"""Less than the arguments that a function of PostgreSQL takes (https://www.postgresql.org/docs/current/limits.html)."""
_SHORTENED = sql.SQL(
    "CASE WHEN octet_length({0}) > {1} THEN 'sha256 ' || encode(sha256(convert_to({0}, 'UTF8')), 'hex') ELSE {0} END"
)
_MARKED = sql.SQL("coalesce({} || {}, '')")
_NEVER_NULL = sql.SQL("coalesce({}, {})")
_SENT = {
    Kind.TIMESTAMP: sql.SQL("coalesce(timestamp_send({}), {})"),
    Kind.TIMESTAMPTZ: sql.SQL("coalesce(timestamptz_send({}), {})"),
}
_NONE_SENT = NO_INSTANT.to_bytes(8, "big", signed=True)

Parts = Iterable[tuple[ColumnPlan, sql.Composable]]
"""Columns of the target's table `t`, each with the expression for its canonical text."""


class Undecided(Exception):
    """A row has no bytes that tell it from every other one."""


def rank(column: ColumnPlan) -> int:
    """Return where a column stands in its row: instants first, then what SQLite can write, then all others."""
    kind = column.type.kind
    return 0 if kind in INSTANTS else 1 if kind in WRITTEN else 2


def cells_of(ready: Expected, columns: Sequence[ColumnPlan], readers: Sequence[ColumnReader]) -> list[Sequence[str]]:
    """Return the canonical texts of some rows, column by column, as they go into a row's text; raises Undecided."""
    try:
        return [
            marked(read(values), column)
            for column, read, values in zip(columns, readers, ready.batch.columns, strict=True)
        ]
    except TypeError:
        # A value without a reading.
        raise Undecided from None


def marked(cells: Sequence[Cell], column: ColumnPlan) -> Sequence[str]:
    """Return a column's texts with a mark that tells NULL from an empty one; raises TypeError, or leaves no text be."""
    texts = cast("Sequence[str]", cells)
    return texts if column.not_null else ["" if text is None else NULLABLE + text for text in texts]


def texts_of(cells: Sequence[Sequence[str]]) -> list[str]:
    """Return the text of each row; raises Undecided."""
    try:
        return list(map(SEPARATOR.join, zip(*cells, strict=True)))
    except TypeError:
        # A value without a reading, or NULL where none may be.
        raise Undecided from None


def bytes_of(cells: Sequence[Sequence[str]], columns: Sequence[ColumnPlan]) -> list[bytes]:
    """Return the bytes of each row; raises Undecided."""
    pairs = sorted(zip(columns, cells, strict=True), key=lambda pair: rank(pair[0]))
    heads = _heads([(c, part) for c, part in pairs if c.type.kind in INSTANTS])
    texts = _encoded([(c, part) for c, part in pairs if c.type.kind not in INSTANTS])
    if heads and texts:
        return [head + text for head, text in zip(heads, texts, strict=True)]
    return heads or texts


def _heads(parts: Sequence[tuple[ColumnPlan, Sequence[str]]]) -> list[bytes]:
    if not parts:
        return []
    try:
        counted = [_counted(cells, 0 if column.not_null else len(NULLABLE)) for column, cells in parts]
        pack = struct.Struct(f">{len(parts)}q").pack
        return [pack(*row) for row in zip(*counted, strict=True)]
    except (TypeError, ValueError, struct.error):
        # A value without a reading, or too late for PostgreSQL to count its microseconds.
        raise Undecided from None


def _counted(cells: Sequence[str], mark: int) -> list[int]:
    return [int(cell[mark:]) - EPOCH if cell else NO_INSTANT for cell in cells]


def _encoded(parts: Sequence[tuple[ColumnPlan, Sequence[str]]]) -> list[bytes]:
    if not parts:
        return []
    try:
        texts = [text.encode() for text in texts_of([cells for _, cells in parts])]
        if max(map(len, texts), default=0) > LONG:
            texts = [text.encode() for text in texts_of([shortened(cells, column) for column, cells in parts])]
    except UnicodeEncodeError:
        raise Undecided from None
    # A line's end between them, so that no mark comes about where one row meets the next.
    if b"\n".join(texts).count(SEPARATOR.encode()) != len(texts) * (len(parts) - 1):
        raise Undecided
    return texts


def shortened(cells: Sequence[str], column: ColumnPlan) -> Sequence[str]:
    """Return a column's marked texts with the SHA-256 of the long ones in their place."""
    if column.type.kind not in _MAY_BE_LONG:
        return cells
    return [_short(cell, 0 if column.not_null else len(NULLABLE)) for cell in cells]


def _short(cell: str, mark: int) -> str:
    text = cell[mark:].encode()
    return f"{cell[:mark]}sha256 {hashlib.sha256(text).hexdigest()}" if len(text) > LONG else cell


def row_text(parts: Parts) -> sql.Composable:
    """Return the expression for the text of a row of some columns, instants too, as `texts_of` makes it."""
    return _joined([_cell(column, text, frozenset()) for column, text in parts])


def row_bytes(parts: Parts, short: Collection[str] = ()) -> sql.Composable:
    """Return the expression for the bytes of a row of some columns, as `bytes_of` makes them.

    `short` names columns whose texts in the source are known not to be long: the server need not look then.
    """
    columns = sorted(parts, key=lambda part: rank(part[0]))
    made = [_sent(column) for column, _ in columns if column.type.kind in INSTANTS]
    texts = [_cell(column, text, short) for column, text in columns if column.type.kind not in INSTANTS]
    if texts:
        made.append(sql.SQL("convert_to({}, 'UTF8')").format(_joined(texts)))
    return _appended(made)


def _sent(column: ColumnPlan) -> sql.Composable:
    return _SENT[column.type.kind].format(sql.Identifier("t", column.name), sql.Literal(_NONE_SENT))


def _cell(column: ColumnPlan, text: sql.Composable, short: Collection[str]) -> sql.Composable:
    may_be_long = column.type.kind in _MAY_BE_LONG and column.name not in short
    told = _SHORTENED.format(text, LONG) if may_be_long else text
    # With one separator too many a row equals none of the source's.
    return _NEVER_NULL.format(told, SEPARATOR) if column.not_null else _MARKED.format(NULLABLE, told)


def _joined(cells: Sequence[sql.Composable]) -> sql.Composable:
    groups = [cells[i : i + _MOST_ARGUMENTS] for i in range(0, len(cells), _MOST_ARGUMENTS)]
    joined = [sql.SQL("concat_ws({}, {})").format(SEPARATOR, sql.SQL(", ").join(group)) for group in groups]
    return joined[0] if len(joined) == 1 else _joined(joined)


def _appended(parts: Sequence[sql.Composable]) -> sql.Composable:
    """Return all in a row, halved again and again: one after the other would copy the first of many many times."""
    if len(parts) == 1:
        return parts[0]
    half = (len(parts) + 1) // 2
    return sql.SQL("({} || {})").format(_appended(parts[:half]), _appended(parts[half:]))
