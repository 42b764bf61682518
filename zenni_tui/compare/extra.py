"""Which rows one side has too many of: the keys of both sides, tallied."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from zenni_tui.model.plan import EnumPlan, TablePlan

from . import groups
from .columns import Cell
from .lookup import key_columns
from .naming import joined, part_of
from .records import KEPT_DIFFERENCES, Difference, DifferenceKind, ExtraComparison
from .session import Target
from .streams import source_stream, target_stream
from .tally import Tally, tally_in
from .unreadable import Unreadable
from .values import readable


def find_extra(
    source: sqlite3.Connection,
    target: Target,
    schema: str,
    table: TablePlan,
    scratch: Path,
    *,
    unique: Sequence[str] | None = None,
    enums: Sequence[EnumPlan] = (),
    chosen: Sequence[str] | None = None,
) -> ExtraComparison:
    """Name the keys that occur more often on one side, after unequal counts; not for use in a pipeline.

    Missing rows are those a span's comparison names as well, and keys that the source holds twice. A quarantined row
    that is in the target is extra. `chosen` are the groups (see `groups`) that are looked at, all without. `scratch` is
    a file to be made and removed. Raises KeyError when no key can name the rows and as `expected` does, `StepFailed`
    when the target has no such table, OSError, `sqlite3.Error` and `psycopg.Error`.
    """
    key = key_columns(table, unique)
    if key is None:
        raise KeyError(f"{table.name} has no key to name its rows by")
    narrow = msgspec.structs.replace(table, columns=tuple(table.carried[position] for position in key))
    holds = None if chosen is None else groups.holds(narrow.carried, frozenset(chosen))
    with tally_in(scratch) as tally:
        for _, rows in source_stream(source, narrow, enums):
            tally.add(map(_identity, filter(holds, rows) if holds else rows), 1)
        tally.add(map(_identity, _there(target, schema, narrow, chosen)), -1)
        differences = [*_named(tally, narrow, DifferenceKind.EXTRA), *_named(tally, narrow, DifferenceKind.MISSING)]
        return ExtraComparison(tally.total(-1), tally.total(1), tuple(differences[:KEPT_DIFFERENCES]))


def _there(target: Target, schema: str, table: TablePlan, chosen: Sequence[str] | None) -> Iterator[tuple[Any, ...]]:
    if chosen is None:
        return target_stream(target, schema, table)
    return target_stream(target, schema, table, lambda s: groups.condition(table.carried, s.expressions, chosen))


def _identity(row: Sequence[Cell]) -> bytes:
    # What has no reading stands in a list, so that it is no key of the target's.
    parts = [[cell.reason] if isinstance(cell, Unreadable) else cell for cell in row]
    return json.dumps(parts).encode()


def _named(tally: Tally, table: TablePlan, kind: DifferenceKind) -> Iterator[Difference]:
    sign = -1 if kind is DifferenceKind.EXTRA else 1
    for identity, times in tally.unbalanced(sign, KEPT_DIFFERENCES):
        parts = json.loads(identity)
        key = joined(_part(table, position, part) for position, part in enumerate(parts))
        known = not any(isinstance(part, list) for part in parts)
        where = tuple(part_of(c, part) for c, part in zip(table.carried, parts, strict=True)) if known else ()
        for _ in range(min(times, KEPT_DIFFERENCES)):
            yield Difference(table.name, key, None, None, None, kind, None, where)


def _part(table: TablePlan, position: int, part: Any) -> str | None:
    return f"({part[0]})" if isinstance(part, list) else readable(table.carried[position].type.kind, part)
