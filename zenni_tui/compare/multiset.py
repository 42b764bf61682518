"""Tables without any key: how often each row stands on either side, by the SHA-256 of its canonical texts."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from zenni_tui.model.plan import EnumPlan, TablePlan

from .columns import Cell
from .expected import Expected
from .naming import part_of, shortened
from .records import KEPT_DIFFERENCES, Difference, DifferenceKind, MultisetComparison
from .session import Target
from .streams import Rows, source_stream, target_stream
from .tally import Tally, tally_in
from .unreadable import Unreadable
from .values import readable


def compare_multiset(
    source: sqlite3.Connection,
    target: Target,
    schema: str,
    table: TablePlan,
    scratch: Path,
    *,
    enums: Sequence[EnumPlan] = (),
) -> MultisetComparison:
    """Compare all rows of a table without a key, wherever they stand; not for use in a pipeline.

    `scratch` is a file to be made and removed. Raises `StepFailed` when the target has no such table, KeyError as
    `expected` does, OSError, `sqlite3.Error` and `psycopg.Error`.
    """
    counts = [0, 0, 0, 0]
    with tally_in(scratch) as tally:
        for ready, rows in source_stream(source, table, enums):
            tally.add(map(_identity, rows), 1)
            counts = [had + more for had, more in zip(counts, _counts(ready), strict=True)]
        there = tally.add(map(_identity, target_stream(target, schema, table)), -1)
        missing, extra = tally.total(1), tally.total(-1)
        named = _named(source_stream(source, table, enums), target, schema, table, tally)
        differences = tuple(named)[:KEPT_DIFFERENCES] if missing or extra else ()
    return MultisetComparison(counts[0], there, missing, extra, differences, *counts[1:])


def _counts(ready: Expected) -> tuple[int, int, int, int]:
    rows = ready.batch.rows + ready.rows_quarantined
    return rows, ready.rows_quarantined, ready.rows_repaired, ready.values_repaired


def _identity(row: Iterable[Cell]) -> bytes:
    # repr tells NULL, text and what has no reading apart, and one row from any other.
    return hashlib.sha256(repr(tuple(row)).encode("utf-8", "surrogatepass")).digest()


def _named(
    source: Iterable[tuple[Expected, Rows]], target: Target, schema: str, table: TablePlan, tally: Tally
) -> Iterator[Difference]:
    wanted = dict(tally.unbalanced(1, KEPT_DIFFERENCES))
    for (batch, *_), rows in source if wanted else ():
        for position, row in _picked(rows, wanted):
            rowid = batch.rowids[position] if batch.rowids is not None else None
            yield _difference(table, row, DifferenceKind.MISSING, rowid)
    unwanted = dict(tally.unbalanced(-1, KEPT_DIFFERENCES))
    for _, row in _picked(target_stream(target, schema, table), unwanted) if unwanted else ():
        yield _difference(table, row, DifferenceKind.EXTRA)


def _difference(table: TablePlan, row: tuple[Any, ...], kind: DifferenceKind, rowid: int | None = None) -> Difference:
    there = kind is DifferenceKind.EXTRA
    where = tuple(part_of(c, text) for c, text in zip(table.carried, row, strict=True)) if there else ()
    return Difference(table.name, _content(table, row), None, None, None, kind, rowid, where, keyless=True)


def _picked(rows: Iterable[tuple[Any, ...]], wanted: dict[bytes, int]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    for position, row in enumerate(rows):
        identity = _identity(row)
        if wanted.get(identity):
            wanted[identity] -= 1
            yield position, row


def _content(table: TablePlan, row: tuple[Any, ...]) -> str:
    parts = []
    for column, cell in zip(table.carried, row, strict=True):
        text = f"({cell.reason})" if isinstance(cell, Unreadable) else readable(column.type.kind, cell)
        parts.append(f"{column.name}={'NULL' if text is None else shortened(text)}")
    return ", ".join(parts)
