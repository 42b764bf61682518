"""Looks at the snapshot for rows that break the target's rules, whatever SQLite let pass."""

import sqlite3
import zlib
from collections.abc import Iterable, Sequence

from zenni_tui.convert import encode, offers, rules, trial
from zenni_tui.convert import orphans as references
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.findings import SHOWN_KEYS, Evidence, Finding, Repair, Severity
from zenni_tui.model.plan import ColumnPlan, EnumPlan, Kind, Plan, Reference, TablePlan
from zenni_tui.model.schema import SourceForeignKey, SourceSchema, SourceTable, TableProfile, Value
from zenni_tui.source import database, reader
from zenni_tui.source import orphans as lost

INDEX_ENTRY = 2_704
"""Bytes of a btree entry: a third of a page (https://www.postgresql.org/docs/current/btree.html)."""


def no_tables(plan: Plan) -> Iterable[Evidence]:
    """Find that there is nothing to carry: an empty success would be none."""
    if not plan.tables and not plan.not_migrated:
        yield Evidence(
            Finding(
                "no_tables",
                Severity.ERROR,
                "The file holds no table: there is nothing to migrate.",
                "See that it is the file the application uses: look at DATABASE_URL in its .env.",
            )
        )


def empty_keys(
    snapshot: sqlite3.Connection, schema: SourceSchema, plan: Plan, profiles: dict[str, TableProfile]
) -> Iterable[Evidence]:
    """Find NULLs where the target forbids them; SQLite lets a primary key hold NULL."""
    for table in plan.tables:
        source = schema.table(table.source)
        known = profiles[table.source].columns
        for column in table.loaded:
            name = column.source or ""
            if source is None or not column.not_null or not known[name].nulls or _gets_value(column, plan.enums):
                continue
            keys, rowids = _found(snapshot, source, f"typeof(c.{database.quoted(name)}) = 'null'")
            text = f'{len(keys):,} rows of "{table.source}" hold NULL in "{name}", which must not be NULL there.'
            declared = source.column(name)
            by_key_only = plan.origin != "prisma" and declared is not None and not declared.not_null
            finding = Finding(
                "null_in_not_null",
                Severity.ERROR,
                text,
                "Choose a value for these rows, or give them one in the source.",
                table.source,
                name,
                len(keys),
                keys[:SHOWN_KEYS],
                (*([offers.KEY_AS_UNIQUE] if by_key_only else []), offers.instead_of_null(column)),
            )
            yield Evidence(offers.with_quarantine(finding, plan, table, rowids, keys), keys, rowids)


def _gets_value(column: ColumnPlan, enums: Sequence[EnumPlan]) -> bool:
    """Return whether a repair in force gives NULL a value that fits the column."""
    try:
        return encode.field_encoder(column, enums)(None) != encode.NULL
    except Unfit:
        return False


def _found(snapshot: sqlite3.Connection, table: SourceTable, condition: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return keys and numbers of the rows, called c, that meet a condition made of quoted names."""
    rowid, name = reader.rowid_name(table), database.quoted(table.name)
    key = "".join(f", c.{database.quoted(c)}" for c in table.key)
    sql = f"SELECT c.{rowid}{key} FROM {name} AS c WHERE {condition}"  # noqa: S608 - quoted names
    if rowid is None:
        # A row's place is counted before the condition is asked.
        sql = f"SELECT ({condition}) IS TRUE{key} FROM {name} AS c NOT INDEXED"  # noqa: S608 - quoted names
    snapshot.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    try:
        rows: Iterable[tuple[Value, ...]] = snapshot.execute(sql)
        if rowid is None:
            rows = ((place, *row[1:]) for place, row in enumerate(rows, 1) if row[0])
        found = [_named(row, "rowid" if rowid else "row") for row in rows]
    finally:
        snapshot.text_factory = str
    return tuple(text for text, _ in found), tuple(number for _, number in found)


def _named(row: Sequence[Value], number: str) -> trial.Key:
    named = trial.named(row)
    return named if len(row) > 1 and None not in row[1:] else (f"{number} {named[1]}", named[1])


def exhausted_counters(plan: Plan, profiles: dict[str, TableProfile]) -> Iterable[Evidence]:
    """Find counters that have given out the last number their type has: the next insert fails."""
    limits = {Kind.SMALLINT: 1 << 15, Kind.INTEGER: 1 << 31, Kind.BIGINT: 1 << 63}
    for table in plan.tables:
        for column in table.loaded:
            largest = profiles[table.source].columns[column.source or ""].largest or 0
            limit = limits.get(column.type.kind)
            if column.counter is not None and limit and max(largest, table.counter or 0) >= limit - 1:
                yield Evidence(
                    Finding(
                        "counter_exhausted",
                        Severity.WARNING,
                        f'"{table.source}"."{column.source}" already holds the last number of its type: the next row'
                        " without a number of its own fails (SQLite would look for a free one).",
                        "Give that row a smaller number in the source, or always give numbers.",
                        table.source,
                        column.source,
                        1,
                    )
                )


def broken_checks(snapshot: sqlite3.Connection, schema: SourceSchema, plan: Plan) -> Iterable[Evidence]:
    """Find rows that break a CHECK of their own table: they were there first, or the rule was switched off."""
    for table in plan.tables:
        source = schema.table(table.source)
        for check in source.checks if source and table.checks else ():
            assert source is not None  # noqa: S101 - it has checks
            try:
                # The rule is the file's own text; SQLite itself reads it from there.
                keys, rowids = _found(snapshot, source, f"NOT ({check.expression})")
            except sqlite3.Error:
                continue  # a function that isn't here; such a rule is not translated either
            if keys:
                finding = _check_violated(table, check.expression, keys)
                yield Evidence(offers.with_quarantine(finding, plan, table, rowids, keys), keys, rowids)


def _check_violated(table: TablePlan, expression: str, keys: tuple[str, ...]) -> Finding:
    return Finding(
        "check_violated",
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
    carried = {t.source: t for t in plan.tables}
    for table in schema.tables:
        for key in table.foreign_keys if table.name in carried else ():
            refers = references.reference(key, schema)
            if refers is None:
                continue  # the plan names keys that can't be made
            yield from _violations(snapshot, plan, carried[table.name], table, (key, refers))
            yield from _other_case(snapshot, schema, table, key)


def _violations(
    snapshot: sqlite3.Connection,
    plan: Plan,
    planned: TablePlan,
    table: SourceTable,
    reference: tuple[SourceForeignKey, Reference],
) -> Iterable[Evidence]:
    key, refers = reference
    if any(c.reference == refers for c in planned.clearings):
        return
    keys, rowids = _found(snapshot, table, lost.condition(refers))
    if keys:
        reason = f"{_rows(len(keys))} to a row that does not exist"
        finding = rules.fk_finding("foreign_key_orphans", table, key, reason, len(keys), keys[:SHOWN_KEYS])
        finding = references.with_null(finding, planned, key)
        yield Evidence(offers.with_quarantine(finding, plan, planned, rowids, keys), keys, rowids)


def _rows(count: int) -> str:
    return "1 row refers" if count == 1 else f"{count:,} rows refer"


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
        if source is None or sum(profiles[table.source].columns[c].longest_bytes for c in sources) <= INDEX_ENTRY:
            continue
        size = " + ".join(f"coalesce(length(CAST(c.{database.quoted(c)} AS BLOB)), 0)" for c in sources)
        keys, rowids = _found(snapshot, source, f"{size} > {INDEX_ENTRY}")
        kept = [n for n, rowid in enumerate(rowids) if not _packs(snapshot, source, sources, rowid)]
        keys, rowids = tuple(keys[n][:200] for n in kept), tuple(rowids[n] for n in kept)
        if keys:
            finding = _too_long(table, name, sources[0], keys)
            yield Evidence(offers.with_quarantine(finding, plan, table, rowids, keys), keys, rowids)


def _packs(snapshot: sqlite3.Connection, table: SourceTable, columns: Sequence[str], rowid: int) -> bool:
    """Return whether a row's index entry surely fits once compressed; the server's own method is a weaker one."""
    blobs = ", ".join(f"CAST({database.quoted(c)} AS BLOB)" for c in columns)
    (values,) = reader.picked(snapshot, table, blobs, (rowid,))
    return sum(len(zlib.compress(v, 1)) for v in values if isinstance(v, bytes)) < INDEX_ENTRY // 4


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
