"""Rows in quarantine: read around them, and keep them whole for the side table."""

import json
import math
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from zenni_tui.model.plan import Clearing, Span, TablePlan
from zenni_tui.model.schema import SourceTable, Value
from zenni_tui.source import database, long, reader


def within(table: TablePlan, span: Span) -> Sequence[int]:
    """Return the numbers of a span's rows that are in quarantine; a table without rowids has but one span."""
    first = bisect_right(table.quarantine, span.after) if span.after is not None else 0
    last = bisect_right(table.quarantine, span.upto) if span.upto is not None else len(table.quarantine)
    return table.quarantine[first:last]


def batches(  # noqa: PLR0917 - what is read, and what is done with it
    source: sqlite3.Connection,
    table: SourceTable,
    columns: Sequence[str],
    span: Span,
    out: Sequence[int],
    clearings: Sequence[Clearing] = (),
) -> Iterator[list[long.LazyRow]]:
    """Yield a span's rows without those in quarantine, and without the references that are to be cleared."""
    if not out:
        yield from long.batches(source, table, columns, span, clearings)
        return
    kept_out = set(out)
    for rows in long.numbered(source, table, columns, span, clearings):
        kept = [row[1:] for row in rows if row[0] not in kept_out]
        if kept:
            yield kept


def rows(source: sqlite3.Connection, table: SourceTable, out: Sequence[int]) -> list[tuple[int, str]]:
    """Return the rows in quarantine as JSON by column, by their numbers."""
    names = [c.name for c in table.columns]
    columns = ", ".join(database.quoted(n) for n in names)
    usual, source.text_factory = source.text_factory, lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        found = list(zip(sorted(out), reader.picked(source, table, columns, out), strict=True))
    finally:
        source.text_factory = usual
    return [(r, json.dumps(dict(zip(names, map(_plain, row), strict=True)))) for r, row in found]


def _plain(value: Value) -> object:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"real": str(value)}
    if isinstance(value, str):
        raw = value.encode("utf-8", "surrogateescape")
        return value if raw.isascii() or _sound(raw) else {"hex": raw.hex()}
    return value


def _sound(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
