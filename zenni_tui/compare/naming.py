"""Differences by name: the key, the column and both values as a person reads them, cut around where they part."""

import hashlib
from collections.abc import Iterable
from typing import Any

from zenni_tui.model.plan import ColumnPlan, TablePlan
from zenni_tui.model.schema import Value

from .records import Difference, DifferenceKind, Part
from .source import Batch
from .unreadable import Unreadable
from .values import canonical, readable

Both = tuple[str | None, str | None]

SHOWN = 400
BEFORE = 40


class Namer:
    """Names the differences of one table; `key` says where the key's columns stand among the carried ones."""

    def __init__(self, table: TablePlan, key: tuple[int, ...]) -> None:
        self._table = table
        self._columns = table.carried
        self._key = key

    def missing(self, batch: Batch, position: int) -> Difference:
        """Return the difference of a source row that the target hasn't got, with why when its key has no reading."""
        reasons = [_said(self._columns[p], batch.columns[p][position]) for p in self._key]
        why = next((text for text, readable_as in reasons if not readable_as), None)
        return self._difference(batch, position, None, (why, None), DifferenceKind.MISSING)

    def differing(self, batch: Batch, position: int, there: tuple[Any, ...]) -> list[Difference]:
        """Return the differences between a source row and the target's, column by column; empty when there is none."""
        differences = []
        for column, values, found in zip(self._columns, batch.columns, there, strict=True):
            value = values[position]
            if not _same(column, value, found):
                both = cut(_said(column, value)[0], readable(column.type.kind, found))
                differences.append(self._difference(batch, position, column.name, both, DifferenceKind.DIFFERS))
        return differences

    def surplus(self, row: tuple[Any, ...], rowid: int | None) -> Difference:
        """Return the difference of a target row, given by canonical texts, whose key another row there has as well.

        `rowid` is that of the source's only row of the key.
        """
        parts = (readable(self._columns[p].type.kind, row[p]) for p in self._key)
        where = tuple(part_of(self._columns[p], row[p]) for p in self._key)
        return Difference(self._table.name, joined(parts), None, None, None, DifferenceKind.EXTRA, rowid, where)

    def _difference(
        self, batch: Batch, position: int, column: str | None, values: Both, kind: DifferenceKind
    ) -> Difference:
        key = joined(_said(self._columns[p], batch.columns[p][position])[0] for p in self._key)
        rowid = batch.rowids[position] if batch.rowids is not None else None
        return Difference(self._table.name, key, column, *values, kind, rowid, self._where(batch, position))

    def _where(self, batch: Batch, position: int) -> tuple[Part, ...]:
        try:
            return tuple(
                part_of(self._columns[p], _canonical(self._columns[p], batch.columns[p][position])) for p in self._key
            )
        except Unreadable:
            return ()


def part_of(column: ColumnPlan, text: str | None) -> Part:
    """Return what finds a row of the target by one column's canonical text."""
    if text is None or len(text) <= SHOWN:
        return Part(column.name, text)
    return Part(column.name, hashlib.sha256(text.encode()).hexdigest(), hashed=True)


def joined(parts: Iterable[str | None]) -> str:
    """Return a key's parts as one text."""
    return ", ".join("NULL" if part is None else shortened(part) for part in parts)


def shortened(text: str, start: int = 0) -> str:
    """Return a text with its middle piece from `start` when it is too long to be shown, and its length."""
    if len(text) <= SHOWN:
        return text
    piece = text[start : start + SHOWN]
    return f"{'…' if start else ''}{piece}{'…' if start + SHOWN < len(text) else ''} ({len(text)} characters)"


def cut(ours: str | None, theirs: str | None) -> Both:
    """Return both texts, long ones as the piece in which they part."""
    if ours is None or theirs is None or max(len(ours), len(theirs)) <= SHOWN:
        return ours and shortened(ours), theirs and shortened(theirs)
    length = min(len(ours), len(theirs))
    parted = next((p for p in range(length) if ours[p] != theirs[p]), length)
    start = max(0, parted - BEFORE)
    return shortened(ours, start), shortened(theirs, start)


def _same(column: ColumnPlan, value: Value, found: str | None) -> bool:
    try:
        return _canonical(column, value) == found
    except Unreadable:
        return False


def _said(column: ColumnPlan, value: Value) -> tuple[str | None, bool]:
    """Return a source value as a person reads it, and whether it has a reading."""
    try:
        return readable(column.type.kind, _canonical(column, value)), True
    except Unreadable as unreadable:
        return f"{shortened(_stored(value))} ({unreadable.reason})", False


def _canonical(column: ColumnPlan, value: Value) -> str | None:
    return canonical(value, column.type, column.epoch, column.zone)


def _stored(value: Value) -> str:
    return f"x'{value[:SHOWN].hex()}'" if isinstance(value, bytes) else ascii(value)
