"""Puts one table's record together from what the PRAGMAs say and what its texts say."""

from typing import Any, NamedTuple

import msgspec

from zenni_tui.model.schema import SourceColumn, SourceForeignKey, SourceIndex, SourceTable

from .declarations import ForeignKeyText, IndexText, TableText, Unparsable, parse_index, parse_table

_HIDDEN = 1
_GENERATED = {2: "virtual", 3: "stored"}
"""`hidden` in PRAGMA table_xinfo (https://sqlite.org/pragma.html#pragma_table_xinfo)."""

Rows = dict[str, list[tuple[Any, ...]]]


class Facts(NamedTuple):
    """What the PRAGMAs say, by table, and by index for `parts` and `texts`; `names` are each table's indexes."""

    columns: Rows
    indexes: Rows
    parts: Rows
    references: Rows
    counters: dict[str, int]
    texts: dict[str, str]
    names: Rows


def table_of(name: str, sql: str, facts: Facts) -> SourceTable:
    """Return a table's record without what only its rows can tell."""
    rows = facts.columns.get(name, [])
    written, note = _written(sql, [r[1] for r in rows], len({r[0] for r in facts.references.get(name, [])}))
    table = SourceTable(
        name,
        tuple(_column(row, written) for row in rows if row[6] != _HIDDEN),
        _indexes(name, facts, written),
        _foreign_keys(facts.references.get(name, []), written),
        counter=facts.counters.get(name),
        sql=sql,
        note=note,
    )
    if written is None:
        return table
    return msgspec.structs.replace(
        table,
        checks=written.checks,
        without_rowid=written.without_rowid,
        strict=written.strict,
        key_name=written.key.name if written.key else None,
        conflicts=_conflicts(written),
    )


def _written(sql: str, names: list[str], references: int) -> tuple[TableText | None, str | None]:
    """Parse a table's text, and believe it only when it names what SQLite names."""
    if not names or sql[:14].upper() == "CREATE VIRTUAL":
        return None, None
    try:
        written = parse_table(sql)
    except Unparsable as error:
        return None, error.reason
    if [c.name for c in written.columns] != names:
        return None, "its text names other columns than SQLite does"
    if len(written.foreign_keys) != references:
        return None, "its text has other foreign keys than SQLite lists"
    return written, None


def _column(row: tuple[Any, ...], written: TableText | None) -> SourceColumn:
    number, name, declared, not_null, default, key, hidden = row
    text = written.columns[number] if written else None
    return SourceColumn(
        name,
        declared or "",
        bool(not_null),
        default,
        key,
        _GENERATED.get(hidden),
        text.expression if text else None,
        (text.collation or "BINARY").upper() if text else "BINARY",
    )


def _indexes(name: str, facts: Facts, written: TableText | None) -> tuple[SourceIndex, ...]:
    listed = [_index(row, facts, written) for row in facts.indexes.get(name, [])]
    known = {i.name for i in listed}
    passed_over = [i for (i,) in facts.names.get(name, []) if i not in known and facts.texts.get(i)]
    return (*listed, *(_unlisted(i, facts.texts[i]) for i in passed_over))


def _index(row: tuple[Any, ...], facts: Facts, written: TableText | None) -> SourceIndex:
    _, name, unique, origin, partial = row
    parts = facts.parts.get(name, [])
    text = _index_text(facts.texts.get(name, ""), len(parts))
    columns = tuple(p[2] for p in parts)
    return SourceIndex(
        name,
        bool(unique),
        origin,
        columns,
        tuple(bool(p[3]) for p in parts),
        bool(partial),
        facts.texts.get(name) or None,
        tuple((p[4] or "BINARY").upper() for p in parts),
        tuple(text.parts[i].expression if text and columns[i] is None else None for i in range(len(columns))),
        text.where if text else None,
        _constraint(columns, written) if origin == "u" else None,
    )


def _index_text(sql: str, parts: int | None = None) -> IndexText | None:
    """Parse an index's text, and believe it only when it has as many parts as SQLite says."""
    try:
        text = parse_index(sql)
    except Unparsable:
        return None
    return text if parts in (None, len(text.parts)) else None


def _constraint(columns: tuple[str | None, ...], written: TableText | None) -> str | None:
    """Return the name of the rule that made an index; rules that ask for the same one share it."""
    wanted = [(c or "").lower() for c in columns]
    named = (u.name for u in (written.uniques if written else ()) if [(c or "").lower() for c in u.columns] == wanted)
    return next((name for name in named if name), None)


def _unlisted(name: str, sql: str) -> SourceIndex:
    """Return an index that SQLite passed over because it can't parse it; a part whose text is unknown has no column."""
    text = _index_text(sql)
    if text is None:
        return SourceIndex(name, unique=False, origin="c", columns=(None,), sql=sql, expressions=(None,))
    return SourceIndex(
        name,
        text.unique,
        "c",
        tuple(p.column for p in text.parts),
        tuple(p.descending for p in text.parts),
        text.where is not None,
        sql,
        tuple((p.collation or "BINARY").upper() for p in text.parts),
        tuple(p.expression for p in text.parts),
        text.where,
    )


def _foreign_keys(rows: list[tuple[Any, ...]], written: TableText | None) -> tuple[SourceForeignKey, ...]:
    keys: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        keys.setdefault(row[0], []).append(row)
    # SQLite lists the last declared key first.
    groups = [keys[number] for number in sorted(keys, reverse=True)]
    texts: list[ForeignKeyText | None] = list(written.foreign_keys) if written else [None] * len(groups)
    return tuple(_foreign_key(parts, text) for parts, text in zip(groups, texts, strict=True))


def _foreign_key(parts: list[tuple[Any, ...]], text: ForeignKeyText | None) -> SourceForeignKey:
    return SourceForeignKey(
        tuple(p[3] for p in parts),
        parts[0][2],
        tuple(p[4] for p in parts if p[4] is not None),
        on_delete=parts[0][6],
        on_update=parts[0][5],
        name=text.name if text else None,
        deferred=text.deferred if text else False,
    )


def _conflicts(written: TableText) -> tuple[str, ...]:
    """Return ON CONFLICT rules in words; ABORT is what SQLite does anyway."""
    keys = [("PRIMARY KEY", written.key)] if written.key else []
    rules = [*keys, *(("UNIQUE", unique) for unique in written.uniques)]
    found = [(f"{word} ({', '.join(c or '?' for c in key.columns)})", key.conflict) for word, key in rules]
    found += [(f"{c.name} NOT NULL", c.null_conflict) for c in written.columns]
    return tuple(f"{rule} ON CONFLICT {way}" for rule, way in found if way not in (None, "ABORT"))
