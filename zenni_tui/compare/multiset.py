"""Tables without any key: how often each row stands on either side, by the SHA-256 of its canonical texts."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zenni_tui.model.plan import TablePlan

from .columns import Cell
from .naming import shortened
from .records import KEPT_DIFFERENCES, Difference, DifferenceKind, MultisetComparison
from .session import Target
from .streams import source_stream, target_stream
from .tally import Tally, tally_in
from .unreadable import Unreadable
from .values import readable


def compare_multiset(
    source: sqlite3.Connection, target: Target, schema: str, table: TablePlan, scratch: Path
) -> MultisetComparison:
    """Compare all rows of a table without a key, wherever they stand; not for use in a pipeline.

    `scratch` is a file to be made and removed. Raises `StepFailed` when the target has no such table, OSError,
    `sqlite3.Error` and `psycopg.Error`.
    """
    with tally_in(scratch) as tally:
        here = sum(tally.add(map(_identity, rows), 1) for _, rows in source_stream(source, table))
        there = tally.add(map(_identity, target_stream(target, schema, table)), -1)
        missing, extra = tally.total(1), tally.total(-1)
        differences = list(_named(source, target, schema, table, tally)) if missing or extra else []
    return MultisetComparison(here, there, missing, extra, tuple(differences[:KEPT_DIFFERENCES]))


def _identity(row: Iterable[Cell]) -> bytes:
    # repr tells NULL, text and what has no reading apart, and one row from any other.
    return hashlib.sha256(repr(tuple(row)).encode("utf-8", "surrogatepass")).digest()


def _named(
    source: sqlite3.Connection, target: Target, schema: str, table: TablePlan, tally: Tally
) -> Iterator[Difference]:
    wanted = dict(tally.unbalanced(1, KEPT_DIFFERENCES))
    for batch, rows in source_stream(source, table) if wanted else ():
        for position, row in _picked(rows, wanted):
            rowid = batch.rowids[position] if batch.rowids is not None else None
            yield Difference(table.name, _content(table, row), None, None, None, DifferenceKind.MISSING, rowid)
    unwanted = dict(tally.unbalanced(-1, KEPT_DIFFERENCES))
    for _, row in _picked(target_stream(target, schema, table), unwanted) if unwanted else ():
        yield Difference(table.name, _content(table, row), None, None, None, DifferenceKind.EXTRA)


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
