"""Plans keys, checks, indexes, foreign keys and views of tables that no Prisma schema describes."""

from collections.abc import Iterable, Mapping

import msgspec

from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import CheckPlan, ForeignKeyPlan, IndexPlan, TablePlan, ViewPlan
from zenni_tui.model.schema import SourceForeignKey, SourceIndex, SourceSchema, SourceTable, TableProfile

from . import names, translate
from .declared import Found, Meanings

MOST_INDEX_COLUMNS = 32
"""https://www.postgresql.org/docs/current/limits.html."""

_FOLDS = {"NOCASE": "lower", "RTRIM": "rtrim"}


class Taken:
    """The names of a schema that are given away; what has no name of its own gets the nearest free one."""

    def __init__(self, used: Iterable[str]) -> None:
        self._used = set(used)

    def free(self, wanted: str) -> str:
        """Take a name or, when that can't be, the nearest one that is free."""
        name = names.proposal(wanted, self._used, column=False)
        self._used.add(name)
        return name


def notes(source: SourceTable, found: Found) -> None:
    """Say what a table's text declares that has no equal, and what of it could not be read."""
    for rule in source.conflicts:
        found(_lost("conflict", source.name, rule, "PostgreSQL says what to do in each statement (ON CONFLICT)"))
    for column in source.columns:
        if column.collation not in ("BINARY", *_FOLDS):
            found(_lost("collation", source.name, f"{column.name} COLLATE {column.collation}", "nobody here knows it"))
    if source.note:
        found(
            Finding(
                "declaration_unread",
                Severity.WARNING,
                f'The text of "{source.name}" could not be read whole: {source.note}; rules in it may be missing.',
                "Compare its text (schema.json) with the plan's DDL (schema.sql).",
                source.name,
                None,
                1,
            )
        )


def meanings(source: SourceTable, plan: TablePlan, profile: TableProfile | None) -> Meanings:
    """Return what the translator must know of a table's columns, by their source names."""
    found = {}
    for column in plan.columns:
        declared = source.column(column.source) if column.source is not None else None
        if declared is not None:
            held = profile.columns.get(declared.name) if profile else None
            found[declared.name] = translate.column(declared, column, held)
    return found


def checks(source: SourceTable, plan: TablePlan, known: Meanings, taken: Taken, found: Found) -> tuple[CheckPlan, ...]:
    """Translate a table's CHECK rules, or say which are not carried and why."""
    made = []
    for number, check in enumerate(source.checks, 1):
        try:
            text = translate.boolean(check.expression, known)
        except translate.Untranslatable as error:
            found(_lost("check", source.name, check.name or f"CHECK ({check.expression})", error.reason))
            continue
        made.append(CheckPlan(taken.free(check.name or f"{plan.name}_check{number if number > 1 else ''}"), text))
    return tuple(made)


def dropped(choices: Choices, table: TablePlan, columns: Iterable[str]) -> bool:
    """Return whether the operator leaves out an index because of one of its columns."""
    sources = {c.source for c in table.columns if c.name in set(columns)}
    return any(choices.repairs.get(f"index_entry_too_long/{table.source}/{s}") == "index_drop" for s in sources)


def indexes(source: SourceTable, plan: TablePlan, known: Meanings, taken: Taken, found: Found) -> Iterable[IndexPlan]:
    """Plan a table's indexes: columns, order, expressions, predicates, and case folding by expression."""
    for index in source.indexes:
        folded = any(c != "BINARY" for c in index.collations)
        if index.origin == "pk" and not folded:
            continue
        if len(index.columns) > MOST_INDEX_COLUMNS:
            found(too_many_columns(source.name, index.name, len(index.columns)))
            continue
        try:
            made = _index(index, plan, known, taken)
            if index.origin == "c" and made.name != index.name:
                found(_renamed(source.name, index.name, made.name))
            yield made
        except translate.Untranslatable as error:
            text = index.sql or f"UNIQUE ({', '.join(c or '?' for c in index.columns)})"
            found(_lost("index", source.name, f"{index.name}: {text}", error.reason))


def too_many_columns(table: str, index: str, count: int) -> Finding:
    """Return the finding for an index or key with more columns than the target takes."""
    return Finding(
        "index_too_many_columns",
        Severity.ERROR,
        f'"{index}" of "{table}" has {count} columns; an index of PostgreSQL has at most {MOST_INDEX_COLUMNS}.',
        "Leave it out, or make a shorter one in a copy of the source.",
        table,
        None,
        1,
        (),
        (Repair("index_drop", lossless=False, text="leave the index out"),),
    )


def _renamed(table: str, name: str, target: str) -> Finding:
    long = len(name.encode("utf-8", "surrogateescape")) > names.LONGEST
    return Finding(
        "name_too_long" if long else "name_collides",
        Severity.INFO,
        f'The index "{name}" of "{table}" is called "{target}" in the target.',
        "Nothing needs to be done: queries don't name indexes.",
        table,
        None,
        1,
    )


def _index(index: SourceIndex, plan: TablePlan, known: Meanings, taken: Taken) -> IndexPlan:
    if index.partial and index.where is None:
        raise translate.Untranslatable("its WHERE is not known")
    targets = {(c.source or "").lower(): c.name for c in plan.columns if c.source is not None}
    columns, expressions = [], []
    for position, column in enumerate(index.columns):
        text = _part(index, position, column, targets, known)
        columns.append(targets[column.lower()] if column is not None and text is None else "")
        expressions.append(text)
    where = translate.boolean(index.where, known, indexed=True) if index.where is not None else None
    wanted = (
        index.name
        if index.origin == "c"
        else index.constraint or f"{plan.name}_{'_'.join(c for c in columns if c)}_key"
    )
    return IndexPlan(
        taken.free(wanted),
        plan.name,
        tuple(columns),
        index.unique,
        index.descending if any(index.descending) else (),
        tuple(expressions) if any(expressions) else (),
        where,
    )


def _part(
    index: SourceIndex, position: int, column: str | None, targets: Mapping[str, str], known: Meanings
) -> str | None:
    collation = index.collations[position] if index.collations else "BINARY"
    if column is None:
        text = index.expressions[position] if index.expressions else None
        if text is None:
            raise translate.Untranslatable("its expression is not known")
        made = translate.expression(text, known, indexed=True)
    elif column.lower() not in targets:
        raise translate.Untranslatable(f'its column "{column}" is not carried')
    else:
        made = None
    if collation == "BINARY":
        return made
    if collation not in _FOLDS:
        raise translate.Untranslatable(f"its collation {collation} has no equal")
    # SQLite folds ASCII only, and so does lower() under the collation "C".
    inner: str = made or names.quoted(targets[(column or "").lower()])
    return f'{_FOLDS[collation]}({inner} COLLATE "C")'


def foreign_keys(
    source: SourceTable, schema: SourceSchema, plans: Mapping[str, TablePlan], choices: Choices, found: Found
) -> Iterable[ForeignKeyPlan]:
    """Plan a table's foreign keys; what they refer to must be there, be carried, and be a key."""
    child = plans[source.name]
    # A constraint's name is given once for each table; SQLite lets two references have the same.
    taken = Taken([*([child.key.name] if child.key else []), *(c.name for c in child.checks)])
    for key in source.foreign_keys:
        parent = schema.table(key.parent)
        problem = _reference_problem(source, key, parent, plans)
        if problem is not None:
            found(problem)
            continue
        assert parent is not None  # noqa: S101 - checked just now
        columns = key.parent_columns or parent.key
        made = ForeignKeyPlan(
            taken.free(key.name or f"{child.name}_{'_'.join(key.columns)}_fkey"),
            child.name,
            _targets(child, key.columns),
            plans[parent.name].name,
            _targets(plans[parent.name], columns),
            key.on_delete,
            key.on_update,
            deferred=key.deferred,
        )
        chosen = choice(choices, source.name, key.columns)
        if chosen != "fk_drop":
            yield msgspec.structs.replace(made, validated=chosen != "fk_not_valid")


def choice(choices: Choices, table: str, columns: tuple[str, ...]) -> str | None:
    """Return what the operator chose for a foreign key, by its table and first column."""
    where = f"{table}/{columns[0]}"
    return next(
        (r for f, r in choices.repairs.items() if f.startswith("foreign_key_") and f.partition("/")[2] == where), None
    )


def _targets(plan: TablePlan, columns: Iterable[str]) -> tuple[str, ...]:
    known = {(c.source or "").lower(): c.name for c in plan.columns}
    return tuple(known[c.lower()] for c in columns)


def _reference_problem(
    source: SourceTable, key: SourceForeignKey, parent: SourceTable | None, plans: Mapping[str, TablePlan]
) -> Finding | None:
    if parent is None or parent.name not in plans:
        state = "is not in the file" if parent is None else "is not migrated"
        return fk_finding("foreign_key_parent_missing", source, key, f'the table "{key.parent}" {state}', 1)
    if len(key.parent_columns or parent.key) != len(key.columns):
        return fk_finding("foreign_key_malformed", source, key, "it names other columns than the parent's key has", 1)
    columns = {c.lower() for c in key.parent_columns or parent.key}
    carried = {(c.source or "").lower() for c in plans[parent.name].columns}
    own = {(c.source or "").lower() for c in plans[source.name].columns}
    if not columns <= carried or not {c.lower() for c in key.columns} <= own:
        return fk_finding("foreign_key_malformed", source, key, "it names columns that are not carried", 1)
    uniques = [{(c or "").lower() for c in i.columns} for i in parent.indexes if i.unique and not i.partial]
    if columns != {c.lower() for c in parent.key} and columns not in uniques:
        return fk_finding("foreign_key_not_unique", source, key, "the columns it refers to are no key", 1)
    return None


def fk_finding(  # noqa: PLR0917 - the parts of one sentence
    code: str, source: SourceTable, key: SourceForeignKey, reason: str, count: int, keys: tuple[str, ...] = ()
) -> Finding:
    """Return the finding for a foreign key that can't be made, with dropping it on offer."""
    offers = [Repair("fk_drop", lossless=False, text="leave this foreign key out")]
    if code in ("foreign_key_orphans", "foreign_key_case"):
        offers.insert(0, Repair("fk_not_valid", lossless=False, text="make it NOT VALID: new rows only are checked"))
    columns = ", ".join(key.columns)
    return Finding(
        code,
        Severity.ERROR,
        f'The foreign key of "{source.name}" ({columns}) to "{key.parent}" can\'t be made: {reason}.',
        "Mend these rows in the source, or choose one of the repairs.",
        source.name,
        key.columns[0],
        count,
        keys,
        tuple(offers),
    )


def views(schema: SourceSchema, tables: translate.Tables, namespace: str, found: Found) -> Iterable[ViewPlan]:
    """Translate views, each after those it reads; triggers and what can't be translated are listed with their text.

    `tables` are those that a view may read, by source name.
    """
    known = dict(tables)
    for thing in (o for o in schema.others if o.kind != "view"):
        found(_lost(thing.kind, thing.name, thing.sql, "its language has no equal"))
    waiting = {o.name: o.sql for o in schema.others if o.kind == "view"}
    refused: dict[str, str] = {}
    before = -1
    while len(waiting) != before:
        before, refused = len(waiting), {}
        for name, text in tuple(waiting.items()):
            try:
                columns = translate.view_columns(text, known, namespace)
                view = ViewPlan(names.fitted(name), translate.view(text, known, namespace))
            except translate.Untranslatable as error:
                refused[name] = error.reason
                continue
            known[name] = (view.name, columns)
            del waiting[name]
            yield view
    for name, reason in refused.items():
        found(_lost("view", name, waiting[name], reason))


def _lost(kind: str, table: str, text: str, reason: str) -> Finding:
    return Finding(
        f"{kind}_not_carried",
        Severity.WARNING,
        f'A {kind} of "{table}" is not carried: {reason.rstrip(".")}. Its text: {" ".join(text.split())[:300]}',
        "Write its PostgreSQL form by hand after the migration, if it is needed; the text is in schema.json.",
        table,
        None,
        1,
    )
