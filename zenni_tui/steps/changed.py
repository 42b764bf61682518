"""Compares, by the verifier's own reading, the rows that were changed since everything was verified."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from zenni_tui.compare import records
from zenni_tui.compare.changed import compare_all_keys, compare_keys
from zenni_tui.compare.multiset import compare_multiset
from zenni_tui.compare.session import pin_session
from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.model.record import to_json
from zenni_tui.model.schema import Value
from zenni_tui.target.sessions import Connection

from .forward import Model
from .run import Run

Keys = Mapping[str, Iterable[Sequence[Value]]]


def compare(run: Run, model: Model, file: sqlite3.Connection, keys: Keys, whole: Collection[str] = ()) -> str:
    """Compare the rows of some keys, and whole tables, by source names, within the caller's transaction on the file.

    Returns a summary; raises StepFailed with the first difference.
    """
    rows, differing = 0, 0
    found: list[records.Difference] = []
    tables = {*keys, *whole}
    with run.to.connect() as connection:
        pin_session(connection)
        for table in (t for t in model.plan.tables if t.source in tables):
            some = None if table.source in whole else keys[table.source]
            one = _table(run, (file, connection), model, table, some)
            rows, differing = rows + one[0], differing + one[1]
            found += one[2]
    if differing:
        run.write("differences.jsonl", b"".join(to_json(d) + b"\n" for d in found))
        raise _failure(run, differing, found[0])
    out = model.kept.count() if model.kept is not None else 0
    apart = f"; {out:,} rows kept out by choice" if out else ""
    return f"{rows:,} changed rows of {len(tables)} tables compared: identical{apart}"


def _table(
    run: Run,
    sides: tuple[sqlite3.Connection, Connection],
    model: Model,
    table: TablePlan,
    keys: Iterable[Sequence[Value]] | None,
) -> tuple[int, int, tuple[records.Difference, ...]]:
    key, plan = model.plan.row_key(table), model.plan
    if not key:
        return _multiset(run, sides, plan, table)
    out = model.out(table.source)
    if keys is None:
        there = compare_all_keys(*sides, plan.schema, table, unique=key, enums=plan.enums, kept_out=out)
    else:
        there = compare_keys(*sides, plan.schema, table, keys, unique=key, enums=plan.enums, kept_out=out)
    return there.rows_source, there.rows_differing, there.differences


def _multiset(
    run: Run, sides: tuple[sqlite3.Connection, Connection], plan: Plan, table: TablePlan
) -> tuple[int, int, tuple[records.Difference, ...]]:
    scratch = run.folder / "tally-changed.db"
    there = compare_multiset(*sides, plan.schema, table, scratch, enums=plan.enums)
    return there.rows_source, there.rows_differing, there.differences


def _failure(run: Run, differing: int, first: records.Difference) -> StepFailed:
    return StepFailed(
        f"{differing:,} of the rows changed since the verification differ.",
        where=f'table "{first.table}", key {first.key}, column {first.column or "all"}',
        why=f"{first.kind}: {first.source_value!r} in the source, {first.target_value!r} in the target.",
        next_step=f"All of them: {run.folder / 'differences.jsonl'}. Don't switch; look for who else writes to the"
        " target, then roll back and migrate again.",
    )
