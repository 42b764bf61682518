"""Drift in the rules: primary keys, indexes and foreign keys that only one side has."""

from collections.abc import Iterable, Iterator

from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import ForeignKeyPlan, IndexPlan, Plan, TablePlan
from zenni_tui.model.schema import SourceForeignKey, SourceIndex, SourceSchema, SourceTable

from .prisma_advice import quoted

Columns = tuple[str, ...]
Link = tuple[frozenset[tuple[str, str]], str]


def _lower(names: Iterable[str | None]) -> Columns:
    return tuple((n or "").lower() for n in names)


def _named(names: Iterable[str | None]) -> str:
    return ", ".join(quoted(n) if n is not None else "(an expression)" for n in names) or "no columns"


def _has(found: SourceTable, columns: Iterable[str]) -> bool:
    return all(found.column(c) for c in columns)


def _source_names(table: TablePlan, columns: Iterable[str]) -> Columns:
    return tuple(table.column(c).source or c for c in columns)


def keys(table: TablePlan, found: SourceTable) -> Iterator[Finding]:
    """Yield a finding when the primary keys differ; the unique index of a relation table is as good as a key."""
    wanted = _source_names(table, table.key.columns) if table.key else ()
    if set(_lower(wanted)) == set(_lower(found.key)) or not _has(found, wanted) or _is_relation(table, found):
        return
    yield Finding(
        "drift_key",
        Severity.ERROR,
        f"the primary key of the table {quoted(found.name)} is on {_named(wanted)} in schema.prisma and on "
        f"{_named(found.key)} in the SQLite file: rows that the file holds may collide, or cannot be told apart",
        "make the two agree: change `@id` or `@@id` in schema.prisma, or rebuild the table with a migration",
        found.name,
    )


def _is_relation(table: TablePlan, found: SourceTable) -> bool:
    """Return whether this is a many-to-many table, which Prisma gives a unique index on SQLite and a key elsewhere."""
    if found.key or table.key is None or table.key.columns != ("A", "B") or len(table.columns) != len("AB"):
        return False
    return any(i.unique and not i.partial and set(_lower(i.columns)) == {"a", "b"} for i in found.indexes)


def indexes(plan: Plan, table: TablePlan, found: SourceTable) -> Iterator[Finding]:
    """Yield the indexes that only one side has; order matters to plain ones and not to unique ones."""
    wanted = [i for i in plan.indexes if i.table == table.name]
    unique, plain = {frozenset(_lower(found.key))}, set[Columns]()
    for index in wanted:
        names = _lower(_source_names(table, index.columns))
        unique |= {frozenset(names)} if index.unique else set()
        plain |= set() if index.unique else {names}
    if table.key:
        unique.add(frozenset(_lower(_source_names(table, table.key.columns))))
    for there in found.indexes:
        names, whole = _lower(there.columns), not there.partial and None not in there.columns
        known = frozenset(names) in unique if there.unique else names in plain
        if there.origin != "pk" and not (whole and known):
            yield _index_undeclared(found, there)
    for index in wanted:
        if _has(found, _source_names(table, index.columns)) and not _kept(table, index, found):
            yield _index_missing(found, index)


def _kept(table: TablePlan, index: IndexPlan, found: SourceTable) -> bool:
    names = _lower(_source_names(table, index.columns))
    whole = [i for i in found.indexes if not i.partial and None not in i.columns]
    if index.unique:
        return set(names) == set(_lower(found.key)) or any(
            i.unique and set(_lower(i.columns)) == set(names) for i in whole
        )
    return any(_lower(i.columns) == names for i in whole)


def _index_undeclared(found: SourceTable, there: SourceIndex) -> Finding:
    kind = "unique index" if there.unique else "index"
    part = ", for some of its rows only" if there.partial else ""
    effect = "PostgreSQL would accept rows that the file refuses" if there.unique else "PostgreSQL will not have it"
    return Finding(
        "drift_index_undeclared",
        Severity.WARNING if there.unique else Severity.INFO,
        f"the SQLite file has the {kind} {quoted(there.name)} on {_named(there.columns)} of the table "
        f"{quoted(found.name)}{part}, which schema.prisma does not declare: {effect}",
        f"add `@@{'unique' if there.unique else 'index'}` to the model if it is needed, "
        "or drop the index in the SQLite file; an index with a condition or an expression has to be made by hand",
        found.name,
    )


def _index_missing(found: SourceTable, index: IndexPlan) -> Finding:
    kind = "unique index" if index.unique else "index"
    risk = ": rows that the file accepts may be duplicates to PostgreSQL" if index.unique else ""
    return Finding(
        "drift_index_missing",
        Severity.INFO,
        f"schema.prisma declares the {kind} {quoted(index.name)} on {_named(index.columns)} of the table "
        f"{quoted(found.name)}, which the SQLite file does not have{risk}",
        "PostgreSQL will get it; the audit tells whether the rows allow it" if index.unique else "PostgreSQL gets it",
        found.name,
    )


def foreign_keys(plan: Plan, table: TablePlan, found: SourceTable, source: SourceSchema) -> Iterator[Finding]:
    """Yield the foreign keys that only one side has, and those whose actions differ."""
    wanted = {_wanted(plan, table, f): f for f in plan.foreign_keys if f.table == table.name}
    there = {_there(f, source): f for f in found.foreign_keys}
    for link, foreign_key in wanted.items():
        if link in there:
            yield from _actions(found, foreign_key, there[link])
        elif _has(found, _source_names(table, foreign_key.columns)):
            yield _foreign_key_missing(found, foreign_key)
    for link, stored in there.items():
        if link not in wanted:
            yield _foreign_key_undeclared(found, stored)


def _wanted(plan: Plan, table: TablePlan, foreign_key: ForeignKeyPlan) -> Link:
    parent = plan.table(foreign_key.parent)
    ends = (_source_names(table, foreign_key.columns), _source_names(parent, foreign_key.parent_columns))
    return frozenset(zip(*map(_lower, ends), strict=True)), parent.source.lower()


def _there(foreign_key: SourceForeignKey, source: SourceSchema) -> Link:
    parent = source.table(foreign_key.parent)
    ends = (foreign_key.columns, foreign_key.parent_columns or (parent.key if parent else ()))
    # A parent named without columns may lack a fitting key: such a link equals no declared one.
    return frozenset(zip(*map(_lower, ends), strict=False)), foreign_key.parent.lower()


def _foreign_key_missing(found: SourceTable, foreign_key: ForeignKeyPlan) -> Finding:
    return Finding(
        "drift_foreign_key_missing",
        Severity.WARNING,
        f"schema.prisma declares the foreign key {quoted(foreign_key.name)} from {_named(foreign_key.columns)} of the "
        f"table {quoted(found.name)} to {quoted(foreign_key.parent)}, which the SQLite file does not enforce: "
        "rows may point nowhere, and PostgreSQL would refuse the key",
        "look at the audit for orphans; mend them, or remove the relation from schema.prisma",
        found.name,
    )


def _foreign_key_undeclared(found: SourceTable, stored: SourceForeignKey) -> Finding:
    return Finding(
        "drift_foreign_key_undeclared",
        Severity.WARNING,
        f"the SQLite file has a foreign key from {_named(stored.columns)} of the table {quoted(found.name)} to "
        f"{quoted(stored.parent)}, which schema.prisma does not declare: PostgreSQL will not enforce it",
        "add the relation to schema.prisma if it is needed",
        found.name,
    )


def _actions(found: SourceTable, foreign_key: ForeignKeyPlan, stored: SourceForeignKey) -> Iterator[Finding]:
    declared = f"ON DELETE {foreign_key.on_delete} ON UPDATE {foreign_key.on_update}"
    actual = f"ON DELETE {stored.on_delete} ON UPDATE {stored.on_update}".upper()
    if declared != actual:
        yield Finding(
            "drift_foreign_key_actions",
            Severity.INFO,
            f"the foreign key {quoted(foreign_key.name)} of the table {quoted(found.name)} is {actual} in the SQLite "
            f"file and {declared} in schema.prisma: PostgreSQL follows schema.prisma",
            "nothing has to be done; set `onDelete` and `onUpdate` in schema.prisma to keep the file's way",
            found.name,
        )
