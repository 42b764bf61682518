"""Makes the plan: from what Prisma's schema says where there is one, and from the file's own declarations elsewhere."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import ColumnPlan, IndexPlan, KeyPlan, NotMigrated, Plan, Span, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.schema import NOT_UTF8, SourceColumn, SourceSchema, SourceTable, TableProfile, TextShape

from . import decisions, declared, names, offers, orphans, review, rules
from .declared import Found

PRISMA_HISTORY = "_prisma_migrations"
_HISTORY_RULE = "Prisma's migration history of SQLite; kept in the evidence, replaced by a baseline for PostgreSQL"
_SHADOW_RULE = "a virtual table's own storage, made anew by whatever takes its place"

MOST_COLUMNS = 1600
"""https://www.postgresql.org/docs/current/limits.html."""


class Facts(Record, frozen=True):
    """What the plan is made from; `spans` and `quarantine` (rowids kept out) are by source table name."""

    schema: SourceSchema
    profiles: dict[str, TableProfile]
    spans: dict[str, tuple[Span, ...]]
    choices: Choices = Choices()
    quarantine: dict[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    shapes: dict[str, dict[str, TextShape]] = msgspec.field(default_factory=dict)
    """What texts look like, by source table and column."""


def make(facts: Facts, prisma: Plan | None, namespace: str) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan, and findings about names, types and rules of the file that have no equal here."""
    findings: list[Finding] = []
    found = findings.append
    left_out = tuple(_left_out(facts, found))
    skipped = {n.name for n in left_out}
    sources = {t.name: t for t in facts.schema.tables if t.name not in skipped}
    plans = (
        {t.source: _filled(t, sources[t.source], facts) for t in prisma.tables if t.source in sources} if prisma else {}
    )
    others = [t for t in sources.values() if t.name not in plans]
    targets = _table_names(others, {p.name for p in plans.values()}, facts.choices, found)
    plans |= {t.name: _table(t, targets[t.name], facts, found) for t in others}
    plans = {t.name: plans[t.name] for t in sources.values()} if prisma is None else plans
    taken = rules.Taken(p.name for p in plans.values())
    for table in others:
        plans[table.name] = _with_rules(table, plans[table.name], taken, facts, found)
    meanings = {n: rules.meanings(sources[n], p, facts.profiles.get(n)) for n, p in plans.items()}
    indexes = [i for t in others for i in rules.indexes(t, plans[t.name], meanings[t.name], taken, found)]
    indexes += [i for t in others if _key_is_loose(t, facts.choices) for i in _loose_key(t, plans[t.name], taken)]
    keys = [k for t in others for k in rules.foreign_keys(t, facts.schema, plans, facts.choices, found)]
    views = tuple(rules.views(facts.schema, {n: (p.name, meanings[n]) for n, p in plans.items()}, namespace, found))
    plan = Plan(
        namespace,
        tuple(plans.values()),
        indexes=tuple(indexes),
        foreign_keys=tuple(keys),
        not_migrated=left_out,
        views=views,
        choices=facts.choices.repairs,
    )
    plan = _joined(prisma, plan, facts.choices) if prisma else plan
    plan = msgspec.structs.replace(plan, enums=(*plan.enums, *decisions.enums(plan, facts.choices)))
    plan, practice = review.review(_thinned(plan, facts.choices), facts.choices)
    plan, further = decisions.decide(plan, facts.choices, facts.shapes)
    return plan, (*findings, *practice, *further)


def _thinned(plan: Plan, choices: Choices) -> Plan:
    """Leave out the indexes and keys that the operator drops."""
    by_name = {t.name: t for t in plan.tables}
    tables = tuple(
        msgspec.structs.replace(t, key=None) if t.key and rules.dropped(choices, t, t.key.columns) else t
        for t in plan.tables
    )
    indexes = tuple(i for i in plan.indexes if not rules.dropped(choices, by_name[i.table], i.columns))
    return msgspec.structs.replace(plan, tables=tables, indexes=indexes)


def _joined(prisma: Plan, plan: Plan, choices: Choices) -> Plan:
    carried = {t.name: {c.name for c in t.columns} for t in plan.tables}
    theirs = [i for i in prisma.indexes if set(i.columns) <= carried.get(i.table, set())]
    keys = [
        k
        for k in prisma.foreign_keys
        if set(k.columns) <= carried.get(k.table, set()) and set(k.parent_columns) <= carried.get(k.parent, set())
    ]
    keys = [
        msgspec.structs.replace(k, validated=rules.choice(choices, k.table, k.columns) != "fk_not_valid") for k in keys
    ]
    dropped = [k for k in keys if rules.choice(choices, k.table, k.columns) == "fk_drop"]
    return msgspec.structs.replace(
        plan,
        enums=prisma.enums,
        indexes=(*theirs, *plan.indexes),
        foreign_keys=(*(k for k in keys if k not in dropped), *plan.foreign_keys),
        origin=prisma.origin,
    )


def _left_out(facts: Facts, found: Found) -> Iterable[NotMigrated]:
    virtual = {t.name: t for t in facts.schema.tables if t.kind == "virtual"}
    for table in facts.schema.tables:
        choice = facts.choices.repairs.get(f"virtual_not_carried/{table.name}")
        if table.name == PRISMA_HISTORY:
            yield NotMigrated(table.name, table.rows, _HISTORY_RULE)
        elif table.name in facts.choices.exclude or _excluded(table.name, facts.choices):
            yield NotMigrated(table.name, table.rows, "excluded by the operator")
        elif table.kind == "shadow" and not _owned(table, virtual.values()):
            yield NotMigrated(table.name, table.rows, _SHADOW_RULE)
        elif table.problem is not None:
            found(_misnamed(table) if table.problem.endswith(NOT_UTF8) else _unreadable(table))
            yield NotMigrated(table.name, 0, f"it can't be read: {table.problem}")
        elif table.name in virtual and choice != "as_table":
            found(_virtual(table))
            yield NotMigrated(table.name, table.rows, f"a virtual table of the module {table.module}")


def _owned(table: SourceTable, virtual: Iterable[SourceTable]) -> bool:
    """Return whether a table only bears a shadow's name: the user's own, which a full-text table reads from."""
    owners = [v for v in virtual if table.name.lower() == f"{v.name}_content".lower()]
    return any(re.search(r"\bcontent\s*=", v.sql, re.IGNORECASE) for v in owners)


def _excluded(table: str, choices: Choices) -> bool:
    return any(r == "exclude" and f.partition("/")[2] == table for f, r in choices.repairs.items())


def _misnamed(table: SourceTable) -> Finding:
    """Return the finding for names that aren't UTF-8 and could not be replaced in a working copy."""
    return Finding(
        "name_not_utf8",
        Severity.ERROR,
        f'"{table.name}" can\'t be carried: {table.problem}.',
        "Give it another name in a copy of the source with ALTER TABLE, or leave the table behind.",
        table.name,
        None,
        1,
        (),
        (Repair("exclude", lossless=False, text="leave the table behind"),),
    )


def _unreadable(table: SourceTable) -> Finding:
    return Finding(
        "table_unreadable",
        Severity.ERROR,
        f'"{table.name}" can\'t be read here: {table.problem}.',
        "Leave it behind by name, or make its content an ordinary table in a copy of the source.",
        table.name,
        None,
        1,
        (),
        (Repair("exclude", lossless=False, text="leave the table behind"),),
    )


def _virtual(table: SourceTable) -> Finding:
    equals = {"fts": "a tsvector column with a GIN index", "rtree": "PostGIS or earthdistance with a GiST index"}
    equal = next((e for m, e in equals.items() if (table.module or "").lower().startswith(m)), "nothing ready-made")
    return Finding(
        "virtual_not_carried",
        Severity.ERROR,
        f'"{table.name}" is a virtual table of the module {table.module}; PostgreSQL has {equal} for that.',
        "Carry its rows as an ordinary table, or leave it behind by name.",
        table.name,
        None,
        table.rows,
        (),
        (
            Repair("as_table", lossless=True, text="its rows into an ordinary table"),
            Repair("exclude", lossless=False, text="leave it behind"),
        ),
    )


def _filled(plan: TablePlan, table: SourceTable, facts: Facts) -> TablePlan:
    there = {c.name for c in table.columns if c.generated is None}
    columns = [
        declared.chosen(c, table.name, facts.choices) if c.source in there else msgspec.structs.replace(c, source=None)
        for c in plan.columns
        if not declared.excluded(table.name, c.source or "", facts.choices)
    ]
    return _counted(msgspec.structs.replace(plan, columns=tuple(columns)), table, facts)


def _counted(plan: TablePlan, table: SourceTable, facts: Facts) -> TablePlan:
    return msgspec.structs.replace(
        plan,
        rows=table.rows,
        spans=facts.spans.get(table.name, ()),
        counter=table.counter,
        quarantine=facts.quarantine.get(table.name, ()),
        clearings=tuple(orphans.clearings(table, plan, facts.schema, facts.choices)),
    )


def _table_names(tables: Iterable[SourceTable], used: set[str], choices: Choices, found: Found) -> dict[str, str]:
    targets: dict[str, str] = {}
    taken = set(used)
    for table in tables:
        targets[table.name] = _target_name(table, None, taken, choices, found)
        taken.add(targets[table.name])
    return targets


def _target_name(
    table: SourceTable, column: SourceColumn | None, taken: set[str], choices: Choices, found: Found
) -> str:
    name = table.name if column is None else column.name
    asked = choices.renames.get(name if column is None else f"{table.name}.{name}")
    why = names.obstacle(asked or name, taken, column=column is not None)
    if asked is None:
        why = names.not_utf8((column or table).stored) or why
    if why is None:
        return asked or name
    proposed = names.proposal(name, taken, column=column is not None)
    finding = names.finding(why, proposed, table.name, column.name if column else None)
    found(finding)
    chosen = choices.repairs.get(finding.id, "")
    return chosen.partition(":")[2] or proposed


def _table(table: SourceTable, name: str, facts: Facts, found: Found) -> TablePlan:
    profiles = facts.profiles[table.name].columns
    columns: list[ColumnPlan] = []
    taken: set[str] = set()
    for column in table.columns:
        if declared.excluded(table.name, column.name, facts.choices):
            continue
        target = _target_name(table, column, taken, facts.choices, found)
        taken.add(target)
        made = declared.column(table, column, profiles[column.name], target, found)
        if _key_is_loose(table, facts.choices):
            made = msgspec.structs.replace(made, not_null=column.not_null)
        columns.append(declared.chosen(made, table.name, facts.choices))
    if len(columns) > MOST_COLUMNS:
        found(_too_wide(table, len(columns)))
    if not columns:
        found(_nothing_left(table))
    return _counted(
        TablePlan(table.name, name, tuple(columns), _key(table, name, columns, facts.choices)), table, facts
    )


def _key_is_loose(table: SourceTable, choices: Choices) -> bool:
    """Return whether the operator lets the key hold NULL, as a unique index."""
    chosen = (choices.repairs.get(f"null_in_not_null/{table.name}/{column}") for column in table.key)
    return offers.KEY_AS_UNIQUE.id in chosen


def _loose_key(table: SourceTable, plan: TablePlan, taken: rules.Taken) -> Iterable[IndexPlan]:
    targets = {c.source: c.name for c in plan.columns}
    if set(table.key) <= set(targets):
        name = taken.free(names.fitted(table.key_name or f"{plan.name}_pkey"))
        yield IndexPlan(name, plan.name, tuple(targets[c] for c in table.key), unique=True)


def _key(table: SourceTable, name: str, columns: Iterable[ColumnPlan], choices: Choices) -> KeyPlan | None:
    targets: Mapping[str | None, str] = {c.source: c.name for c in columns}
    if not table.key or not set(table.key) <= set(targets) or _key_is_loose(table, choices):
        return None
    return KeyPlan(names.fitted(table.key_name or f"{name}_pkey"), tuple(targets[c] for c in table.key))


def _nothing_left(table: SourceTable) -> Finding:
    return Finding(
        "no_columns_left",
        Severity.ERROR,
        f'No column of "{table.name}" is left to carry.',
        f'Leave the table behind by its own name: [source] exclude = ["{table.name}"].',
        table.name,
        None,
        1,
        (),
        (Repair("exclude", lossless=False, text="leave the table behind"),),
    )


def _too_wide(table: SourceTable, count: int) -> Finding:
    return Finding(
        "too_many_columns",
        Severity.ERROR,
        f'"{table.name}" has {count:,} columns; a table of PostgreSQL has at most {MOST_COLUMNS:,}.',
        f'Leave columns behind ([source] exclude = ["{table.name}.column"]), or split the table in the source.',
        table.name,
        None,
        count,
        (),
        (Repair("exclude", lossless=False, text="leave the table behind"),),
    )


def _with_rules(table: SourceTable, plan: TablePlan, taken: rules.Taken, facts: Facts, found: Found) -> TablePlan:
    known = rules.meanings(table, plan, facts.profiles.get(table.name))
    columns = tuple(declared.with_expressions(table, c, known, found) for c in plan.columns)
    if plan.key is not None and len(plan.key.columns) > rules.MOST_INDEX_COLUMNS:
        found(rules.too_many_columns(table.name, plan.key.name, len(plan.key.columns)))
        plan = msgspec.structs.replace(plan, key=None)
    key = msgspec.structs.replace(plan.key, name=taken.free(plan.key.name)) if plan.key else None
    plan = msgspec.structs.replace(plan, columns=columns, key=key)
    rules.notes(table, found)
    dropping = (f"{code}/{table.name}" for code in ("check_violated", "check_broken_by_repair"))
    if any(facts.choices.repairs.get(finding) == "check_drop" for finding in dropping):
        return plan
    return msgspec.structs.replace(plan, checks=rules.checks(table, plan, known, taken, found))
