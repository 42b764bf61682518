"""Looks at the snapshot for rows that break the target's rules, whatever SQLite let pass."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from zenni_tui.convert import rules
from zenni_tui.model.findings import SHOWN_KEYS, Finding, Repair, Severity
from zenni_tui.model.plan import Kind, Plan, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceForeignKey, SourceSchema, SourceTable, TableProfile
from zenni_tui.source import database, reader

INDEX_ENTRY = 2_704
"""Bytes of a btree entry: a third of a page (https://www.postgresql.org/docs/current/btree.html)."""

ROW_BYTES = 8_160
"""Bytes of a row in one page, after what can be moved out of line has been."""


class Evidence(Record, frozen=True):
    """A finding with all its rows: their keys, and their rowids where they have any."""

    finding: Finding
    keys: tuple[str, ...] = ()
    rowids: tuple[int, ...] = ()


def empty_keys(plan: Plan, profiles: dict[str, TableProfile]) -> Iterable[Evidence]:
    """Find NULLs where the target forbids them; SQLite lets a primary key hold NULL."""
    for table in plan.tables:
        known = profiles[table.source].columns
        for column in table.loaded:
            nulls = known[column.source or ""].nulls
            if column.not_null and nulls:
                text = (
                    f'{nulls:,} rows of "{table.source}" hold NULL in "{column.source}", which must not be NULL there.'
                )
                yield Evidence(
                    Finding(
                        "null_in_not_null",
                        Severity.ERROR,
                        text,
                        "Give these rows a value in the source, or make the column optional.",
                        table.source,
                        column.source,
                        nulls,
                    )
                )


def broken_checks(snapshot: sqlite3.Connection, schema: SourceSchema, plan: Plan) -> Iterable[Evidence]:
    """Find rows that break a CHECK of their own table: they were there first, or the rule was switched off."""
    for table in plan.tables:
        source = schema.table(table.source)
        if source is None or not table.checks:
            continue
        lead = source.key or tuple(filter(None, [reader.rowid_name(source)]))
        shown = ", ".join(map(database.quoted, lead))
        for check in source.checks:
            try:
                # The rule is the file's own text; SQLite itself reads it from there.
                sql = f"SELECT {shown} FROM {database.quoted(source.name)} WHERE NOT ({check.expression})"  # noqa: S608
                keys = tuple(", ".join(map(str, row)) for row in snapshot.execute(sql))
            except sqlite3.Error:
                continue  # a function that isn't here; such a rule is not translated either
            if keys:
                yield Evidence(_check_broken(table, check.expression, keys), keys)


def _check_broken(table: TablePlan, expression: str, keys: tuple[str, ...]) -> Finding:
    return Finding(
        "check_broken",
        Severity.ERROR,
        f'{len(keys):,} rows of "{table.source}" break its CHECK ({expression}).',
        "Mend these rows in the source, or leave the rule out.",
        table.source,
        None,
        len(keys),
        keys[:SHOWN_KEYS],
        (Repair("check_drop", lossless=False, text="leave the table's CHECK rules out"),),
    )


def orphans(snapshot: sqlite3.Connection, schema: SourceSchema, plan: Plan) -> Iterable[Evidence]:
    """Find rows that refer to no parent, by SQLite's rules and by the target's."""
    carried = {t.source for t in plan.tables}
    for table in schema.tables:
        if table.name in carried and table.foreign_keys:
            yield from _violations(snapshot, table)
            for key in table.foreign_keys:
                yield from _other_case(snapshot, schema, table, key)


def _violations(snapshot: sqlite3.Connection, table: SourceTable) -> Iterable[Evidence]:
    found: dict[int, list[int | None]] = {}
    try:
        # Table by table: one malformed foreign key ends the whole check.
        for _, rowid, _, number in snapshot.execute(f"PRAGMA foreign_key_check({database.quoted(table.name)})"):
            found.setdefault(number, []).append(rowid)
    except sqlite3.OperationalError:
        return  # the plan names keys that can't be checked
    for number, rowids in found.items():
        key = table.foreign_keys[len(table.foreign_keys) - 1 - number]
        keys = tuple(_key_of(snapshot, table, r) for r in rowids)
        reason = f"{_rows(len(keys))} to a row that does not exist"
        finding = rules.fk_finding("foreign_key_orphans", table, key, reason, len(keys), keys[:SHOWN_KEYS])
        whole = tuple(r for r in rowids if r is not None)
        yield Evidence(_with_quarantine(finding, offered=len(whole) == len(keys)), keys, whole)


def _rows(count: int) -> str:
    return "1 row refers" if count == 1 else f"{count:,} rows refer"


def _with_quarantine(finding: Finding, *, offered: bool) -> Finding:
    way = Repair("quarantine", lossless=False, text="keep these rows out, in a side table with the reason")
    return msgspec.structs.replace(finding, repairs=(*finding.repairs, way)) if offered else finding


def _key_of(snapshot: sqlite3.Connection, table: SourceTable, rowid: int | None) -> str:
    name = reader.rowid_name(table)
    if not table.key or name is None or rowid is None:
        return f"rowid {rowid}"
    columns = ", ".join(database.quoted(c) for c in table.key)
    sql = f"SELECT {columns} FROM {database.quoted(table.name)} WHERE {name} = ?"  # noqa: S608 - quoted names
    return ", ".join(map(str, snapshot.execute(sql, (rowid,)).fetchone()))


def _other_case(
    snapshot: sqlite3.Connection, schema: SourceSchema, table: SourceTable, key: SourceForeignKey
) -> Iterable[Evidence]:
    parent = schema.table(key.parent)
    columns = key.parent_columns or (parent.key if parent else ())
    if parent is None or len(columns) != len(key.columns):
        return
    if all((c := parent.column(name)) is None or c.collation == "BINARY" for name in columns):
        return
    lead = table.key or tuple(filter(None, [reader.rowid_name(table)]))
    shown = ", ".join(f"c.{database.quoted(c)}" for c in lead)
    pairs = list(zip(key.columns, columns, strict=True))
    exact = " AND ".join(f"c.{database.quoted(a)} = p.{database.quoted(b)} COLLATE BINARY" for a, b in pairs)
    folded = " AND ".join(f"p.{database.quoted(b)} = c.{database.quoted(a)}" for a, b in pairs)
    child, of = database.quoted(table.name), database.quoted(parent.name)
    sql = (
        f"SELECT {shown} FROM {child} AS c WHERE EXISTS (SELECT 1 FROM {of} AS p WHERE {folded})"  # noqa: S608 - quoted names
        f" AND NOT EXISTS (SELECT 1 FROM {of} AS p WHERE {exact})"
    )
    keys = tuple(", ".join(map(str, row)) for row in snapshot.execute(sql))
    if keys:
        reason = f"{_rows(len(keys))} to its parent in another case, which PostgreSQL takes for another value"
        yield Evidence(rules.fk_finding("foreign_key_case", table, key, reason, len(keys), keys[:SHOWN_KEYS]), keys)


def long_entries(
    snapshot: sqlite3.Connection, schema: SourceSchema, plan: Plan, profiles: dict[str, TableProfile]
) -> Iterable[Evidence]:
    """Find rows whose index entry would be longer than a btree takes, unless the server can compress it."""
    for table, name, columns in _btrees(plan):
        source = schema.table(table.source)
        texts = [c for c in columns if table.column(c).type.kind in (Kind.TEXT, Kind.VARCHAR, Kind.BYTEA, Kind.NUMERIC)]
        sources = [table.column(c).source or "" for c in texts]
        if source is None or sum(profiles[table.source].columns[c].longest for c in sources) * 4 <= INDEX_ENTRY:
            continue
        size = " + ".join(f"coalesce(length(CAST({database.quoted(c)} AS BLOB)), 0)" for c in sources)
        lead = source.key or tuple(filter(None, [reader.rowid_name(source)]))
        shown = ", ".join(map(database.quoted, lead))
        sql = f"SELECT {shown} FROM {database.quoted(source.name)} WHERE {size} > ?"  # noqa: S608 - quoted names
        keys = tuple(", ".join(str(v)[:80] for v in row) for row in snapshot.execute(sql, (INDEX_ENTRY,)))
        if keys:
            yield Evidence(_too_long(table, name, sources[0], keys), keys)


def _btrees(plan: Plan) -> Iterable[tuple[TablePlan, str, Sequence[str]]]:
    for table in plan.tables:
        if table.key is not None:
            yield table, table.key.name, table.key.columns
    for index in plan.indexes:
        if all(index.columns):
            yield plan.table(index.table), index.name, index.columns


def _too_long(table: TablePlan, index: str, column: str, keys: tuple[str, ...]) -> Finding:
    return Finding(
        "index_entry_too_long",
        Severity.ERROR,
        f'{len(keys):,} rows of "{table.source}" have a key of over {INDEX_ENTRY:,} bytes for the index "{index}".',
        "Shorten the values, leave the index out, or try it: the server compresses what repeats itself.",
        table.source,
        column,
        len(keys),
        keys[:SHOWN_KEYS],
        (
            Repair("index_try", lossless=True, text="try it; if the server refuses, the run stops there"),
            Repair("index_drop", lossless=False, text="leave the index out"),
        ),
    )
