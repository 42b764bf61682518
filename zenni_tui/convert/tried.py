"""Findings from what the trials of values brought to light."""

import functools
from collections.abc import Iterable, Mapping

import msgspec

from zenni_tui.model.findings import SHOWN_KEYS, Evidence, Finding, Repair, Severity
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, TablePlan
from zenni_tui.model.schema import ColumnProfile

from . import instants, offers
from .suspects import Profiles
from .trial import Tried, Trouble, Twins, worse

ROW_BYTES = 8_160
"""Bytes of a row in one page, after what can be moved out of line has been."""


def evidence(
    table: TablePlan, columns: list[ColumnPlan], tried: list[Tried], plan: Plan, profiles: Profiles
) -> Iterable[Evidence]:
    """Return what a table's values say: the trials of some columns, and all columns' dates without a zone."""
    known = profiles[table.source].columns
    by_source = {c.source: c for c in columns}
    merged: dict[tuple[str, str], list[Trouble]] = {}
    for trouble in (t for one in tried for t in one.troubles):
        merged.setdefault((trouble.column, trouble.code), []).append(trouble)
    referenced = bool(merged) and any(k.parent == table.name for k in plan.foreign_keys)
    for (column, code), troubles in merged.items():
        keys = [k for t in troubles for k in t.keys]
        rowids = tuple(r for t in troubles for r in t.rowids)
        apart = len(rowids) == len(keys) and not referenced
        planned = by_source[column]
        reason = functools.reduce(worse, (t.reason for t in troubles))
        finding = offers.value_finding(table.source, planned, code, reason, keys, known[column], rowids=apart)
        yield Evidence(finding, tuple(keys), rowids)
    if plan.origin != "prisma":
        yield from _zones(table, known, tried)
    for name, planned in by_source.items():
        keys = [k for one in tried for k in one.doubled.get(name or "", ())]
        if keys:
            yield Evidence(_doubled(table, planned, keys), tuple(keys))


def _zones(table: TablePlan, known: Mapping[str, ColumnProfile], tried: list[Tried]) -> Iterable[Evidence]:
    for column in table.loaded:
        if column.zone is not None or column.type.kind not in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
            continue
        name, profile = column.source or "", known[column.source or ""]
        bare = sum(one.zoneless.get(name, 0) for one in tried)
        zoned = sum(one.zoned.get(name, 0) for one in tried)
        if instants.proven(column, profile):
            bare, zoned = profile.zoneless, profile.zoned
        if bare:
            yield Evidence(_zone_assumed(table, column, bare, zoned))


def _zone_assumed(table: TablePlan, column: ColumnPlan, bare: int, zoned: int) -> Finding:
    return Finding(
        "date_zone_assumed",
        Severity.WARNING if zoned else Severity.INFO,
        f'{bare:,} dates of "{table.source}"."{column.source}" name no time zone and are read as UTC, as SQLite does;'
        f" {zoned:,} name one.",
        "If they are local time, choose the zone, for example zone:Europe/Helsinki.",
        table.source,
        column.source,
        bare,
        (),
        (Repair("zone:", lossless=False, text="read them as local time of a zone: zone:NAME"),),
    )


def _doubled(table: TablePlan, column: ColumnPlan, keys: list[str]) -> Finding:
    return Finding(
        "json_duplicate_keys",
        Severity.ERROR,
        f'{len(keys):,} JSON values of "{table.source}"."{column.source}" name a key twice; jsonb keeps the last one.',
        "Mend the text in the source, or let the column become json, which keeps it as it is.",
        table.source,
        column.source,
        len(keys),
        tuple(keys[:SHOWN_KEYS]),
        (
            Repair("type:json", lossless=True, text="keep the text as it is: json"),
            Repair("type:text", lossless=True, text="keep the text as it is: text"),
            Repair("keep_last", lossless=False, text="let jsonb keep the last one"),
        ),
    )


def duplicates(table: str, columns: list[ColumnPlan], twins: Twins) -> Finding:
    """Return the finding for rows whose unique key equals another row's once converted."""
    names = ", ".join(str(c.source) for c in columns)
    return Finding(
        "duplicate_under_target",
        Severity.ERROR,
        f'{len(twins.keys):,} rows of "{table}" have a unique key ({names}) that equals another row\'s once converted,'
        f" the first one that of {twins.others[0]}.",
        "Change or delete one row of each pair in the source.",
        table,
        columns[0].source,
        len(twins.keys),
        twins.keys[:SHOWN_KEYS],
        (Repair("type:text", lossless=True, text="keep the stored text: text"),) if len(columns) == 1 else (),
    )


def too_wide(table: str, keys: tuple[str, ...]) -> Finding:
    """Return the finding for rows that fit no page."""
    return Finding(
        "row_too_wide",
        Severity.ERROR,
        f'{len(keys):,} rows of "{table}" need more than {ROW_BYTES:,} bytes in a page, even with all long'
        " values moved out of line.",
        "Leave columns behind, or split the table in a copy of the source.",
        table,
        None,
        len(keys),
        keys[:SHOWN_KEYS],
        (Repair("exclude", lossless=False, text="leave the table behind"),),
    )


def too_narrow(found: Iterable[Evidence], plan: Plan) -> Iterable[tuple[str, str]]:
    """Yield declared columns whose values have more digits than the declaration: SQLite never heeded it."""
    if plan.origin == "prisma":
        return
    for one in found:
        table, column = one.finding.table, one.finding.column
        if one.finding.code == "number_too_precise" and table is not None and column is not None:
            planned = next(c for t in plan.tables if t.source == table for c in t.columns if c.source == column)
            if planned.type.kind is Kind.NUMERIC and planned.type.size is not None:
                yield table, column


def widened(name: str) -> Evidence:
    """Return the finding for a column, named "Table.column", that keeps more digits than it declares."""
    table, _, column = name.rpartition(".")
    return Evidence(
        Finding(
            "type_widened",
            Severity.INFO,
            f'"{table}"."{column}" holds numbers with more digits than it declares; it becomes numeric.',
            "Nothing needs to be done; SQLite never heeded the declared digits.",
            table,
            column,
            1,
        )
    )


def merged(found: Iterable[Evidence]) -> dict[str, Evidence]:
    """Return evidence by its finding's id; what two keys of one column find is one finding about all their rows."""
    made: dict[str, Evidence] = {}
    for one in found:
        known = made.get(one.finding.id)
        if known is None:
            made[one.finding.id] = one
        elif known.keys and one.keys:
            made[one.finding.id] = _both(known, one)
    return made


def _both(one: Evidence, other: Evidence) -> Evidence:
    keys = tuple(dict.fromkeys((*one.keys, *other.keys)))
    rowids = tuple(dict.fromkeys((*one.rowids, *other.rowids)))
    offered = {r.id for r in other.finding.repairs}
    finding = msgspec.structs.replace(
        one.finding,
        message=f"{one.finding.message} {other.finding.message}",
        count=len(keys),
        keys=keys[:SHOWN_KEYS],
        repairs=tuple(r for r in one.finding.repairs if r.id in offered),
    )
    return Evidence(finding, keys, rowids)
