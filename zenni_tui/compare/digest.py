"""One figure for all rows of a table on either side: the sum, as whole numbers, of each row's SHA-256.

A sum does not depend on the order of the rows, so that each side is read as it lies on disk, in pieces whose figures
add up, whatever the keys and their collations are. What is hashed of a row is told in `rowbytes`; an equal count
of rows and an equal sum mean that both sides hold the same rows as often: the texts are those that the comparison of
single values uses. What can't be told by a figure is undecided, and compared value by value.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from zenni_tui.model.plan import ColumnPlan, EnumPlan, Span, TablePlan
from zenni_tui.model.record import Record

from . import long
from .columns import ColumnReader, column_reader
from .expected import Expected, expected
from .lookup import Layout, layout
from .rowbytes import Parts, Undecided, bytes_of, cells_of, row_bytes
from .session import Target
from .source import cleared

PIECE_BYTES = 16 * 1024 * 1024
"""How much of a target table, with its long values, one query reads at most."""
_BYTES = 32

_SIZES = """
SELECT c.relname, pg_relation_size(c.oid) / current_setting('block_size')::integer, pg_table_size(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r'
"""
_SUMS = sql.SQL(", ").join([sql.SQL("sum(get_byte(h, {}))").format(i) for i in range(_BYTES)])
_ROWS = sql.SQL("SELECT sha256({row}) AS h FROM {table} AS t{where} OFFSET 0")
_DIGEST = sql.SQL("SELECT count(*), {sums} FROM ({rows}) AS r")
_WITHIN = sql.SQL(" WHERE t.ctid >= {}::tid")
_BELOW = sql.SQL(" AND t.ctid < {}::tid")


class Digest(Record, frozen=True):
    """Rows, and the sum of their hashes in hexadecimal, None when it is undecided whether they equal any others."""

    rows: int = 0
    total: str | None = "0"

    def __add__(self, other: "Digest") -> "Digest":
        known = self.total is not None and other.total is not None
        total = f"{int(self.total or '', 16) + int(other.total or '', 16):x}" if known else None
        return Digest(self.rows + other.rows, total)


class SourceDigest(Record, frozen=True):
    """The source's side; `digest` is of the rows that the target should hold, the counts are as in `SpanComparison`."""

    digest: Digest = Digest()
    rows_quarantined: int = 0
    rows_repaired: int = 0

    def __add__(self, other: "SourceDigest") -> "SourceDigest":
        return SourceDigest(
            self.digest + other.digest,
            self.rows_quarantined + other.rows_quarantined,
            self.rows_repaired + other.rows_repaired,
        )


Reading = Callable[[Span], SourceDigest]


class Piece(Record, frozen=True):
    """Blocks `first <= block < after` of a target table; without `after` all the rest, so that none is left out."""

    first: int = 0
    after: int | None = None


class Part(Record, frozen=True):
    """A part of a table, or all of it: what was read of the source, and what of the target."""

    source: SourceDigest = SourceDigest()
    target: Digest = Digest()

    def __add__(self, other: "Part") -> "Part":
        return Part(self.source + other.source, self.target + other.target)

    @property
    def equal(self) -> bool:
        """Return whether the target holds just the rows that it should."""
        return self.source.digest.total is not None and self.source.digest == self.target

    @property
    def differs(self) -> bool:
        """Return whether it is decided that both sides do not hold the same rows."""
        return None not in (self.source.digest.total, self.target.total) and not self.equal


def pieces(target: Target, schema: str, wanted: dict[str, int]) -> dict[str, tuple[Piece, ...]]:
    """Cut tables of the target, each into about as many pieces as wanted or more; raises `psycopg.Error`.

    A partitioned table, or one that isn't there, is one piece.
    """
    sizes = {name: (blocks, size) for name, blocks, size in target.execute(_SIZES, (schema,))}
    return {name: _cut(*sizes.get(name, (0, 0)), many) for name, many in wanted.items()}


def _cut(blocks: int, size: int, wanted: int) -> tuple[Piece, ...]:
    many = max(1, min(blocks, max(wanted, -(-size // PIECE_BYTES))))
    edges = [blocks * part // many for part in range(many)]
    return tuple(Piece(first, after) for first, after in zip(edges, [*edges[1:], None], strict=True))


def compare_part(
    source: sqlite3.Connection,
    target: Target,
    schema: str,
    table: TablePlan,
    where: tuple[Span | None, Piece | None],
    *,
    enums: Sequence[EnumPlan] = (),
    shape: Layout | None = None,
    read: Reading | None = None,
    short: Collection[str] = (),
) -> Part:
    """Return the digests of a span of the source and of a piece of the target, which needn't hold the same rows.

    Undecided where the target's table is not as planned; `shape` spares a look into the catalogue, `read` is a quicker
    `source_digest` of this table's spans, and `short` as in `row_bytes`. Raises as `expected` does, `StepFailed` when
    the target has no such table, `sqlite3.Error` and `psycopg.Error`.
    """
    span, piece = where
    shape = shape or layout(target, schema, table)
    if len(shape.as_planned) < len(table.carried):
        return Part(SourceDigest(Digest(0, None)))
    # The server works on its piece while the span is read here.
    with target.pipeline():
        asked = target.execute(_query(shape, table, piece, short)) if piece is not None else None
        ours = SourceDigest()
        if span is not None:
            ours = read(span) if read is not None else source_digest(source, table, span, enums)
        return Part(ours, _target_digest(asked) if asked is not None else Digest())


def source_digest(source: sqlite3.Connection, table: TablePlan, span: Span, enums: Sequence[EnumPlan]) -> SourceDigest:
    """Return the digest of a span's rows, read value by value; raises as `expected` does, `sqlite3.Error`."""
    readers = [column_reader(column) for column in table.carried]
    made = SourceDigest()
    lazy = long.places(table.carried, {place for place, _ in cleared(table)})
    for ready in expected(source, table, span, enums, lazy=lazy):
        digest = _digest_of(ready, table.carried, readers)
        made += SourceDigest(digest, ready.rows_quarantined, ready.rows_repaired)
    return made


def _digest_of(ready: Expected, columns: Sequence[ColumnPlan], readers: Sequence[ColumnReader]) -> Digest:
    rows = ready.batch.rows
    try:
        hashed = bytes_of(cells_of(ready, columns, readers), columns)
    except Undecided:
        return Digest(rows, None)
    return Digest(rows, f"{_total(hashed):x}")


def _total(rows: Iterable[bytes]) -> int:
    sha256, number = hashlib.sha256, int.from_bytes
    return sum([number(sha256(row).digest()) for row in rows])


def _target_digest(asked: psycopg.Cursor[tuple[Any, ...]]) -> Digest:
    try:
        found = asked.fetchone()
    except psycopg.errors.ProgramLimitExceeded:
        return Digest(0, None)
    rows, *sums = found or (0,)
    return Digest(rows, f"{sum(int(s or 0) << 8 * (_BYTES - 1 - i) for i, s in enumerate(sums)):x}")


def _query(shape: Layout, table: TablePlan, piece: Piece, short: Collection[str]) -> sql.Composed:
    row = row_bytes(zip(table.carried, shape.expressions, strict=True), short)
    return _summed(row, shape.name, within(piece))


def _summed(row: sql.Composable, table: sql.Composable, where: sql.Composable) -> sql.Composed:
    return _DIGEST.format(sums=_SUMS, rows=_ROWS.format(row=row, table=table, where=where))


def table_digest(target: Target, table: sql.Composable, parts: Parts) -> Digest:
    """Return the digest of a whole table `t` whose columns' texts are given; raises `psycopg.Error`."""
    try:
        # An open transaction outlives a row that is too long.
        with target.transaction():
            return _target_digest(target.execute(_summed(row_bytes(parts), table, sql.SQL(""))))
    except psycopg.errors.ProgramLimitExceeded:
        return Digest(0, None)


def within(piece: Piece) -> sql.Composed:
    """Return the condition for the rows `t` of a piece."""
    where = _WITHIN.format(sql.Literal(f"({piece.first},0)"))
    return where if piece.after is None else where + _BELOW.format(sql.Literal(f"({piece.after},0)"))
