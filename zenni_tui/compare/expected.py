"""The source's rows as the target should hold them: without the quarantined ones, with chosen repairs done."""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from zenni_tui.model.plan import EnumPlan, Span, TablePlan

from .mending import Mender, mender
from .source import Batch, batches, cleared


class Expected(NamedTuple):
    """Rows that the target should hold, and what was done to the source's to get them."""

    batch: Batch
    rows_quarantined: int = 0
    rows_repaired: int = 0
    values_repaired: int = 0


def expected(  # noqa: PLR0917 - what is read, and how
    source: sqlite3.Connection,
    table: TablePlan,
    span: Span,
    enums: Sequence[EnumPlan] = (),
    only: Sequence[int] | None = None,
    lazy: frozenset[int] = frozenset(),
) -> Iterator[Expected]:
    """Yield a span's rows, or those of them with the rowids of `only`, batch by batch, as the target should hold them.

    `lazy` is as in `batches`, of columns without repairs.
    Rows in quarantine are known by their rowids, or by their places from 1 in a table without rowids. Raises KeyError
    for a span of such a table, and for repairs that nobody knows or whose enum is not given; raises `sqlite3.Error`.
    """
    kept_out = sorted(table.quarantine)
    menders = [mender(column, enums) for column in table.carried]
    lost = [place for place, _ in cleared(table)]
    mending = any(menders) or bool(lost)
    seen = 0
    for batch in batches(source, table, span, only, lazy):
        numbers = range(seen + 1, seen + batch.rows + 1) if batch.rowids is None else batch.rowids
        seen += batch.rows
        ready = _without(batch, numbers, kept_out) if kept_out else Expected(batch)
        yield _mended(ready, menders, lost) if mending else ready


def mended(table: TablePlan, read: Iterator[Batch], enums: Sequence[EnumPlan] = ()) -> Iterator[Expected]:
    """Yield batches, none of whose rows is in quarantine, with chosen repairs done; raises as `expected` does."""
    menders = [mender(column, enums) for column in table.carried]
    lost = [place for place, _ in cleared(table)]
    for batch in read:
        yield _mended(Expected(batch), menders, lost)


def _without(batch: Batch, numbers: Sequence[int], kept_out: Sequence[int]) -> Expected:
    first, last = bisect_left(kept_out, numbers[0]), bisect_right(kept_out, numbers[-1])
    banned = set(kept_out[first:last])
    if not banned:
        return Expected(batch)
    kept = [position for position, number in enumerate(numbers) if number not in banned]
    columns, orphans = (tuple([values[p] for p in kept] for values in part) for part in (batch.columns, batch.orphans))
    rowids = None if batch.rowids is None else [numbers[p] for p in kept]
    return Expected(Batch(rowids, columns, orphans), batch.rows - len(kept))


def _mended(ready: Expected, menders: Sequence[Mender | None], lost: Sequence[int]) -> Expected:
    columns = list(ready.batch.columns)
    values_repaired, rows = 0, set[int]()
    for place, orphans in zip(lost, ready.batch.orphans, strict=True):
        there = enumerate(zip(columns[place], orphans, strict=True))
        emptied = {position for position, (value, orphan) in there if orphan and value is not None}
        columns[place] = [None if p in emptied else value for p, value in enumerate(columns[place])]
        values_repaired += len(emptied)
        rows |= emptied
    for place, mend in enumerate(menders):
        if mend is None or not columns[place]:
            continue
        values, touched = zip(*map(mend, columns[place]), strict=True)
        if any(touched):
            columns[place] = values
            values_repaired += sum(touched)
            rows.update(position for position, yes in enumerate(touched) if yes)
    batch = Batch(ready.batch.rowids, tuple(columns))
    return Expected(batch, ready.rows_quarantined, len(rows), values_repaired)
