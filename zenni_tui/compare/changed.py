"""The rows of some keys on both sides: what was changed since everything was compared."""

import itertools
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence

from psycopg import sql

from zenni_tui.model.plan import EnumPlan, TablePlan
from zenni_tui.model.schema import Value

from .columns import column_reader
from .expected import mended
from .lookup import Layout, Lookup, key_columns, layout
from .naming import Namer
from .records import KEPT_DIFFERENCES, Difference, DifferenceKind, SpanComparison
from .rows import compare_batches
from .session import Target
from .source import Batch, by_keys, quoted

Key = Sequence[Value]

_AT_ONCE = 1_000


def compare_keys(
    source: sqlite3.Connection,
    target: Target,
    schema: str,
    table: TablePlan,
    keys: Iterable[Key],
    *,
    unique: Sequence[str],
    enums: Sequence[EnumPlan] = (),
    kept_out: Collection[Key] = (),
) -> SpanComparison:
    """Compare, value by value, the rows that have some keys; one without a row in the source must have none there.

    The target must not have the rows of `kept_out` either, which the operator keeps out. Give it a source that nobody
    writes meanwhile, or one read transaction. Raises KeyError without a key, StepFailed without a table,
    `sqlite3.Error` and `psycopg.Error`.
    """
    places = key_columns(table, unique)
    if places is None:
        raise KeyError(f"{table.name} has no key to find its rows by")
    shape = layout(target, schema, table)
    asked = iter(keys)
    whole = SpanComparison(0, 0, 0)
    while some := list(itertools.islice(asked, _AT_ONCE)):
        present: set[Key] = set()
        read = mended(table, _noted(by_keys(source, table, places, some), places, present, kept_out), enums)
        there = compare_batches(target, table, read, shape, places)
        absent = [key for key in some if tuple(key) not in present]
        whole = _together(whole, there, _left_over(target, table, shape, places, absent))
    return whole


def _noted(
    batches: Iterator[Batch], places: Sequence[int], present: set[Key], kept_out: Collection[Key]
) -> Iterator[Batch]:
    """Yield batches without rows that are kept out or that came before, and note the keys of those that remain."""
    for batch in batches:
        keys = list(zip(*(batch.columns[p] for p in places), strict=True))
        kept = []
        for position, key in enumerate(keys):
            if key not in present and key not in kept_out:
                present.add(key)
                kept.append(position)
        columns, orphans = (
            tuple([values[p] for p in kept] for values in part) for part in (batch.columns, batch.orphans)
        )
        if kept:
            yield Batch(None, columns, orphans)


def _left_over(
    target: Target, table: TablePlan, shape: Layout, places: tuple[int, ...], keys: Sequence[Key]
) -> list[Difference]:
    """Return the target's rows of keys that have none in the source."""
    if not keys:
        return []
    raw = list(zip(*keys, strict=True))
    readers = [column_reader(table.carried[p], careful=True) for p in places]
    asked = Lookup(target, shape, table, places).ask([r(v) for r, v in zip(readers, raw, strict=True)], raw)
    namer = Namer(table, places)
    return [namer.surplus(row, None) for row in asked.fetchall()]


def _together(whole: SpanComparison, there: SpanComparison, extra: Sequence[Difference]) -> SpanComparison:
    room = KEPT_DIFFERENCES - len(whole.differences)
    return SpanComparison(
        whole.rows_source + there.rows_source,
        whole.rows_found + there.rows_found,
        whole.rows_differing + there.rows_differing + len(extra),
        (*whole.differences, *(*there.differences, *extra)[:room]),
        rows_repaired=whole.rows_repaired + there.rows_repaired,
        values_repaired=whole.values_repaired + there.values_repaired,
    )


def compare_all_keys(
    source: sqlite3.Connection,
    target: Target,
    schema: str,
    table: TablePlan,
    *,
    unique: Sequence[str],
    enums: Sequence[EnumPlan] = (),
    kept_out: Collection[Key] = (),
) -> SpanComparison:
    """Compare all rows of a table by key, and count those of the target; else as `compare_keys`."""
    names = ", ".join(quoted(table.column(n).source or n) for n in unique)
    keys = source.cursor().execute(f"SELECT {names} FROM {quoted(table.source)}")  # noqa: S608 - quoted
    there = compare_keys(source, target, schema, table, keys, unique=unique, enums=enums, kept_out=kept_out)
    count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table.name))
    (rows,) = target.execute(count).fetchone() or (0,)
    if rows <= there.rows_found:
        return there
    more = Difference(table.name, f"{rows - there.rows_found} rows", None, None, None, DifferenceKind.EXTRA)
    return _together(there, SpanComparison(0, 0, 0), [more])
