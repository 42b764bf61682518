"""Whether a query's results on both sides are the same: as multisets, and in order where the order is decided."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from zenni_tui.model.plan import Epoch
from zenni_tui.model.record import Record

from . import dates
from .unreadable import Unreadable
from .values import instant

Row = tuple[Any, ...]
Cells = tuple[str | None, ...]

_DIGITS = 12
"""Sums of doubles differ in the last digits with the order in which they are added."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, as all instants here
_SHOWN = 160


class Comparison(Record, frozen=True):
    """How two results compare: rows of each side, `why` they differ (empty when they don't), and what to know.

    Nothing can be said of one that is `undecided`; `note` says why.
    """

    rows_source: int
    rows_target: int
    why: str = ""
    note: str = ""
    undecided: bool = False


def compare(
    source: Sequence[Row], target: Sequence[Row], order: Sequence[int] | None, lists: Sequence[str]
) -> Comparison:
    """Compare SQLite's rows with PostgreSQL's.

    `order` names the columns by which they are ordered, `lists` the separators of aggregated texts, whose parts have
    no order of their own.
    """
    if source and target and len(source[0]) != len(target[0]):
        why = f"{len(source[0])} columns in SQLite, {len(target[0])} in PostgreSQL."
        return Comparison(len(source), len(target), why)
    ours, theirs = _both(source, target)
    note = ""
    if Counter(ours) != Counter(theirs) and lists:
        ours, theirs = ([_unordered(r, lists) for r in side] for side in (ours, theirs))
        note = "The parts of aggregated texts stand in another order, which the query does not decide."
    if Counter(ours) != Counter(theirs):
        return Comparison(len(source), len(target), _difference(ours, theirs))
    if order is not None and [_key(r, order) for r in ours] != [_key(r, order) for r in theirs]:
        return Comparison(len(source), len(target), "The same rows in another order.")
    return Comparison(len(source), len(target), "", note)


def texts(source: Sequence[Row], target: Sequence[Row]) -> tuple[list[Cells], list[Cells]]:
    """Return the rows of both sides as texts in one form: that of PostgreSQL's types."""
    ours, theirs = _both(source, target)
    return [_cells(r) for r in ours], [_cells(r) for r in theirs]


def _both(source: Sequence[Row], target: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows of both sides in one form."""
    if not source or not target:
        return [tuple(_plain(v) for v in r) for r in source], [tuple(_plain(v) for v in r) for r in target]
    pairs = [_alike(one, other) for one, other in zip(_columns(source), _columns(target), strict=True)]
    ours, theirs = (_rows([p[i] for p in pairs], n) for i, n in ((0, len(source)), (1, len(target))))
    return ours, theirs


def _cells(row: Row) -> Cells:
    return tuple(None if v is None else v if isinstance(v, str) else _shown(v) for v in row)


def keys(rows: Sequence[Row]) -> tuple[int, ...]:
    """Return the columns that name a row of a metric: those that are no figures, or the first of several figures."""
    if not rows:
        return ()
    width = len(rows[0])
    figures = [all(r[i] is None or _is_figure(r[i]) for r in rows) for i in range(width)]
    named = tuple(i for i, figure in enumerate(figures) if not figure)
    return named or ((0,) if width > 1 and len(rows) > 1 else ())


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _columns(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


def _rows(columns: Sequence[Sequence[object]], count: int) -> list[Row]:
    return list(zip(*columns, strict=True)) if columns else [()] * count


def _key(row: Row, order: Sequence[int]) -> Row:
    return tuple(row[i] for i in order if i < len(row))


def _alike(source: Sequence[Any], target: Sequence[Any]) -> tuple[list[object], list[object]]:
    """Return a column's values of both sides in one form: that of PostgreSQL's type."""
    kinds = {type(v) for v in target if v is not None}
    return [_stored(v, kinds) for v in source], [_plain(v) for v in target]


def _stored(value: Any, kinds: set[type]) -> object:
    if value is None:
        return None
    if bool in kinds and value in (0, 1):
        return bool(value)
    if kinds & {datetime, date}:
        return _instant(value)
    if kinds & {dict, list} and isinstance(value, str):
        return _document(value)
    if kinds & {Decimal, float, int} and isinstance(value, str) and kinds.isdisjoint({str}):
        return value
    return _plain(value)


def _instant(value: Any) -> object:
    try:
        return ("instant", instant(value, Epoch.MILLISECONDS))
    except (Unreadable, TypeError):
        return _plain(value)


def _document(text: str) -> object:
    try:
        return _plain(json.loads(text))
    except ValueError:
        return text


def _plain(value: Any) -> object:  # noqa: PLR0911 - one type each
    if isinstance(value, bool) or value is None or isinstance(value, str | bytes):
        return value
    if isinstance(value, datetime):
        bare = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return ("instant", (bare - _EPOCH) // (datetime.resolution))
    if isinstance(value, date):
        return ("instant", (value - _EPOCH.date()).days * 86_400_000_000)
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return str(value) if isinstance(value, UUID | time) else repr(value)


def _number(value: float | Decimal) -> object:
    if isinstance(value, int) or value == value.__trunc__() if math.isfinite(value) else False:
        return ("number", int(value))
    return ("number", f"{float(value):.{_DIGITS}g}")


def _unordered(row: Row, lists: Sequence[str]) -> Row:
    separators = "|".join(re.escape(s) for s in sorted(lists, key=len, reverse=True) if s)
    return tuple(tuple(sorted(re.split(separators, v))) if isinstance(v, str) else v for v in row)


def _difference(ours: Sequence[Row], theirs: Sequence[Row]) -> str:
    here, there = Counter(ours), Counter(theirs)
    parts = []
    for name, only in (("SQLite", here - there), ("PostgreSQL", there - here)):
        if only:
            first = ", ".join(_shown(v) for v in next(iter(only)))
            parts.append(f"{only.total():,} rows only in {name}, such as ({first[:_SHOWN]})")
    return "; ".join(parts) + "."


def _shown(value: object) -> str:
    if isinstance(value, tuple) and value[:1] == ("instant",):
        return dates.timestamp_text(value[1])
    return str(value[1]) if isinstance(value, tuple) and value[:1] == ("number",) else repr(value)
